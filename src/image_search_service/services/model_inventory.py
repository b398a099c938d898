"""Lists engines and model files, for ``image-search models list

pull

check``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from image_search_service.core.errors import ConflictError, InvalidInputError, UnavailableError
from image_search_service.recognition.engines import known_models as known
from image_search_service.recognition.engines.dlib_weights import (
    INSTALL_DLIB,
    dlib_is_installed,
    require_dlib,
)
from image_search_service.recognition.engines.insightface_packs import engine_name, pull_pack, require_ready
from image_search_service.recognition.engines.model_download import Watch
from image_search_service.recognition.engines.model_files import CheckedFile, Licence, ModelFile
from image_search_service.recognition.engines.model_store import ModelStore, sha256_of


@dataclass(frozen=True, slots=True)
class ModelFileInfo:
    """A file of an engine. size: bytes that it has or will have; None for a file that is not there."""

    path: Path
    size: int | None
    present: bool


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """An engine as a user chooses it.

    ready: whether it can be opened here without a download. reason: if not, why, and what to do about it.
    dimension: numbers in an embedding; None where the file decides.
    measured: whether its thresholds were measured with it; else they are estimated.
    """

    name: str
    summary: str
    ready: bool
    reason: str | None
    dimension: int | None
    measured: bool = False
    files: tuple[ModelFileInfo, ...] = ()
    licences: tuple[Licence, ...] = ()


def list_engines(
    *, models: Path, detector: Path | None = None, recognizer: Path | None = None
) -> list[EngineInfo]:
    """All engines, the one that ``auto`` tries first leading. Downloads nothing."""
    store = ModelStore(models)
    yunet = _given(detector) if detector is not None else _known(store, known.YUNET)
    return [
        _opencv(yunet, _known(store, known.SFACE)),
        _dlib(),
        _onnx(yunet, recognizer),
        *(_insightface(store, pack) for pack in known.INSIGHTFACE_PACKS),
        EngineInfo(
            "synthetic",
            "Reads the faces that `image-search demo` draws, no real ones.",
            True,
            None,
            128,
            measured=True,
        ),
    ]


def pull_engine(
    name: str,
    *,
    models: Path,
    watch: Watch,
    offline: bool = False,
    source: str | None = None,
    accept_licence: bool = False,
) -> list[Path]:
    """Download what an engine needs and what is missing or damaged; the files' paths.

    ``auto`` is ``opencv``; of ``onnx`` it is the detector. source: folder or base address that is asked
    first. Raises InvalidInputError (unknown engine, or one
    that needs no download), ConflictError (licence not accepted), UnavailableError (not to be had).
    """
    store = ModelStore(models, offline=offline, source=source)
    kind, _, variant = name.partition(":")
    if kind == "insightface":
        return pull_pack(store, variant or known.DEFAULT_PACK, watch, accept_licence=accept_licence)
    downloads = _downloads()
    if name not in downloads:
        raise InvalidInputError(
            f"There is nothing to download for {name!r}.",
            hint=f"Downloads are there for {', '.join([*downloads, 'insightface'])}.",
        )
    return store.pull(*downloads[name], watch=watch)


def check_models(*, models: Path) -> list[CheckedFile]:
    """Compare every known file with its checksum: downloaded ones (missing or not), and dlib's."""
    store = ModelStore(models)
    files: Iterable[ModelFile] = (known.YUNET, known.SFACE)
    packs = [file for pack in known.INSIGHTFACE_PACKS.values() for file in pack.files]
    checked = [store.check(file) for file in files]
    checked += [store.check(file) for file in packs if store.path(file).exists()]
    weights = _dlib_weights()
    if weights is not None:
        checked += [ModelStore(weights).check(file) for file in known.DLIB_FILES]
    return checked


def _downloads() -> dict[str, tuple[ModelFile, ...]]:
    both = known.YUNET, known.SFACE
    return {"auto": both, "opencv": both, "onnx": (known.YUNET,)}


def _opencv(yunet: ModelFileInfo, sface: ModelFileInfo) -> EngineInfo:
    files = (yunet, sface)
    ready = all(file.present for file in files)
    return EngineInfo(
        "opencv",
        "YuNet and SFace through OpenCV; the default.",
        ready,
        None
        if ready
        else "Not downloaded yet: `image-search models pull opencv`, or the first index does it.",
        128,
        True,
        files,
        (known.YUNET_LICENCE, known.SFACE_LICENCE),
    )


def _dlib() -> EngineInfo:
    weights = _dlib_weights()
    reason = None if weights else f"{INSTALL_DLIB}."
    store = ModelStore(weights or Path())
    return EngineInfo(
        "dlib",
        "dlib's detector and ResNet; needs no download.",
        weights is not None,
        reason,
        128,
        True,
        tuple(_known(store, file) for file in known.DLIB_FILES) if weights else (),
        (known.DLIB_LICENCE,),
    )


def _onnx(yunet: ModelFileInfo, recognizer: Path | None) -> EngineInfo:
    files = (yunet,) if recognizer is None else (yunet, _given(recognizer))
    missing = [str(file.path) for file in files if not file.present]
    reason = f"Missing: {', '.join(missing)}." if missing else None
    if recognizer is None:
        reason = "Needs a recogniser of yours: --recognizer FILE or IMAGE_SEARCH_RECOGNIZER."
    return EngineInfo(
        "onnx",
        "YuNet and any ArcFace-style ONNX recogniser.",
        reason is None,
        reason,
        None,
        recognizer is not None and _is_measured(recognizer),
        files,
        (known.YUNET_LICENCE,),
    )


def _is_measured(recognizer: Path) -> bool:
    """Whether it is the file that ``onnx`` was measured with; it is read only if its size is the same."""
    if not recognizer.is_file() or recognizer.stat().st_size != known.MOBILEFACENET_SIZE:
        return False
    return sha256_of(recognizer) == known.MOBILEFACENET_SHA256


def _insightface(store: ModelStore, pack: str) -> EngineInfo:
    archive = known.INSIGHTFACE_PACKS[pack]
    reason = None
    try:
        require_ready(store, pack)
    except (ConflictError, UnavailableError) as error:
        reason = f"{error.message} {error.hint}"
    return EngineInfo(
        engine_name(pack),
        f"InsightFace's pack {pack}.",
        reason is None,
        reason,
        512,
        False,
        tuple(_known(store, file) for file in archive.files),
        (known.INSIGHTFACE_LICENCE,),
    )


def _dlib_weights() -> Path | None:
    return require_dlib() if dlib_is_installed() else None


def _known(store: ModelStore, file: ModelFile) -> ModelFileInfo:
    return ModelFileInfo(store.path(file), file.size, store.has(file))


def _given(path: Path) -> ModelFileInfo:
    present = path.is_file()
    return ModelFileInfo(path, path.stat().st_size if present else None, present)
