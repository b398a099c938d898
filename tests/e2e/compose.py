"""What ``deploy/compose.yaml`` tells its containers, to start the same processes without containers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose.yaml"
PREFIX = "IMAGE_SEARCH_"
_VARIABLE = re.compile(r"\$\{\w+:-([^}]*)\}")


def compose() -> dict[str, Any]:
    """The file, its anchors resolved and its variables not."""
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return loaded


def settings_of(service: str, elsewhere: dict[str, Any], secrets: Path) -> dict[str, Any]:
    """The settings of a service by their names without the prefix, each variable with its default.

    elsewhere: what is at another place without containers. A secret's value is taken from there, too, and
    handed over in a file below ``secrets``.
    """
    environment = compose()["services"][service]["environment"]
    told = {name.removeprefix(PREFIX).lower(): _default(value) for name, value in environment.items()}
    for name in [name for name in told if name.endswith("_file")]:
        secret = name.removesuffix("_file")
        file = secrets / secret
        file.write_text(f"{elsewhere[secret]}\n", encoding="utf-8")
        told[name] = str(file)
    return told | {name: value for name, value in elsewhere.items() if f"{name}_file" not in told}


def _default(value: str | int) -> str:
    return _VARIABLE.sub(r"\1", str(value))
