"""``image-search token list | add | remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.address import address_with_token
from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, Running, command_context
from image_search_service.cli.handing_over import here_or_there
from image_search_service.cli.lazy_group import TYPER_OPTIONS
from image_search_service.cli.output import table
from image_search_service.services.access_tokens import AccessTokenService

if TYPE_CHECKING:
    from rich.console import RenderableType

    from image_search_service.core.records.tokens import TokenRecord
    from image_search_service.core.types import JsonObject
    from image_search_service.library.opening import Library
    from image_search_service.services.jobs.client import ServiceClient

app = typer.Typer(
    help="Let people into the service by tokens of their own.", no_args_is_help=True, **TYPER_OPTIONS
)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the person or program that gets the token.")
]


@app.command("list")
def list_tokens(
    library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """List who has a token, and when it was used last.

    The tokens themselves are not kept. The library's own, in its folder, is not among them.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        tokens: list[JsonObject] = here_or_there(
            run,
            lambda opened: [_document(token) for token in AccessTokenService(opened.database).tokens()],
            lambda service: service.get("/tokens")["tokens"],
        )
        run.out.result({"tokens": tokens}, _table(tokens) if tokens else "Nobody has a token of their own.")


@app.command("add")
def add(
    name: NameArgument,
    may_name_others: Annotated[
        bool,
        typer.Option(
            "--may-name-others",
            help="Accept the name in the header X-Actor of its requests: for a proxy that knows its users.",
        ),
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Make a token for somebody, and print it once.

    What is decided with it is recorded under that name.
    """

    def here(opened: Library) -> JsonObject:
        token, secret = AccessTokenService(opened.database).add(name, may_name_others=may_name_others)
        return _document(token) | {"token": secret, "address": _address(run, None, secret)}

    def there(service: ServiceClient) -> JsonObject:
        made = service.post("/tokens", {"name": name, "may_name_others": may_name_others})
        return made | {"address": _address(run, service.address, made["token"])}

    with command_context(as_json=as_json, debug=debug, library=library) as run:
        made = here_or_there(run, here, there)
        in_address = made["address"] or f"the service's address, with /?token={made['token']} at its end"
        run.out.result(
            made,
            f"{made['name']}'s token, shown only this once: {made['token']}",
            f"In a browser: {in_address}",
        )


@app.command("remove")
def remove(
    name: NameArgument, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Take somebody's token away.

    It lets nobody in from then on. What was decided with it stays.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        removed: JsonObject = here_or_there(
            run,
            lambda opened: _document(AccessTokenService(opened.database).remove(name)),
            lambda service: service.post("/tokens/remove", {"name": name}),
        )
        run.out.result({"removed": removed}, f"{removed['name']}'s token lets nobody in any more.")


def _address(run: Running, served_at: str | None, token: str) -> str | None:
    """Where a browser goes with the token; None where nobody knows the service's address."""
    address = run.settings.public_url or served_at
    return None if address is None else address_with_token(address, token)


def _document(token: TokenRecord) -> JsonObject:
    """As the API answers it."""
    return {
        "name": token.name,
        "may_name_others": token.may_name_others,
        "created_at": token.created_at.isoformat(),
        "last_used": None if token.last_used is None else token.last_used.isoformat(),
    }


def _table(tokens: list[JsonObject]) -> RenderableType:
    rows = [
        (
            token["name"],
            token["created_at"][:10],
            token["last_used"] or "never",
            "yes" if token["may_name_others"] else "",
        )
        for token in tokens
    ]
    return table(None, ("Name", "Made", "Last used", "May name others"), rows)
