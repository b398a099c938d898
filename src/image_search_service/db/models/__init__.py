"""The tables. SQL is the truth: whatever Qdrant holds besides the embeddings is derived from these rows."""

from image_search_service.db.models.base import Base, FilePath, UtcDateTime, utc_now
from image_search_service.db.models.decisions import Decision, DecisionChange
from image_search_service.db.models.faces import Cluster, FaceDifference, FaceInstance
from image_search_service.db.models.jobs import Job
from image_search_service.db.models.library import Library
from image_search_service.db.models.people import Person, PersonCentroid, PersonDifference, PersonPrototype
from image_search_service.db.models.photos import AssetPath, ImageAsset, IndexRun
from image_search_service.db.models.suggestions import FaceSuggestion

__all__ = [
    "AssetPath",
    "Base",
    "Cluster",
    "Decision",
    "DecisionChange",
    "FaceDifference",
    "FaceInstance",
    "FaceSuggestion",
    "FilePath",
    "ImageAsset",
    "IndexRun",
    "Job",
    "Library",
    "Person",
    "PersonCentroid",
    "PersonDifference",
    "PersonPrototype",
    "UtcDateTime",
    "utc_now",
]
