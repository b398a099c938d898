"""Settings, from the environment (``IMAGE_SEARCH_…``) and the command line.

Each field's description is its documentation.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from image_search_service.core import machine, settings_check
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.secret_files import secrets_from_files

PREFIX = "IMAGE_SEARCH_"
SECRETS: Final = ("database_url", "qdrant_api_key", "redis_url")
"""Settings that may be read from the file that ``IMAGE_SEARCH_…_FILE`` names."""


def default_library() -> Path:
    """The platform's folder for an application's data."""
    return Path(platformdirs.user_data_dir("image-search-service", appauthor=False))


def default_models() -> Path:
    """Where downloaded models lie, shared by all libraries of a user."""
    return Path(platformdirs.user_cache_dir("image-search-service", appauthor=False)) / "models"


class Settings(BaseModel):
    """Everything that can be set: what is handed over comes before the environment. Immutable once made.

    What is empty counts as not set. Raises ValidationError; ``settings_from`` says it in words.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    library: Path = Field(default_factory=default_library, description="Folder that holds the library.")
    models: Path = Field(default_factory=default_models, description="Folder of downloaded models.")
    model_source: str | None = Field(
        default=None, description="Folder or base of an address that is asked first for models."
    )
    engine: str = Field(default="auto", description="Face engine for a new library.")
    detector: Path | None = Field(default=None, description="YuNet ONNX file instead of the downloaded one.")
    recognizer: Path | None = Field(default=None, description="ArcFace-style ONNX file for the engine onnx.")
    offline: bool = Field(default=False, description="Never download a model.")
    memory: int | None = Field(
        default=None,
        ge=1,
        description="Memory that grouping may use, in bytes; by default a quarter of the machine's.",
    )
    workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        description="Threads that decode, detect and embed.",
    )
    names_from_metadata: bool = Field(
        default=False, description="Take names from photos' metadata whenever photos are indexed."
    )
    max_megapixels: int = Field(
        default=250, ge=1, description="A photo with more millions of pixels is refused."
    )
    qdrant_url: Annotated[str, AfterValidator(settings_check.qdrant_address)] | None = Field(
        default=None, description="A Qdrant server instead of the embedded engine."
    )
    qdrant_api_key: Annotated[str, AfterValidator(settings_check.header_value)] | None = Field(
        default=None, description="API key of the Qdrant server.", repr=False
    )
    qdrant_ca: Annotated[Path, AfterValidator(settings_check.certificates)] | None = Field(
        default=None,
        description="PEM file of the certificate authorities trusted for the Qdrant server; by default the "
        "system's.",
    )
    qdrant_prefer_grpc: bool = Field(default=True, description="Read over gRPC instead of REST.")
    qdrant_grpc_port: int = Field(
        default=6334, ge=1, le=65535, description="Port of the Qdrant server for gRPC."
    )
    qdrant_timeout: int = Field(default=30, ge=1, description="Seconds that one request to Qdrant may take.")
    qdrant_shard_number: int | None = Field(
        default=None, ge=1, description="Shards of a collection that is made."
    )
    qdrant_replication_factor: int | None = Field(
        default=None, ge=1, description="Copies of each shard of a collection that is made."
    )
    qdrant_on_disk: bool | None = Field(
        default=None, description="Whether the vectors of a collection that is made stay on disk."
    )
    qdrant_quantization: Literal["scalar", "binary"] | None = Field(
        default=None, description="Smaller copies of the vectors, kept in memory to search in."
    )
    database_url: Annotated[str, AfterValidator(settings_check.database_address)] | None = Field(
        default=None,
        repr=False,
        description="Address of a PostgreSQL database instead of SQLite in the library's folder.",
    )
    redis_url: Annotated[str, AfterValidator(settings_check.redis_address)] | None = Field(
        default=None,
        repr=False,
        description="Redis that carries the jobs, instead of a SQLite file in the library's folder.",
    )
    job_threads: int = Field(default=1, ge=1, description="Jobs that one process works on at a time.")
    watch: bool = Field(
        default=False, description="Index new and changed photos in the library's folders automatically."
    )
    watch_minutes: int = Field(default=15, ge=1, description="Minutes between two looks at all folders.")
    host: str = Field(
        default="127.0.0.1", description="Address that the service listens on; by default this machine only."
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port that the service listens on.")
    allowed_hosts: str | None = Field(
        default=None,
        description="Further host names of the service, separated by commas; * for any.",
    )

    require_token: bool = Field(
        default=True,
        description="Whether the service asks for its token; false is possible on loopback only.",
    )

    photo_roots: str | None = Field(
        default=None,
        description="Folders below which photos may be indexed from a page, separated like PATH; by default "
        "the home folder of whoever runs the service.",
    )

    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#\s]+(/[\w.~-]+)*/?$",
        description="Address by which browsers reach the service through a proxy, with the path below which "
        "the proxy serves it; printed with the token in place of the service's own.",
    )
    root_path: str = Field(
        default="",
        pattern=r"^(/[\w.~-]+)*/?$",
        description="Path below which a proxy serves it, such as /people, if no public address says so. The "
        "proxy takes it off before it asks the service.",
    )
    forwarded_allow_ips: str | None = Field(
        default=None,
        description="Addresses and networks of proxies, separated by commas, whose X-Forwarded-For and "
        "X-Forwarded-Proto are used.",
    )
    backup_dir: Path | None = Field(
        default=None,
        description="Folder into which a backup is written every night; 7 days and 4 weeks are kept.",
    )
    log_json: bool = Field(default=False, description="Write each line of the log as a JSON object.")

    @model_validator(mode="before")
    @classmethod
    def _with_environment(cls, given: dict[str, Any]) -> dict[str, Any]:
        variables = os.environ | secrets_from_files([variable_of(name) for name in SECRETS], os.environ)
        environment = {
            name: variables[variable_of(name)] for name in cls.model_fields if variable_of(name) in variables
        }
        return settings_check.given_settings(environment) | settings_check.given_settings(given)

    @property
    def grouping_memory(self) -> int:
        """Bytes that grouping may use."""
        return self.memory or machine.memory() // 4

    @property
    def photo_folders(self) -> list[Path]:
        """``photo_roots`` as paths."""
        if self.photo_roots is None:
            return [Path.home()]
        return [Path(part) for part in self.photo_roots.split(os.pathsep) if part]

    @property
    def qdrant_over_grpc(self) -> bool:
        """Whether gRPC is used. Where the address has a path, a proxy is in front, which knows nothing of the
        port for gRPC unless that is set."""
        has_path = self.qdrant_url is not None and urlsplit(self.qdrant_url).path != ""
        return self.qdrant_prefer_grpc and not (has_path and "qdrant_grpc_port" not in self.model_fields_set)

    @property
    def public_path(self) -> str:
        """The path below which a proxy serves the service, without a slash at its end; empty without one."""
        return (self.root_path or urlsplit(self.public_url or "").path).rstrip("/")

    @property
    def called_by(self) -> list[str]:
        """Further names by which the service may be called."""
        public = urlsplit(self.public_url or "").hostname
        return [*(self.allowed_hosts or "").split(","), *([public] if public else [])]

    @property
    def stores_are_shared(self) -> bool:
        """Whether all of the library's data lie on servers, so that several processes may use it at once."""
        return self.qdrant_url is not None and self.database_url is not None


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def settings_from(given: Mapping[str, Any]) -> Settings:
    """Settings from what is given, then the environment, then the defaults.

    Raises InvalidInputError that names every wrong setting and what would be right; no value is shown that
    may be secret.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        wrong = (
            f"{variable_of(str(item['loc'][0]))}: {item['msg'].removeprefix('Value error, ')}."
            for item in error.errors(include_url=False, include_input=False, include_context=False)
        )
        raise InvalidInputError(
            f"A setting is wrong. {' '.join(wrong)}", hint="docs/operations.md lists the settings."
        ) from None
