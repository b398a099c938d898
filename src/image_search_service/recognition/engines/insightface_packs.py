"""InsightFace's packs of weights: names, terms, downloads.

The package ``insightface`` is free software; its weights are for non-commercial research only, so nothing is
downloaded or opened before the user has accepted that
(``image-search models pull insightface --accept-licence``).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from image_search_service.core.errors import ConflictError, InvalidInputError, UnavailableError
from image_search_service.recognition.engines.known_models import (
    DEFAULT_PACK,
    INSIGHTFACE_LICENCE,
    INSIGHTFACE_PACKS,
)
from image_search_service.recognition.engines.model_download import Watch
from image_search_service.recognition.engines.model_files import ModelArchive
from image_search_service.recognition.engines.model_store import ModelStore

_ACCEPTED = "insightface/LICENCE-ACCEPTED"
"""The file in the models folder that says so."""


def engine_name(pack: str) -> str:
    """What a library made with the pack is bound to: the default pack is ``insightface`` alone."""
    return "insightface" if pack == DEFAULT_PACK else f"insightface:{pack}"


def known_pack(pack: str) -> ModelArchive:
    """Raises InvalidInputError for a name that is not known."""
    if pack not in INSIGHTFACE_PACKS:
        raise InvalidInputError(
            f"There is no pack {pack!r}.", hint=f"The packs are {', '.join(INSIGHTFACE_PACKS)}."
        )
    return INSIGHTFACE_PACKS[pack]


def require_ready(store: ModelStore, pack: str) -> None:
    """Raises UnavailableError (package or files missing) or ConflictError (licence not accepted)."""
    if importlib.util.find_spec("insightface") is None:
        raise UnavailableError(
            "The package insightface is not installed.",
            hint="Install it: pip install 'image-search-service[insightface]'",
        )
    if not _licence_accepted(store):
        raise _not_accepted(pack)
    if not all(store.has(file) for file in known_pack(pack).files):
        raise UnavailableError(
            f"InsightFace's pack {pack} is not downloaded.",
            hint=f"Get it: image-search models pull {engine_name(pack)}",
        )


def pull_pack(store: ModelStore, pack: str, watch: Watch, *, accept_licence: bool) -> list[Path]:
    """Download a pack, once its licence is accepted; remembers that it was.

    Raises InvalidInputError (no such pack), ConflictError (licence not accepted), UnavailableError.
    """
    archive = known_pack(pack)
    if accept_licence:
        _accept_licence(store)
    if not _licence_accepted(store):
        raise _not_accepted(pack)
    return store.pull_archive(archive, watch)


def _accept_licence(store: ModelStore) -> None:
    marker = store.folder / _ACCEPTED
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(f"{INSIGHTFACE_LICENCE.name}: {INSIGHTFACE_LICENCE.url}\n", encoding="utf-8")


def _licence_accepted(store: ModelStore) -> bool:
    return (store.folder / _ACCEPTED).is_file()


def _not_accepted(pack: str) -> ConflictError:
    return ConflictError(
        f"InsightFace's weights are for {INSIGHTFACE_LICENCE.name}, and you have not accepted that.",
        hint=f"Read {INSIGHTFACE_LICENCE.url}; if it suits you: "
        f"image-search models pull {engine_name(pack)} --accept-licence",
    )
