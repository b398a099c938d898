"""``image-search address``: prints the address of the running service with its token, and opens a browser
there."""

from __future__ import annotations

import webbrowser
from html import escape
from typing import Annotated

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, command_context
from image_search_service.cli.output import Output
from image_search_service.core.access_token import read_token
from image_search_service.core.config import Settings
from image_search_service.core.errors import LibraryInUseError, NotFoundError
from image_search_service.core.lock import LibraryLock
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.private_files import open_private

OpenOption = Annotated[bool, typer.Option("--open", help="Open the address in the browser.")]


def address(
    open_it: OpenOption = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print the address of the running service.

    With the library's token in it.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        paths = LibraryPaths(run.settings.library)
        shown = address_with_token(_served_at(run.settings, paths), read_token(paths.token))
        run.out.result({"address": shown}, shown)
        if open_it:
            open_in_browser(paths, shown, run.out)


def address_with_token(served_at: str, token: str | None) -> str:
    return served_at if token is None else f"{served_at}/?token={token}"


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
        return f"http://{host}:{settings.port}"
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
