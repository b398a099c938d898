"""Static files: their addresses, their sizes, how they are sent."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from image_search_service.web.assets import STATIC, STYLE, Assets
from image_search_service.web.pages import PAGES, add_pages, assets

SCRIPT_LIMIT = 60_000
STYLE_LIMIT = 15_000
IMPORTED = r'^import (?:.* from )?"([^"]+)";|\bimport\("([^"]+)"\)'


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    add_pages(app)
    return TestClient(app)


def test_a_file_has_the_hash_of_all_in_its_address_and_may_be_kept_for_good(client: TestClient) -> None:
    """Whatever changes in any file changes every address, so a kept file is never an old one."""
    answer = client.get(assets().url("review.js"))
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert assets().digest in assets().url("review.js")


def test_another_file_is_another_address(tmp_path: Path) -> None:
    """One byte more in one file gives all files another hash."""
    (tmp_path / "a.js").write_text("1", encoding="utf-8")
    before = Assets(tmp_path).digest
    (tmp_path / "a.js").write_text("2", encoding="utf-8")
    assert Assets(tmp_path).digest != before


@pytest.mark.parametrize(
    "path", ["/static/0000/review.js", "/static/{digest}/none.js", "/static/{digest}/../pages.py"]
)
def test_what_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    """An old hash, an unknown name and a way out of the folder are a 404."""
    assert client.get(path.format(digest=assets().digest)).status_code == 404


def test_files_are_sent_compressed_to_whoever_takes_it(client: TestClient) -> None:
    """With gzip accepted the body is smaller and the same; without, it comes as it is."""
    url = assets().url(STYLE)
    compressed = client.get(url, headers={"Accept-Encoding": "gzip"})
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert compressed.content == plain.content
    assert int(compressed.headers["content-length"]) < int(plain.headers["content-length"]) / 3


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_a_page_loads_little_script(page: str) -> None:
    """A page's modules together stay below 60 kB compressed."""
    modules = [f"{page}.js", *assets().imports(f"{page}.js")]
    assert sum(len(gzip.compress(_body(name))) for name in modules) <= SCRIPT_LIMIT


def test_the_stylesheet_is_small() -> None:
    """The one stylesheet stays below 15 kB compressed."""
    assert len(gzip.compress(_body(STYLE))) <= STYLE_LIMIT


def test_every_import_is_a_file_beside_it() -> None:
    """Modules import each other by relative paths, nothing from elsewhere, and what they import is there."""
    for path in sorted(STATIC.glob("*.js")):
        for name in map("".join, re.findall(IMPORTED, path.read_text(encoding="utf-8"), re.MULTILINE)):
            assert name.startswith("./"), (path.name, name)
            assert name.removeprefix("./") in assets().names, (path.name, name)


def test_every_icon_is_in_the_sprite() -> None:
    """Each icon that a module or template asks for is drawn."""
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text(encoding="utf-8")))
    sources = [path.read_text(encoding="utf-8") for path in sorted(STATIC.glob("*.js"))]
    folder = STATIC.parent / "templates"
    pages = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.html"))]
    calls = (
        r"""(?:\bicon|\bround|\bempty)\(["']([\w-]+)["']|symbol: ["']([\w-]+)["']"""
        r"""|notice\("\w+", "([\w-]+)\""""
    )
    used = {name for text in sources + pages for found in re.findall(calls, text) for name in found if name}
    assert used - drawn == set()


def _body(name: str) -> bytes:
    found = assets().find(assets().digest, name)
    assert found is not None
    return found.body
