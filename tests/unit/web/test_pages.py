"""The HTML pages: their headers, what they may load, their language."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.testclient import TestClient

from image_search_service.core.errors import UnavailableError
from image_search_service.web.pages import PAGES, add_pages, token_page

ADDRESSES = [re.sub(r"\{\w+\}", "3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01", page.path) for page in PAGES]


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    add_pages(app)

    @app.get("/token")
    def token(request: Request) -> HTMLResponse:
        return token_page(request, "image-search address")

    return TestClient(app)


@pytest.mark.parametrize("path", [*ADDRESSES, "/token"])
def test_a_page_may_load_nothing_from_elsewhere(client: TestClient, path: str) -> None:
    """Every page forbids inline scripts, inline styles, foreign hosts and frames around it."""
    policy = client.get(path).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy


@pytest.mark.parametrize("path", [*ADDRESSES, "/token"])
def test_a_page_keeps_to_its_policy(client: TestClient, path: str) -> None:
    """No page has an inline script, a style or a handler in an attribute, or an address of another host."""
    html = client.get(path).text
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", html)


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_page_is_a_page(client: TestClient, path: str) -> None:
    """Every address answers with HTML that has a language, a title, one main heading, no text left open."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert '<html lang="en"' in answer.text
    assert re.search(r"<title>[^<]+ – image-search-service</title>", answer.text)
    assert answer.text.count("<h1") == 1
    assert "{{" not in answer.text


def test_the_start_leads_to_the_review(client: TestClient) -> None:
    """Whoever comes to the address without a path is led to the questions."""
    answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/review")


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}, "de"),
        ({"Accept-Language": "fr,de;q=0.5"}, "de"),
        ({"Accept-Language": "fr"}, "en"),
        ({"Accept-Language": "de", "Cookie": "language=en"}, "en"),
        ({"Cookie": "language=de"}, "de"),
        ({"Cookie": "language=../../etc"}, "en"),
    ],
)
def test_the_language_is_the_reader_s(client: TestClient, headers: dict[str, str], language: str) -> None:
    """What was chosen counts most, then what the browser accepts, then English."""
    html = client.get("/people", headers=headers).text
    assert f'<html lang="{language}"' in html
    assert ({"en": "People", "de": "Personen"}[language]) in html


def test_the_theme_is_there_from_the_first_moment(client: TestClient) -> None:
    """A chosen theme is in the page as it comes, and nothing but the two names is taken from the cookie."""
    assert 'data-theme="dark"' in client.get("/people", headers={"Cookie": "theme=dark"}).text
    assert 'data-theme="' not in client.get("/people", headers={"Cookie": 'theme="><b>'}).text


def test_a_page_says_where_the_events_are() -> None:
    """Its stream of events begins where they were when the page was made; a page whose database is away comes
    without that."""
    here = iter(["7.1764000000"])

    def bookmark() -> str:
        for found in here:
            return found
        raise UnavailableError("The database does not answer.")

    app = FastAPI(docs_url=None, redoc_url=None)
    add_pages(app, bookmark)
    opened = TestClient(app)
    assert 'data-events="7.1764000000"' in opened.get("/people").text
    away = opened.get("/people")
    assert (away.status_code, "data-events" in away.text) == (200, False)


def test_without_a_token_one_learns_where_it_is(client: TestClient) -> None:
    """The page for whoever has no token is a 401, needs no script, and names the command that prints it."""
    answer = client.get("/token")
    assert answer.status_code == 401
    assert "<code>image-search address</code>" in answer.text
    assert "<script" not in answer.text


def test_pages_are_no_part_of_the_documented_api() -> None:
    """The documentation lists the API's routes only."""
    app = FastAPI(docs_url=None, redoc_url=None)
    add_pages(app)
    assert app.openapi()["paths"] == {}
