"""The files below ``deploy/`` are what the programs take that they are for, and name what there is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import image_search_service.vector.calls  # noqa: F401 - its metrics are there once it is imported
from image_search_service.api.metrics import exposition
from image_search_service.core.config import SECRETS, Settings
from image_search_service.library.metrics import Measurements
from tests.e2e.compose import COMPOSE, compose

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted([*(DEPLOY / "systemd").glob("*.service"), *(DEPLOY / "systemd").glob("*.timer")])
USER_UNITS = sorted((DEPLOY / "systemd" / "user").iterdir())
MOST_EXPOSED = 3.0
"""What ``systemd-analyze security`` may give a unit at most: 10 is open to everything, below 4 is "OK"."""


def run(*command: str | Path, **more: Any) -> None:
    """A program that must have nothing to say against a file."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr


def needs(program: str, package: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"there is no {program}: apt-get install {package}")
    return found


@pytest.mark.parametrize("profile", ["alone", "servers"])
def test_compose_takes_its_file(profile: str) -> None:
    """The file is of the compose specification, with the settings of the example, in both ways."""
    program = [needs("docker-compose", "docker-compose")]
    run(*program, "--env-file", ".env.example", "--profile", profile, "config", "--quiet", cwd=DEPLOY)


def test_the_example_names_every_variable_of_the_compose_file() -> None:
    """Each that is used is in ``.env.example``, with the same default, and no other."""
    used = dict(re.findall(r"\$\{([A-Z_]+)(?::-([^}]*))?", COMPOSE.read_text(encoding="utf-8")))
    text = (DEPLOY / ".env.example").read_text(encoding="utf-8")
    named = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.MULTILINE))
    of_compose = {name: named.pop(name) for name in ("COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME")}
    assert of_compose["COMPOSE_PROFILES"] in compose()["services"]
    assert named.keys() == used.keys()
    assert {name: named[name] for name, default in used.items() if default} == {
        name: default for name, default in used.items() if default
    }


def test_containers_are_told_settings_that_there_are() -> None:
    """Every variable is a setting's, or the file of one that is secret; each secret has its file."""
    settings = {f"IMAGE_SEARCH_{name.upper()}" for name in Settings.model_fields}
    files = {f"IMAGE_SEARCH_{name.upper()}_FILE" for name in SECRETS}
    document = compose()
    ours = [document["services"][name] for name in ("alone", "service", "worker")]
    assert [name for one in ours for name in one["environment"] if name not in settings | files] == []
    for one in ours[1:]:
        paths = {value for name, value in one["environment"].items() if name in files}
        assert paths == {f"/run/secrets/{name}" for name in one["secrets"]}
    made = re.findall(r"^made (\w+)", (DEPLOY / "secrets.sh").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(made) == sorted(document["secrets"])


def test_every_container_ends_restarts_and_is_bounded() -> None:
    """Each has limits on memory and log, comes back, and is waited for by those that need it."""
    services = compose()["services"]
    for name, service in services.items():
        assert {"mem_limit", "restart", "logging"} <= service.keys(), name
    waited_for = {name for service in services.values() for name in service.get("depends_on", {})}
    assert {name for name in waited_for if "healthcheck" in services[name]} == {"postgres", "redis", "qdrant"}
    assert waited_for - {"postgres", "redis", "qdrant"} == {"service"}  # whose check is the image's


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """They are kept from other users, fit to each other, and stay when the script runs again."""
    shutil.copy(DEPLOY / "secrets.sh", tmp_path)
    run("sh", tmp_path / "secrets.sh")
    made = {path.name: path.read_text(encoding="ascii") for path in (tmp_path / "secrets").iterdir()}
    assert made["postgres_password"].strip() in made["database_url"]
    assert len({value.strip() for value in made.values()}) == 5
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    run("sh", tmp_path / "secrets.sh")
    assert {path.name: path.read_text(encoding="ascii") for path in (tmp_path / "secrets").iterdir()} == made


def test_the_image_has_one_recipe() -> None:
    """``Dockerfile`` is the same file, and what is copied into the image is sent to the engine."""
    assert (ROOT / "Dockerfile").resolve() == ROOT / "Containerfile"
    sent = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line[:1] == "!"}
    recipe = (ROOT / "Containerfile").read_text(encoding="utf-8")
    copied = {
        part
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", recipe, re.MULTILINE)
        for part in line.split()
    }
    assert copied == sent


