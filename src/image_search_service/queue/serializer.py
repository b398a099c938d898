"""Messages as JSON. Huey's default, pickle, would let anybody who can write to Redis run code in a worker."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from huey.registry import Message


class JsonSerializer:
    """Writes and reads the queue's messages: plain values, and the time to start at."""

    def serialize(self, data: Any) -> bytes:
        if isinstance(data, Message):
            fields = {name: value for name, value in data._asdict().items() if value is not None}
            return json.dumps({"message": fields}, default=_moment).encode()
        return json.dumps({"value": data}, default=_moment).encode()

    def deserialize(self, data: bytes) -> Any:
        """The inverse of ``serialize``. Raises ValueError for anything else."""
        document = json.loads(bytes(data))
        if "message" not in document:
            return document.get("value")
        fields = document["message"]
        if "eta" in fields:
            fields["eta"] = datetime.fromisoformat(fields["eta"])
        return Message(**fields)


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be put into the queue")
