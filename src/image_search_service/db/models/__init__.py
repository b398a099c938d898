"""The tables. SQL is the truth: whatever Qdrant holds besides the embeddings is derived from these rows."""

from image_search_service.db.models.base import Base, FilePath, UtcDateTime, utc_now
from image_search_service.db.models.conflicts import KeptConflict
from image_search_service.db.models.decisions import DecisionChange, DecisionRow
from image_search_service.db.models.engine_changes import EngineChange, StagedFace, StagedPhoto
from image_search_service.db.models.faces import (
    ClusterRow,
    FaceDifference,
    FaceInstance,
    FaceLoss,
    NameInFile,
)
from image_search_service.db.models.grouping import GroupingProposal
from image_search_service.db.models.jobs import JobRow
from image_search_service.db.models.kept.triggers import create_triggers_with_tables
from image_search_service.db.models.library import LibraryRow, StoreMarksRow, TurnRow
from image_search_service.db.models.people import PersonCentroid, PersonDifference, PersonPrototype, PersonRow
from image_search_service.db.models.photos import (
    AbsentFolder,
    AssetPath,
    ImageAsset,
    IndexRoot,
    IndexRun,
    PersonInFile,
    UnreadFile,
)
from image_search_service.db.models.review import ReviewSkip
from image_search_service.db.models.suggestions import FaceSuggestion
from image_search_service.db.models.tokens import STAYS_HERE, AccessToken

create_triggers_with_tables()

__all__ = [
    "STAYS_HERE",
    "AbsentFolder",
    "AccessToken",
    "AssetPath",
    "Base",
    "ClusterRow",
    "DecisionChange",
    "DecisionRow",
    "EngineChange",
    "FaceDifference",
    "FaceInstance",
    "FaceLoss",
    "FaceSuggestion",
    "FilePath",
    "GroupingProposal",
    "ImageAsset",
    "IndexRoot",
    "IndexRun",
    "JobRow",
    "KeptConflict",
    "LibraryRow",
    "NameInFile",
    "PersonCentroid",
    "PersonDifference",
    "PersonInFile",
    "PersonPrototype",
    "PersonRow",
    "ReviewSkip",
    "StagedFace",
    "StagedPhoto",
    "StoreMarksRow",
    "TurnRow",
    "UnreadFile",
    "UtcDateTime",
    "utc_now",
]