@pytest.mark.parametrize("unit", UNITS + USER_UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    """Each is without fault where the program is installed."""
    needs("systemd-analyze", "systemd")
    there = tmp_path / unit.name.replace("@", "@1")
    for each in UNITS if unit in UNITS else USER_UNITS:
        text = re.sub(r"[\w/.%-]+/bin/image-search", "/bin/true", each.read_text(encoding="utf-8"))
        text = text.replace("User=image-search", "User=root")
        (tmp_path / each.name).write_text(text, encoding="utf-8")
        if "@" in each.name:
            (tmp_path / each.name.replace("@", "@1")).write_text(text, encoding="utf-8")
    manager = "--system" if unit in UNITS else "--user"
    told = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    run("systemd-analyze", manager, "verify", "--man=no", there, env=told)


@pytest.mark.parametrize(
    "unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name
)
def test_the_units_are_sandboxed(unit: Path) -> None:
    """What the service could do to the rest of the system if it were taken over is little."""
    needs("systemd-analyze", "systemd")
    threshold = str(int(MOST_EXPOSED * 10))
    run("systemd-analyze", "security", "--offline=yes", f"--threshold={threshold}", "--no-pager", unit)


def test_caddy_takes_its_file() -> None:
    """The example is without fault."""
    caddy = needs("caddy", "caddy")
    run(caddy, "validate", "--adapter", "caddyfile", "--config", DEPLOY / "caddy" / "Caddyfile")


def test_alerts_fire_when_they_should(tmp_path: Path) -> None:
    """Prometheus' own tool takes rules and settings; each alert fires, and is silent, as it should."""
    promtool = needs("promtool", "prometheus")
    for file in (*(DEPLOY / "prometheus").iterdir(), Path(__file__).with_name("alerts.test.yaml")):
        shutil.copy(file, tmp_path)
    run(promtool, "test", "rules", "alerts.test.yaml", cwd=tmp_path)
    (tmp_path / "token").write_text("x")
    settings = (tmp_path / "prometheus.yaml").read_text(encoding="utf-8")
    settings = re.sub(r"credentials_file: \S+", "credentials_file: token", settings)
    (tmp_path / "prometheus.yaml").write_text(settings, encoding="utf-8")
    run(promtool, "check", "config", "prometheus.yaml", cwd=tmp_path)


def test_what_is_watched_is_measured_and_described() -> None:
    """Alerts, dashboard and documentation name the metrics that there are."""
    measured = exposed_names()
    described = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in sorted(measured) if f"`{name}" not in described] == []
    dashboard = (DEPLOY / "grafana" / "image-search.json").read_text(encoding="utf-8")
    for text in ((DEPLOY / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"), dashboard, described):
        named = {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"\bimage_search_\w+", text)}
        assert sorted(named - measured - {"image_search_service", "image_search_bench_"}) == []
    assert len(json.loads(dashboard)["panels"]) >= 6


def exposed_names() -> set[str]:
    """Of all metrics of ours, as they are exposed."""
    import_module("image_search_service.vector.calls")  # which makes its metrics when it is imported
    everything = Measurements({"qdrant": True}, 1, 2, 3.0, {"failed": 0}, 1, 2, 3.0)
    names = re.findall(r"^# TYPE (image_search_\w+) ", exposition(everything).decode(), re.MULTILINE)
    return {name for name in names if not name.endswith("_created")}
