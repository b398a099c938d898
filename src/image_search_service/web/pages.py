"""The HTML pages: each a frame that its module fills from the API.

A page holds no data of the library, only where its events are; who may have it is the guard's business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from image_search_service.core.access_token import Caller
from image_search_service.core.errors import ImageSearchError
from image_search_service.web.assets import STYLE, Assets
from image_search_service.web.catalogue import LANGUAGES, SOURCE, catalogue, choose

TEMPLATES: Final = Path(__file__).parent / "templates"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache", "Vary": "Cookie"}
FOR_GOOD: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class WebPage:
    """An address with its template and module, ``name``. place: which entry of the bar it belongs to."""

    path: str
    name: str
    place: str


PAGES: Final = (
    WebPage("/review", "review", "review"),
    WebPage("/people", "people", "people"),
    WebPage("/people/{person_id}", "person", "people"),
    WebPage("/groups", "groups", "groups"),
    WebPage("/groups/{group_id}", "group", "groups"),
    WebPage("/alone", "alone", "groups"),
    WebPage("/photos", "photos", "photos"),
    WebPage("/photos/{asset_id}", "photo", "photos"),
    WebPage("/conflicts", "conflicts", "conflicts"),
    WebPage("/history", "history", "history"),
    WebPage("/jobs", "jobs", "jobs"),
    WebPage("/welcome", "welcome", "welcome"),
    WebPage("/settings", "settings", "settings"),
    WebPage("/docs", "docs", "docs"),
)


Bookmark = Callable[[], str]
"""Gives where the library's events are, for ``GET /api/v1/events?after=``: a page's stream begins there."""


def add_pages(app: FastAPI, bookmark: Bookmark = str) -> None:
    """Puts the pages and their static files into the application."""
    app.include_router(page_router(bookmark))


def page_router(bookmark: Bookmark) -> APIRouter:
    """``/``, each page of ``PAGES`` and ``/static``. None of them is part of the documented API."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/", _start, name="page_start")
    router.add_api_route("/favicon.ico", _favicon, name="favicon")
    router.add_api_route("/static/{digest}/{name:path}", _static, name="static_file")
    for page in PAGES:
        router.add_api_route(
            page.path, _route(page, bookmark), name=f"page_{page.name}", response_class=HTMLResponse
        )
    return router


def token_page(request: Request, command: str) -> HTMLResponse:
    """For whoever comes without a token: where to find it. command: what prints the address."""
    page = WebPage("/", "token", "")
    return HTMLResponse(_render(page, request, command=command), 401, HEADERS)


def _start(request: Request) -> RedirectResponse:
    return RedirectResponse(f"{root_of(request)}/review", 303)


def _favicon(request: Request) -> RedirectResponse:
    return RedirectResponse(_asset_url(root_of(request), "mark.svg"), 307)


def _static(digest: str, name: str, request: Request) -> Response:
    asset = assets().find(digest, name)
    if asset is None:
        return Response("There is no such file.", 404, media_type="text/plain")
    headers = {"Cache-Control": FOR_GOOD, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.compressed, headers=headers, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)


def _route(page: WebPage, bookmark: Bookmark) -> Any:
    def show(request: Request) -> HTMLResponse:
        return HTMLResponse(_render(page, request, events=_now(bookmark)), headers=HEADERS)

    return show


def _now(bookmark: Bookmark) -> str:
    """Where the events are; empty while the database does not answer, as the page's requests will say."""
    try:
        return bookmark()
    except ImageSearchError:
        return ""


def _render(page: WebPage, request: Request, **more: str) -> str:
    language = choose(request.cookies.get("language"), request.headers.get("accept-language"))
    theme = request.cookies.get("theme")
    words = catalogue(language)
    return (
        _environment(root_of(request))
        .get_template(f"{page.name}.html")
        .render(
            page=page,
            language=language,
            languages=LANGUAGES,
            theme=theme if theme in {"light", "dark"} else None,
            keys_off=request.cookies.get("keys") == "off",
            fixed_name=_fixed_name(request),
            _=words.one,
            **more,
        )
    )


def _fixed_name(request: Request) -> str | None:
    """The name that comes with the browser's token; None if one may be chosen."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return None if caller is None else caller.fixed_name


@cache
def assets() -> Assets:
    """The static files, with the words of each language as JSON."""
    languages = {f"words/{name}.json": catalogue(name).as_json() for name in LANGUAGES if name != SOURCE}
    return Assets(made=languages)


def root_of(request: Request) -> str:
    """The path below which a proxy serves us: what every address in a page begins with. Empty without one."""
    root: str = request.scope.get("root_path", "")
    return root


@cache
def _environment(root: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        root=root,
        asset=partial(_asset_url, root),
        icon=partial(_icon, root),
        imports=assets().imports,
        style=STYLE,
    )
    return environment


def _asset_url(root: str, name: str) -> str:
    return root + assets().url(name)


def _icon(root: str, name: str, more: str = "") -> Markup:
    url = _asset_url(root, "icons.svg")
    return Markup('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
        more, url, name
    )
