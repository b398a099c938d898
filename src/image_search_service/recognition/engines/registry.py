"""Opening an engine by its name. Each is imported only when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from image_search_service.core.errors import InvalidInputError, UnavailableError
from image_search_service.recognition.engines import known_models as known
from image_search_service.recognition.engines.dlib_weights import (
    INSTALL_DLIB,
    dlib_is_installed,
    require_dlib,
)
from image_search_service.recognition.engines.model_download import Watch
from image_search_service.recognition.engines.model_files import Licence, ModelFile
from image_search_service.recognition.engines.model_store import ModelStore

if TYPE_CHECKING:
    from image_search_service.recognition.engines.base import FaceEngine

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Request:
    """What an engine may be opened with: the same for all, whether they use it or not."""

    store: ModelStore
    detector: Path | None
    recognizer: Path | None
    watch: Watch | None
    note: Note


def open_engine(
    name: str,
    *,
    models: Path,
    detector: Path | None = None,
    recognizer: Path | None = None,
    offline: bool = False,
    source: str | None = None,
    watch: Watch | None = None,
    note: Note = lambda _: None,
) -> FaceEngine:
    """The engine ``name``; its models are downloaded first if that is needed and allowed.

    ``auto`` is ``opencv`` if its files are there or can be had, else ``dlib`` if it is installed. A pack of
    InsightFace can be named, as in ``insightface:buffalo_s``. ``engine.identity.name`` opens the same engine
    again.

    models: the folder of downloaded models. detector, recognizer: files instead of downloaded ones.
    offline: never download. source: folder or base of an address that is asked first for models. watch: shows
    downloads; without it nothing is downloaded. note: told what the user should know, such as which engine
    ``auto`` took and why.

    Raises InvalidInputError (unknown engine, wrong file), UnavailableError (its models cannot be had),
    ConflictError (licence not accepted), DataIntegrityError (damaged model file).
    """
    kind, _, variant = name.partition(":")
    if kind not in _OPENERS or (variant and kind != "insightface"):
        raise InvalidInputError(f"There is no engine {name!r}.", hint=f"There are {', '.join(_OPENERS)}.")
    if recognizer is not None and kind == "auto":
        raise InvalidInputError(
            "A recogniser file is used by the engine onnx only.",
            hint="Add --engine onnx, or drop --recognizer.",
        )
    request = _Request(ModelStore(models, offline=offline, source=source), detector, recognizer, watch, note)
    return _OPENERS[kind](request, variant)


def _open_auto(request: _Request, _: str) -> FaceEngine:
    try:
        return _open_opencv(request, "")
    except UnavailableError as error:
        if not dlib_is_installed():
            raise UnavailableError(
                f"{error.message}\nThe engine dlib, which needs no download, is not installed.",
                hint=f"{INSTALL_DLIB}; it brings its models along. Or: {error.hint}",
            ) from error
        request.note(f"{error.message}\n{error.hint}\n{_DLIB_INSTEAD}")
    return _open_dlib(request, "")


_DLIB_INSTEAD = (
    "The engine dlib is used instead. `image-search engine opencv` moves the library to the other engine "
    "once its models can be had."
)


def _open_opencv(request: _Request, _: str) -> FaceEngine:
    if request.detector is None:
        detector, recognizer = _required(request, (known.YUNET, known.SFACE), _ZOO_LICENCES)
    else:
        detector = _given(request.detector)
        (recognizer,) = _required(request, (known.SFACE,), (known.SFACE_LICENCE,))
    from image_search_service.recognition.engines.opencv import OpenCvEngine

    return OpenCvEngine(detector, recognizer)


_ZOO_LICENCES: Final = (known.YUNET_LICENCE, known.SFACE_LICENCE)


def _open_onnx(request: _Request, _: str) -> FaceEngine:
    if request.recognizer is None:
        raise InvalidInputError(
            "The engine onnx needs a recogniser.",
            hint="Give an ArcFace-style ONNX file with --recognizer FILE or IMAGE_SEARCH_RECOGNIZER.",
        )
    recognizer = _given(request.recognizer)
    detector = _detector(request)
    from image_search_service.recognition.engines.onnx import OnnxEngine

    return OnnxEngine(detector, recognizer)


def _open_insightface(request: _Request, pack: str) -> FaceEngine:
    from image_search_service.recognition.engines.insightface_packs import known_pack, require_ready

    pack = pack or known.DEFAULT_PACK
    archive = known_pack(pack)
    require_ready(request.store, pack)
    files = request.store.require(*archive.files, watch=None)
    from image_search_service.recognition.engines.insightface import InsightFaceEngine

    return InsightFaceEngine(request.store.folder / "insightface", pack, files)


def _open_dlib(_request: _Request, _: str) -> FaceEngine:
    weights = require_dlib()
    from image_search_service.recognition.engines.dlib import DlibEngine

    return DlibEngine(weights)


def _open_synthetic(_request: _Request, _: str) -> FaceEngine:
    from image_search_service.recognition.engines.synthetic import SyntheticEngine

    return SyntheticEngine()


_OPENERS: Final[dict[str, Callable[[_Request, str], FaceEngine]]] = {
    "auto": _open_auto,
    "opencv": _open_opencv,
    "onnx": _open_onnx,
    "insightface": _open_insightface,
    "dlib": _open_dlib,
    "synthetic": _open_synthetic,
}


def _detector(request: _Request) -> Path:
    if request.detector is not None:
        return _given(request.detector)
    return _required(request, (known.YUNET,), (known.YUNET_LICENCE,))[0]


def _given(path: Path) -> Path:
    if not path.is_file():
        raise InvalidInputError(f"There is no file {path}.", hint="Give the path of an ONNX file.")
    return path


def _required(request: _Request, files: tuple[ModelFile, ...], licences: tuple[Licence, ...]) -> list[Path]:
    for file, licence in zip(files, licences, strict=True):
        if request.watch is not None and not request.store.offline and not request.store.has(file):
            request.note(
                f"{licence.what} ({licence.name}, {licence.url}), is needed once: {file.size:,} bytes."
            )
    return request.store.require(*files, watch=request.watch)
