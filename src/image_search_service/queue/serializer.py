"""Messages as JSON. Huey's own way, pickle, would let whoever can write to Redis run code in a worker."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from huey.registry import Message


class JsonSerializer:
    """Writes and reads what this project puts into the queue: plain values, and the moment to start at."""

    def serialize(self, data: Any) -> bytes:
        if isinstance(data, Message):
            given = {name: value for name, value in data._asdict().items() if value is not None}
            return json.dumps({"message": given}, default=_moment).encode()
        return json.dumps({"value": data}, default=_moment).encode()

    def deserialize(self, data: bytes) -> Any:
        """Raises ValueError for what ``serialize`` has not written."""
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
    raise TypeError(f"{type(value).__name__} does not belong into the queue")
