"""``image-search address``: prints the address of the running service with its token, opens a browser there,
asks the service whether it can do its work."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Annotated, Any

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, command_context
from image_search_service.cli.output import Output
from image_search_service.core.access_token import bearer_headers, read_token
from image_search_service.core.config import Settings
from image_search_service.core.errors import LibraryInUseError, NotFoundError, UnavailableError
from image_search_service.core.lock import LibraryLock
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.private_files import open_private

if TYPE_CHECKING:
    import httpx

CHECK_SECONDS = 8.0
"""How long the service may take to say whether it is ready."""

OpenOption = Annotated[bool, typer.Option("--open", help="Open the address in the browser.")]


def address(
    open_it: OpenOption = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Ask the service whether it is ready; exit with 1 if it is not."),
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print the address of the running service.

    The address contains the library's token.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        paths = LibraryPaths(run.settings.library)
        here = _served_at(run.settings, paths)
        if check:
            require_ready(here, bearer_headers(paths.token))
        shown = address_with_token(run.settings.public_url or here, read_token(paths.token))
        run.out.result({"address": shown}, shown)
        if open_it:
            open_in_browser(paths, shown, run.out)


def address_with_token(served_at: str, token: str | None) -> str:
    return served_at if token is None else f"{served_at.rstrip('/')}/?token={token}"


def on_this_machine(address: str) -> str:
    """By which a process on this machine reaches what listens on every address."""
    return address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def require_ready(address: str, headers: Mapping[str, str]) -> None:
    """Raises UnavailableError, with what does not work, for a service that is not ready."""
    import httpx  # takes a tenth of a second to import

    try:
        with httpx.Client(timeout=CHECK_SECONDS, trust_env=False) as client:
            answer = client.get(f"{address}/ready", headers=dict(headers))
        reason = _reason(answer)
    except httpx.HTTPError as error:
        reason = str(error)
    if reason is not None:
        raise UnavailableError(f"The service at {address} is not ready: {reason}.", hint="Its log says more.")


def _reason(answer: httpx.Response) -> str | None:
    """What does not work, None if all does."""
    if answer.is_success:
        return None
    away = [f"{part['name']}: {part['detail']}" for part in _components(answer) if not part["ready"]]
    return "; ".join(away).rstrip(".") or f"status {answer.status_code}"


def _components(answer: httpx.Response) -> list[dict[str, Any]]:
    try:
        components: list[dict[str, Any]] = answer.json()["components"]
    except (ValueError, KeyError, TypeError):
        return []
    return components


def open_in_browser(paths: LibraryPaths, shown: str, out: Output) -> None:
    """By way of a page that only the owner may read: every user of the machine sees a command's arguments."""
    link = escape(shown)
    page = (
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={link}">'
        f'<title>image-search-service</title><p><a href="{link}">Go on</a>\n'
    )
    paths.browser_page.unlink(missing_ok=True)
    with open(paths.browser_page, "x", encoding="utf-8", opener=open_private) as file:
        file.write(page)
    if not webbrowser.open(paths.browser_page.as_uri()):
        out.note("No browser could be opened; put the address into one yourself.")


def _served_at(settings: Settings, paths: LibraryPaths) -> str:
    """What the holder of the library's lock has said; of a library on servers, what the settings say.

    Raises NotFoundError when nobody serves the library.
    """
    if settings.stores_are_shared:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return on_this_machine(f"http://{host}:{settings.port}")
    try:
        if paths.lock.exists():
            LibraryLock(paths.lock).release()
    except LibraryInUseError as error:
        if error.address is not None:
            return error.address
        raise
    raise NotFoundError(
        f"No service runs for the library {paths.root}.", hint="Start it with: image-search serve"
    )
