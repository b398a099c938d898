"""Where requests to a Qdrant server go: address, port for gRPC, and the proxy in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.request import getproxies, proxy_bypass

from image_search_service.core.addresses import is_loopback, without_secrets


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """rest: such as ``http://qdrant:6333``. grpc: such as ``qdrant:6334``, None if REST is used alone.

    proxy: the address of the proxy that the environment names for it, None if requests go directly.
    """

    rest: str
    grpc: str | None
    proxy: str | None = None

    def __str__(self) -> str:
        """The address that requests for points go to."""
        return self.rest if self.grpc is None else f"{self.grpc} (gRPC)"


def address_of(client: Any) -> ServerAddress | None:
    """Where a client's requests go, as it has parsed its own settings; None for an engine in this process."""
    remote = getattr(client, "_client", None)
    if remote is None or not hasattr(remote, "rest_uri"):
        return None
    grpc = f"{remote._host}:{remote._grpc_port}" if remote._prefer_grpc else None
    return ServerAddress(remote.rest_uri, grpc, _proxy(remote._scheme, remote._host))


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that httpx and gRPC use, by the variables ``http_proxy``, ``https_proxy``, ``no_proxy``."""
    if is_loopback(host) or proxy_bypass(host.strip("[]")):
        return None
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    return None if proxy is None else without_secrets(proxy)
