"""What is in the queue is JSON."""

from __future__ import annotations

import json
import pickle
from datetime import datetime

import pytest
from huey.registry import Message

from image_search_service.queue.serializer import JsonSerializer


def test_messages_survive() -> None:
    """A message comes back as it was, with the moment it is due."""
    message = Message("id", "run_job", datetime(2026, 1, 2, 3, 4, 5, 6), 0, 0, None, ["job"], {})  # noqa: DTZ001 - Huey's are naive
    serializer = JsonSerializer()
    data = serializer.serialize(message)
    assert json.loads(data)["message"]["args"] == ["job"]
    assert serializer.deserialize(memoryview(data).tobytes()) == message


def test_values_survive() -> None:
    """Plain values come back as they were."""
    serializer = JsonSerializer()
    assert serializer.deserialize(serializer.serialize([None, True])) == [None, True]


def test_pickles_are_refused() -> None:
    """Bytes that would run code when unpickled are only bytes that are no JSON."""
    with pytest.raises(ValueError):
        JsonSerializer().deserialize(pickle.dumps({"message": {}}))


def test_other_values_are_refused() -> None:
    """What has no place in a message is a mistake of ours."""
    with pytest.raises(TypeError):
        JsonSerializer().serialize(object())
