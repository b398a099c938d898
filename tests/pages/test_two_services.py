"""A page that goes on while the services behind its proxy come and go."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from image_search_service.core.access_token import read_token
from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library
from image_search_service.services.jobs.service import JobKind, JobService
from tests.e2e.nginx import MISSING, PROXY, ROOT, nginx, nginx_before
from tests.pages.browser import PATIENCE
from tests.pages.screens import Screen
from tests.support.served import bind, no_bar
from tests.support.servers import servers
from tests.support.service_processes import free_port, serving

pytestmark = pytest.mark.depth
REDIS_DATABASE = 14
"""Not the one that other tests put their queues into."""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What services of one library are told, whose stores are servers."""
    with servers(tmp_path, REDIS_DATABASE) as told:
        yield told | {"require_token": True}


def test_a_page_hears_of_what_happened_while_no_service_ran(
    settings: dict[str, Any], tmp_path: Path, browser: Browser
) -> None:
    """When its service has gone and no other runs, the proxy refuses the page's stream of events; once one
    runs again, the page hears of a job that was cancelled meanwhile, without being loaded again."""
    program = nginx()
    if program is None:
        pytest.skip(MISSING)
    (tmp_path / "nginx").mkdir()
    ports, port = [free_port(), free_port()], free_port()
    behind = {"public_url": f"https://localhost:{port}{ROOT}", "forwarded_allow_ips": PROXY}
    stores = {name: value for name, value in settings.items() if name != "require_token"}
    with (
        open_library(Settings(**stores), lambda _: None, no_bar) as library,
        nginx_before(program, ports, port, tmp_path / "nginx") as proxy,
        browser.new_context(ignore_https_errors=True) as visitor,
    ):
        bind(library)
        jobs = JobService(library.database, lambda _: None)
        visitor.set_default_timeout(PATIENCE)
        page = visitor.new_page()
        with serving(settings | behind | {"port": ports[0]}) as first:
            page.goto(f"{proxy.address}/?token={read_token(library.paths.token)}")
            page.goto(f"{proxy.address}/jobs")
            Screen(page).settled()
            job = jobs.submit(JobKind.FIND_CONFLICTS, {"everybody": False})  # the stream tells of it
            shown = page.locator(f"[data-job='{job.id}']")
            expect(shown).to_contain_text("waits for its turn")
            first.kill()
            first.communicate()
        page.wait_for_event("response", lambda answer: answer.status == HTTPStatus.BAD_GATEWAY)
        jobs.cancel(job.id)
        with serving(settings | behind | {"port": ports[1]}):
            expect(shown).to_contain_text("cancelled")
