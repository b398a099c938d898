"""nginx as ``deploy/nginx/image-search.conf`` sets it up, in front of a service of this machine."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import wait_until

EXAMPLE = Path(__file__).parents[2] / "deploy" / "nginx" / "image-search.conf"
SERVER = "    server 127.0.0.1:8000 fail_timeout=1s;"
"""The example's service."""
MISSING = "there is no nginx or no openssl: apt-get install nginx-light openssl"
ROOT = "/people"
"""The path below which the example serves."""
PROXY = "127.0.0.2"
"""The address from which this nginx asks the service: others of loopback are not believed."""
_FRAME = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/image-search.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where it listens, and whom a client has to trust to get there."""

    port: int
    certificate: Path

    @property
    def address(self) -> str:
        return f"https://localhost:{self.port}{ROOT}"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))


def nginx() -> str | None:
    """The program, None if it or openssl is missing. Debian keeps it where only root looks."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    return found if shutil.which("openssl") else None


@contextmanager
def nginx_before(program: str, services: Sequence[int], port: int, folder: Path) -> Iterator[Proxy]:
    """It runs until the end of the block. services: their ports. folder: an empty one."""
    certificate, key = _certificate(folder)
    changes = {
        SERVER: "\n".join(SERVER.replace("8000", str(service)) for service in services),
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "server_name photos.example.org;": "server_name localhost;",
        "/etc/ssl/photos.example.org.pem": str(certificate),
        "/etc/ssl/photos.example.org.key": str(key),
        "proxy_http_version 1.1;": f"proxy_http_version 1.1; proxy_bind {PROXY};",
    }
    (folder / "image-search.conf").write_text(_changed(EXAMPLE.read_text(encoding="utf-8"), changes))
    (folder / "nginx.conf").write_text(_FRAME.format(folder=folder))
    process = subprocess.Popen([program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        wait_until(lambda: process.poll() is not None or (folder / "nginx.pid").exists())
        assert process.poll() is None
        yield Proxy(port, certificate)
    finally:
        process.terminate()
        process.wait()


def _changed(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _certificate(folder: Path) -> tuple[Path, Path]:
    """One that this machine signs for itself."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2")
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *subject, "-out", certificate, "-keyout", key],
        check=True,
        capture_output=True,
    )
    return certificate, key
