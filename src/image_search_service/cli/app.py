"""The command ``image-search``: each command parses its options, calls a service and shows the answer."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from image_search_service import __version__
from image_search_service.cli.lazy_group import TYPER_OPTIONS, LazyGroup
from image_search_service.core.printable import make_output_printable

app = typer.Typer(
    name="image-search",
    cls=LazyGroup,
    help="Finds the people in a photo library and helps you name them. Everything stays on this machine.",
    no_args_is_help=True,
    **TYPER_OPTIONS | {"add_completion": True},
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"image-search {__version__}")
        raise typer.Exit


@app.callback()
def image_search(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What comes before the command's name."""


def main() -> None:
    """Entry point of the console script."""
    # Before each command Pydantic would read the metadata of every installed package, to look for plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    make_output_printable()
    app(prog_name="image-search")


if __name__ == "__main__":
    main()
