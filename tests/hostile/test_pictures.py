"""Pictures that take much memory or time for their size."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from image_search_service.core.errors import MediaUnavailableError
from image_search_service.core.machine import cgroup_limits
from image_search_service.media import memory
from image_search_service.media.decode import decode_photo
from image_search_service.media.hashing import hash_file
from image_search_service.media.memory import DecodingMemory
from tests.hostile.bounded import index_bounded, run_bounded
from tests.hostile.pictures import costly_heads, large_pictures, mutated_pictures, png
from tests.support.waiting import wait_until

FORMATS = ("JPEG", "PNG", "GIF", "TIFF")
BESIDE = 12 * 2**20
"""Bytes that decoding may take beside its allowance: rows that are converted, and tables of decoders."""


def decode(
    folder: Path, files: Iterable[tuple[str, bytes]], *, seconds: int, gigabytes: int
) -> dict[str, str]:
    """The result of each file, decoded one after the other."""
    folder.mkdir()
    for name, content in files:
        (folder / name).write_bytes(content)
    lines = run_bounded("decode_files", folder, "decode", seconds=seconds, memory=gigabytes * 2**30)
    return dict(zip(lines[::2], lines[1::2], strict=True))


def test_what_does_not_fit_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PNG of a few kilobytes whose picture takes more than its share of memory is not decoded, and that is
    no fact of its content."""
    monkeypatch.setattr(memory, "decoding_memory", lambda: DecodingMemory(10**6, 2 * 10**7))
    path = tmp_path / "photo.png"
    path.write_bytes(png(4_000, 4_000))
    with pytest.raises(MediaUnavailableError, match=r"takes 0\.1 GB of memory; here it may take 0\.0 GB"):
        decode_photo(path, max_pixels=10**8)
    path.write_bytes(png(2_000, 2_000))
    assert decode_photo(path, max_pixels=10**8).width == 2_000


def test_what_is_large_waits_for_a_turn_of_its_own() -> None:
    """Several small pictures are decoded at once. A large one waits until they are done, and those that come
    after it wait for it."""
    share = DecodingMemory(together=10, alone=20)
    share.take(4)
    decoded: list[int] = []

    def decode_one(size: int) -> None:
        share.take(size)
        decoded.append(size)
        share.give_back(size)

    small = threading.Thread(target=decode_one, args=(6,))
    small.start()
    small.join()
    large = threading.Thread(target=decode_one, args=(15,))
    large.start()
    wait_until(share._line.locked)
    late = threading.Thread(target=decode_one, args=(1,))
    late.start()
    assert decoded == [6]
    share.give_back(4)
    large.join()
    late.join()
    assert decoded == [6, 15, 1]


def test_nobody_waits_for_themselves() -> None:
    """A thread that works on a photo may decode another one."""
    share = DecodingMemory(together=10, alone=20)
    for size in (9, 9, 15):
        share.take(size)
    for size in (9, 9, 15):
        share.give_back(size)
    share.take(20)


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    """Of a control group and those above it the limits are read, in both versions' files; "max" is none."""
    own = tmp_path / "self"
    for folder, name, limit in (
        ("a/b", "memory.max", "max"),
        ("a", "memory.max", "4096"),
        ("memory/c", "memory.limit_in_bytes", "8192"),
    ):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / name).write_text(f"{limit}\n")
    own.write_text("5:cpu,memory:/c\n3:cpuset:/\n0::/a/b\n")
    assert sorted(cgroup_limits(tmp_path, own)) == [4096, 8192]
    assert cgroup_limits(tmp_path, tmp_path / "missing") == []


@pytest.mark.parametrize(("head", "size"), [(b"", 2**27), (b"\xff\xd8\xff\xe0", 40 * 2**30)])
def test_what_is_no_photo_is_not_hashed(tmp_path: Path, head: bytes, size: int) -> None:
    """A long file that does not begin as a photo, or is longer than any, is refused before it is read."""
    path = tmp_path / "photo.jpg"
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    with pytest.raises(MediaUnavailableError):
        hash_file(path)


@pytest.mark.depth
def test_no_head_costs_more_than_its_picture(tmp_path: Path) -> None:
    """Parts without end before the picture, or over and over again, are refused in some seconds for all."""
    results = decode(tmp_path / "files", costly_heads(), seconds=15, gigabytes=4)
    assert len(results) == 7
    assert [name for name, said in results.items() if said in FORMATS] == ["overlapping.jpg"]


@pytest.mark.depth
def test_decoding_takes_what_it_is_allowed(tmp_path: Path) -> None:
    """The memory that each decoder takes at the most is what was reserved for it."""
    folder = tmp_path / "files"
    folder.mkdir()
    large_pictures(folder)
    lines = run_bounded("decode_files", folder, "memory", seconds=30, memory=8 * 2**30)
    beyond = dict(zip(lines[::2], map(int, lines[1::2]), strict=True))
    assert len(beyond) == len(list(folder.iterdir()))
    assert {name: more for name, more in beyond.items() if more > BESIDE} == {}


@pytest.mark.depth
def test_no_damage_to_a_picture_ends_the_run(tmp_path: Path) -> None:
    """1,000 pictures, each damaged in another way, are decoded or refused, in bounded time and memory;
    indexed, they leave a library in which nothing is wrong."""
    files = tmp_path / "files"
    assert len(decode(files, mutated_pictures(1_000), seconds=40, gigabytes=4)) == 1_000
    report = index_bounded(files, seconds=60, memory=4 * 2**30)
    assert report["photos_seen"] == 1_000
