"""Tries the image that ``make container`` has built: prints what was tried, fails at the first fault.

It starts the service from a root that is read-only, as another user than root; waits for the health check;
lets it index the demo library from ``/photos``; ends it by SIGTERM; looks for what was written outside of the
volumes. With docker or podman a container is run. With buildah the image's root is entered by ``unshare`` and
``chroot``, as root: the service is the first process of its own process table there.

    python3 -m scripts.try_container [--image image-search-service] [--engine docker|podman|buildah]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

PORT = 18_731
MOST_BYTES = 700_000_000
HEALTHY_SECONDS, STOP_SECONDS, INDEX_SECONDS = 120.0, 10.0, 300.0
USER = "1000:1000"
SETTINGS = {"IMAGE_SEARCH_ENGINE": "synthetic", "IMAGE_SEARCH_OFFLINE": "true"}
"""The engine that needs no models and knows the demo library's faces."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--image", default="image-search-service")
    parser.add_argument("--engine", choices=("docker", "podman", "buildah"), default=None)
    given = parser.parse_args()
    engine = given.engine or found_engine()
    with tempfile.TemporaryDirectory() as folder:
        volumes = Volumes.made(Path(folder))
        container = (
            Entered(given.image, volumes) if engine == "buildah" else Run(engine, given.image, volumes)
        )
        try:
            say(f"engine: {engine}")
            tried(container, volumes)
        except BaseException:
            say(f"its log:\n{container.log()}")
            raise
        finally:
            container.remove()


def found_engine() -> str:
    for engine in ("docker", "podman"):
        if (
            shutil.which(engine)
            and subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0
        ):
            return engine
    if shutil.which("buildah"):
        return "buildah"
    raise SystemExit("There is no docker or podman that answers, and no buildah.")


@dataclass(frozen=True, slots=True)
class Volumes:
    """Folders of this machine that the container has as ``/library`` and ``/photos``."""

    library: Path
    photos: Path

    @classmethod
    def made(cls, folder: Path) -> Volumes:
        volumes = cls(folder / "library", folder / "photos")
        folder.chmod(0o755)
        for path in (volumes.library, volumes.photos):
            path.mkdir()
            if os.geteuid() == 0:
                os.chown(path, *map(int, USER.split(":")))
        return volumes


class Container(Protocol):
    """One that runs the service."""

    def size(self) -> int: ...
    def once(self, *command: str) -> str: ...
    def start(self) -> None: ...
    def command(self, *command: str) -> subprocess.CompletedProcess[str]: ...
    def stop(self) -> int: ...
    def log(self) -> str: ...
    def written(self) -> list[str]: ...
    def remove(self) -> None: ...


def tried(container: Container, volumes: Volumes) -> None:
    size = container.size()
    require(size <= MOST_BYTES, f"size: {size / 1e6:,.0f} MB of at most {MOST_BYTES / 1e6:,.0f}")
    say(container.once("image-search", "--version").strip())
    photos = json.loads(container.once("image-search", "demo", "/photos/demo", "--faces", "40", "--json"))
    say(f"demo: {photos}")
    began = time.monotonic()
    container.start()
    wait(lambda: container.command("image-search", "address", "--check").returncode == 0, HEALTHY_SECONDS)
    say(f"healthy after {time.monotonic() - began:.1f} s, as the health check says")
    shown = re.search(r"Serving (http://\S+/\?token=\S+)", container.log())
    require(shown is not None, "the log has the address with the token")
    done = container.command("image-search", "index", "/photos", "--json")
    require(
        done.returncode == 0, f"index: {done.stderr[-300:] if done.returncode else 'done by the service'}"
    )
    report = json.loads(done.stdout)
    require(report["faces"] >= 30, f"indexed: {report['photos_new']} photos, {report['faces']} faces")
    began = time.monotonic()
    code = container.stop()
    seconds = time.monotonic() - began
    require(seconds < STOP_SECONDS, f"stopped {seconds:.1f} s after SIGTERM")
    require(code == 0, f"exit code {code}")
    groups = len(json.loads(container.once("image-search", "people", "--json"))["clusters"])
    require(groups > 0, f"after it: {groups} groups to be named")
    require(container.written() == [], f"nothing written outside of the volumes: {container.written()}")
    say(f"in the library: {', '.join(sorted(path.name for path in volumes.library.iterdir()))}")


