"""``media.exif``: dates as cameras, phones and scanners write them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st
from PIL import ExifTags

from image_search_service.media.exif import taken_at

TAGS = ExifTags.Base
moment = datetime.fromisoformat


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019:08:07 06:05:04", moment("2019-08-07 06:05:04")),
        ("2019:08:07 06:05:04\0", moment("2019-08-07 06:05:04")),
        (b"2019:08:07 06:05:04\0", moment("2019-08-07 06:05:04")),
        (("2019:08:07 06:05:04",), moment("2019-08-07 06:05:04")),
        ("2019-08-07T06:05:04", moment("2019-08-07 06:05:04")),
        ("2019:08:07 06:05", moment("2019-08-07 06:05:00")),
        ("1931:01:01 00:00:00", moment("1931-01-01 00:00:00")),
        ("0000:00:00 00:00:00", None),
        ("2019:13:07 06:05:04", None),
        ("2019:02:30 06:05:04", None),
        ("0001:01:01 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("", None),
        (1234, None),
        ((), None),
        (None, None),
    ],
)
def test_dates_as_they_are_written(text: object, expected: datetime | None) -> None:
    """A date is read in the ways it is really written, and one that means nothing is no date."""
    assert taken_at({TAGS.DateTimeOriginal: text}) == expected


def test_the_moment_of_exposure_comes_first() -> None:
    """Taken, else digitised, else changed; one that means nothing lets the next one speak."""
    tags: dict[int, Any] = {TAGS.DateTime: "2003:03:03 03:03:03"}
    assert taken_at(tags) == moment("2003-03-03 03:03:03")
    tags[TAGS.DateTimeDigitized] = "2002:02:02 02:02:02"
    assert taken_at(tags) == moment("2002-02-02 02:02:02")
    tags[TAGS.DateTimeOriginal] = "0000:00:00 00:00:00"
    assert taken_at(tags) == moment("2002-02-02 02:02:02")
    tags[TAGS.DateTimeOriginal] = "2001:01:01 01:01:01"
    assert taken_at(tags) == moment("2001-01-01 01:01:01")


@pytest.mark.parametrize(
    ("fraction", "micro"),
    [("5", 500_000), ("048", 48_000), ("1234567", 123_456), ("12 ", 120_000), ("²", 0), ("x", 0), ("", 0)],
)
def test_fractions_of_a_second(fraction: str, micro: int) -> None:
    """Photos of one burst keep their order: fractions of a second count, nonsense does not."""
    tags: dict[int, str] = {TAGS.DateTimeOriginal: "2020:01:01 00:00:00", TAGS.SubsecTimeOriginal: fraction}
    assert taken_at(tags) == moment("2020-01-01 00:00:00").replace(microsecond=micro)


def test_an_offset_does_not_move_the_clock() -> None:
    """The camera's clock is what counts, in a photo that knows its time zone too."""
    tags: dict[int, str] = {TAGS.DateTimeOriginal: "2020:01:01 12:00:00", TAGS.OffsetTimeOriginal: "+09:00"}
    assert taken_at(tags) == moment("2020-01-01 12:00:00")


@given(st.one_of(st.text(), st.binary(), st.integers(), st.floats(), st.tuples(st.text())), st.text())
def test_nothing_in_a_date_raises(value: object, fraction: str) -> None:
    """Whatever a file says its date is, the answer is a moment or None."""
    assert isinstance(
        taken_at({TAGS.DateTimeOriginal: value, TAGS.SubsecTimeOriginal: fraction}), datetime | None
    )
