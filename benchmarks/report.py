"""What the benchmarks print: the machine, and tables that can be pasted into docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version

from rich import box
from rich.console import Console
from rich.table import Table


def machine() -> str:
    """Cores, the load of the last minute, versions."""
    load = f"load {os.getloadavg()[0]:.1f}"
    client = version("qdrant-client")
    return f"{os.cpu_count()} cores, {load}, Python {platform.python_version()}, qdrant-client {client}"


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """In Markdown."""
    table = Table(*columns, box=box.MARKDOWN)
    for row in rows:
        table.add_row(*row)
    console = Console(width=300, highlight=False)
    console.print(title)
    console.print(table)