@dataclass
class Run:
    """By docker or podman."""

    engine: str
    image: str
    volumes: Volumes
    name: str = f"image-search-try-{os.getpid()}"

    def size(self) -> int:
        return int(self._engine("image", "inspect", "--format", "{{.Size}}", self.image))

    def once(self, *command: str) -> str:
        mounts = self._mounts(photos="")
        return self._engine("run", "--rm", *mounts, "--entrypoint", command[0], self.image, *command[1:])

    def start(self) -> None:
        publish = f"127.0.0.1:{PORT}:8000"
        settings = [part for name, value in SETTINGS.items() for part in ("-e", f"{name}={value}")]
        mounts = self._mounts(photos=":ro")
        self._engine("run", "-d", "--name", self.name, "-p", publish, *settings, *mounts, self.image)

    def command(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.engine, "exec", self.name, *command], capture_output=True, text=True, check=False
        )

    def stop(self) -> int:
        self._engine("stop", "--time", "30", self.name)
        return int(self._engine("inspect", "--format", "{{.State.ExitCode}}", self.name))

    def log(self) -> str:
        done = subprocess.run([self.engine, "logs", self.name], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def written(self) -> list[str]:
        return [
            line
            for line in self._engine("diff", self.name).splitlines()
            if line[2:] not in ("/library", "/photos", "/tmp")  # noqa: S108
        ]

    def remove(self) -> None:
        subprocess.run([self.engine, "rm", "-f", self.name], capture_output=True, check=False)

    def _mounts(self, photos: str) -> list[str]:
        volumes = (f"{self.volumes.library}:/library", f"{self.volumes.photos}:/photos{photos}")
        return ["--read-only", "--tmpfs", "/tmp", *(part for each in volumes for part in ("-v", each))]  # noqa: S108

    def _engine(self, *arguments: str) -> str:
        done = subprocess.run([self.engine, *arguments], capture_output=True, text=True, check=False)
        require(done.returncode == 0, f"{self.engine} {arguments[0]} {done.stderr.strip()}", quiet=True)
        return done.stdout.strip()


@dataclass
class Entered:
    """The root that buildah made, entered without an engine."""

    image: str
    volumes: Volumes
    process: subprocess.Popen[str] | None = None
    began: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        os.environ["BUILDAH_ISOLATION"] = "chroot"
        self.container = _said("buildah", "from", self.image)
        self.root = Path(_said("buildah", "mount", self.container))
        config = json.loads(_said("buildah", "inspect", "--type", "image", self.image))
        self.config: dict[str, Any] = config["Docker"]["config"]
        self.output = Path(tempfile.mkstemp(prefix="image-search-try-")[1])
        for path in (self.root / "proc", self.root / "tmp"):
            path.mkdir(exist_ok=True)
        require(self.config["User"] == USER, f"user of the image: {self.config['User']}")
        require(
            " ".join(self.config["Entrypoint"] + self.config["Cmd"]) == "image-search serve", "its command"
        )

    def size(self) -> int:
        return _size(self.image)

    def once(self, *command: str) -> str:
        done = subprocess.run(
            self._inside(command, photos="rw"),
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        require(done.returncode == 0, f"{' '.join(command)} {done.stderr.strip()}", quiet=True)
        return done.stdout

    def start(self) -> None:
        command = [*self.config["Entrypoint"], *self.config["Cmd"]]
        with self.output.open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                self._inside(command, photos="ro"),
                env=self._environment(),
                stdout=output,
                stderr=output,
                text=True,
            )

    def command(self, *command: str) -> subprocess.CompletedProcess[str]:
        inner = _first_process(self._started.pid)
        if inner is None:
            return subprocess.CompletedProcess(command, 1, "", "it does not run yet")
        enter = ["nsenter", "--target", str(inner), "--mount", "--pid", "--root", "--wd"]
        ids = [f"--setuid={USER.split(':', maxsplit=1)[0]}", f"--setgid={USER.split(':')[1]}"]
        return subprocess.run(
            [*enter, *ids, "--", *command],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def stop(self) -> int:
        inner = _first_process(self._started.pid)
        assert inner is not None
        os.kill(inner, signal.SIGTERM)
        return self._started.wait()

    def log(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def written(self) -> list[str]:
        """Files of the root that are newer than the start; the volumes lie elsewhere."""
        found = subprocess.run(
            ["find", self.root, "-xdev", "-newermt", f"@{self.began}", "-type", "f"],
            capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        return [path.removeprefix(str(self.root)) for path in found]

    def remove(self) -> None:
        if self.process is not None and self.process.poll() is None:
            inner = _first_process(self.process.pid)  # it outlives its parent, whose user it has left
            if inner is not None:
                os.kill(inner, signal.SIGKILL)
            self.process.wait()
        self.output.unlink(missing_ok=True)
        subprocess.run(["buildah", "rm", self.container], capture_output=True, check=False)

    @property
    def _started(self) -> subprocess.Popen[str]:
        assert self.process is not None
        return self.process

    def _environment(self) -> dict[str, str]:
        given = dict(pair.partition("=")[::2] for pair in self.config["Env"])
        return given | SETTINGS | {"IMAGE_SEARCH_PORT": str(PORT)}

    def _inside(self, command: Sequence[str], *, photos: str) -> list[str]:
        """In tables of mounts and processes of its own, the root read-only, as the image's user."""
        root = str(self.root)
        steps = (
            f"mount --bind {root} {root}",
            f"mount -o remount,bind,ro {root}",
            f"mount --bind {self.volumes.library} {root}/library",
            f"mount --bind -o {photos} {self.volumes.photos} {root}/photos",
            f"mount -o remount,bind,{photos} {root}/photos",
            f"mount -t tmpfs tmpfs {root}/tmp",  # noqa: S108
            f"mount -t proc proc {root}/proc",
            f"mount --bind /dev {root}/dev",
            f"mount -t tmpfs tmpfs {root}/dev/shm",  # noqa: S108 - an engine gives one, too
            f'exec chroot --userspec={USER} {root} "$@"',
        )
        return [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-ec",
            "\n".join(steps),
            "sh",
            *command,
        ]


def _size(image: str) -> int:
    """Bytes of the image's files."""
    (found,) = json.loads(_said("buildah", "images", "--json", image))
    number, unit = found["size"].split()
    return int(float(number) * {"kB": 1e3, "MB": 1e6, "GB": 1e9}[unit])


def _first_process(unshare: int) -> int | None:
    """The first process of the table that ``unshare`` made: its only child."""
    children = Path(f"/proc/{unshare}/task/{unshare}/children").read_text(encoding="ascii").split()
    return int(children[0]) if children else None


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def wait(is_there: Any, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not is_there():
        require(time.monotonic() < until, f"waited for {seconds:.0f} s", quiet=True)
        time.sleep(0.5)


def require(condition: bool, what: str, *, quiet: bool = False) -> None:
    if not condition:
        raise SystemExit(f"FAILED {what}")
    if not quiet:
        say(f"ok  {what}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
