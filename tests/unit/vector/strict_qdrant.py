"""An engine with the limits of a server's strict mode, which it refuses in the server's words."""

from __future__ import annotations

from typing import Any

from qdrant_client import models

from tests.support.qdrant_server import Refused

CAPACITY = (
    "Rate limiting exceeded: Read rate limit exceeded, request larger than rate limiter capacity, please try "
    "to split your request"
)
EMPTY = (
    "Rate limiting exceeded: Read rate limit exceeded: Operation requires {cost} tokens but only 0.0 were "
    "available. Retry after 60s"
)


class StrictQdrant:
    """engine: anything with QdrantClient's methods. strict: the collection's configuration, None for none.

    tokens: those that the rate limiter has left; it gets no new ones. quantization: what was asked for.
    asked: the searches, as they came.
    """

    def __init__(self, engine: Any, **strict: Any) -> None:
        self._engine = engine
        self.quantization: Any = None
        self.asked: list[models.QueryRequest] = []
        self.configure(models.StrictModeConfig(enabled=True, **strict) if strict else None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def configure(self, strict: models.StrictModeConfig | None) -> None:
        self.strict = strict or models.StrictModeConfig()
        self.tokens = self.strict.read_rate_limit

    def update_collection(self, collection: str, strict_mode_config: models.StrictModeConfig) -> bool:
        self.configure(strict_mode_config)
        return True

    def create_collection(self, collection: str, **given: Any) -> Any:
        self.quantization = given.pop("quantization_config", None)
        return self._engine.create_collection(collection, **given)

    def get_collection(self, collection: str) -> Any:
        info = self._engine.get_collection(collection)
        strict = models.StrictModeConfigOutput(**self.strict.model_dump()) if self.strict.enabled else None
        own = {"strict_mode_config": strict, "quantization_config": self.quantization}
        return info.model_copy(update={"config": info.config.model_copy(update=own)})

    def count(self, collection: str, **given: Any) -> Any:
        if self.strict.search_allow_exact is False and given.get("exact", True):
            raise bad("Exact search disabled!. Help: Set exact=false.")
        return self._engine.count(collection, **given)

    def scroll(self, collection: str, **given: Any) -> Any:
        self._most("limit", given["limit"], self.strict.max_query_limit)
        return self._engine.scroll(collection, **given)

    def retrieve(self, collection: str, **given: Any) -> Any:
        self._spend(len(given["ids"]))
        return self._engine.retrieve(collection, **({"with_payload": False} | given))  # unless it is said

    def upsert(self, collection: str, **given: Any) -> Any:
        self._most("upsert limit", len(given["points"]), self.strict.upsert_max_batchsize)
        return self._engine.upsert(collection, **given)

    def query_points(self, collection: str, **given: Any) -> Any:
        self._check(given.get("query_filter"), collection)
        return self._engine.query_points(collection, **given)

    def query_batch_points(self, collection: str, requests: list[models.QueryRequest]) -> Any:
        self._most("search batch size", len(requests), self.strict.search_max_batchsize)
        for request in requests:
            self._most("limit", request.limit or 10, self.strict.max_query_limit)
            self._check(request.filter, collection)
        self.asked += requests
        plain = [request.model_copy(update={"params": None}) for request in requests]
        return self._engine.query_batch_points(collection, requests=plain)

    def batch_update_points(self, collection: str, update_operations: Any) -> Any:
        for operation in update_operations:
            for change in operation.model_dump(exclude_none=True).values():
                where = change.get("filter") if isinstance(change, dict) else None
                self._check(where and models.Filter(**where), collection)
        return self._engine.batch_update_points(collection, update_operations=update_operations)

    @staticmethod
    def _most(name: str, number: int, most: int | None) -> None:
        if most is not None and number > most:
            raise bad(
                f'Limit exceeded {number} > {most} for "{name}". Help: Reduce the "{name}" parameter to or '
                f"below {most}."
            )

    def _check(self, where: models.Filter | None, collection: str) -> None:
        most, indexed = self.strict.condition_max_size, self.strict.unindexed_filtering_retrieve
        for condition in conditions(where):
            size = len(condition.has_id) if isinstance(condition, models.HasIdCondition) else 1
            if most is not None and size > most:
                raise bad(
                    f"Condition size limit reached ({size} > {most}). "
                    "Help: Reduce the size of your condition."
                )
            key = getattr(condition, "key", None) or getattr(
                getattr(condition, "is_empty", None), "key", None
            )
            if key and indexed is False and key not in self._engine.get_collection(collection).payload_schema:
                raise bad(
                    f'Index required but not found for "{key}" of one of the following types: [keyword]. '
                    "Help: Create an index for this key or use a different filter."
                )

    def _spend(self, cost: int) -> None:
        if self.tokens is None:
            return
        if cost > (self.strict.read_rate_limit or 0):
            raise Refused(429, "RESOURCE_EXHAUSTED", CAPACITY)
        if cost > self.tokens:
            raise Refused(429, "RESOURCE_EXHAUSTED", EMPTY.format(cost=cost))
        self.tokens -= cost


def bad(text: str) -> Refused:
    return Refused(400, "INVALID_ARGUMENT", f"Bad request: {text}")


def conditions(where: models.Filter | None) -> list[Any]:
    """All conditions of a filter, however deep."""
    if where is None:
        return []
    parts = [*(where.must or ()), *(where.should or ()), *(where.must_not or ())]
    return [
        one for part in parts for one in (conditions(part) if isinstance(part, models.Filter) else [part])
    ]
