"""What a browser needs for the pages of a large library: to begin, to scroll, to answer a key.

    python -m benchmarks.browsing --faces 100000 --photos 50000 --people 5000

The library is made up, as by ``image-search bench library``, so that there are no photos behind its pictures.
``--library FOLDER`` keeps it, or measures one that was kept; groups are set aside there and brought back.
Chromium runs without a window (1,280 by 800); the wheel turns 240 pixels every 40 ms.

A task's processor time is of the page's own thread, by Chromium's trace: on a machine with other work it says
more than the clock. What the browser takes to collect what it no longer needs is given apart.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.made import library_options, made_library
from benchmarks.pages import serving
from benchmarks.report import machine, print_table
from image_search_service.core.records.faces import ClusterFilter
from image_search_service.library.opening import Library
from image_search_service.services.people.clusters import ClusterCatalogue
from image_search_service.services.people.persons import PersonCatalogue
from tests.pages.browser import MISSING, WIDE, chromium, opened_chromium

LISTS = ("/people", "/people/{person}", "/people/{person}#photos", "/groups", "/photos", "/alone")
SHOWN = (
    "#question .question, #question .ticks-grid, .cell img, .cell .group, .wall a, .entries li, .canvas .box"
)
"""The first that a page shows of the library."""
STEP, PAUSE, TURNS = 240, 0.04, 60
CATEGORIES = ["-*", "toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]
ANSWERS = 12

WATCH = """() => {
  window.seen = {nodes: 0, tasks: []};
  new PerformanceObserver((list) => { for (const task of list.getEntries()) seen.tasks.push(task.duration); })
    .observe({type: 'longtask'});
  const count = () => {
    seen.nodes = Math.max(seen.nodes, document.querySelectorAll('*').length);
    requestAnimationFrame(count);
  };
  count();
}"""
"""Keeps the longest tasks by the clock, and how many elements there were at most."""
FIRST = """(shown) => new Promise((done) => {
  const look = () => document.querySelector(shown)
    ? requestAnimationFrame(() => done(performance.now())) : setTimeout(look, 5);
  look();
})"""
"""Milliseconds from the beginning of the navigation to the first of the library."""
LOADED = """() => performance.getEntriesByType('resource')
  .filter((one) => !/[/](crop|picture|thumbnail)/.test(one.name))
  .map((one) => /[.](js|css)$/.test(one.name) ? one.encodedBodySize : 0)"""
"""Of each request without pictures the compressed bytes of a script or style."""
ANSWER = """() => {
  const place = document.querySelector('#question');
  const before = place.firstElementChild;
  window.shown = new Promise((done) => {
    const begin = (event) => {
      const look = () => place.firstElementChild === before
        ? requestAnimationFrame(look) : done(performance.now() - event.timeStamp);
      requestAnimationFrame(look);
    };
    addEventListener('keydown', begin, {once: true, capture: true});
  });
}"""
"""Milliseconds from a key to the frame that shows the next question."""


def main() -> None:
    given = library_options(__doc__).parse_args()
    program = chromium()
    if program is None:
        raise SystemExit(MISSING)
    with (
        tempfile.TemporaryDirectory(prefix="image-search-trace-") as folder,
        made_library(given) as library,
        serving(library) as port,
        opened_chromium(program) as browser,
    ):
        measure(browser, f"http://127.0.0.1:{port}", library, Path(folder))


def measure(browser: Browser, address: str, library: Library, folder: Path) -> None:
    person = PersonCatalogue(library.database).page(limit=1).items[0].id
    group = ClusterCatalogue(library.database).page(ClusterFilter(), 1).items[0].id
    lists = [path.format(person=person) for path in LISTS]
    rows = [
        first_content(browser, address, path) for path in ("/review", *lists, f"/groups/{group}", "/history")
    ]
    print_table(f"first content, {machine()}", ("page", "ms", "requests", "script and style, bytes"), rows)
    scrolled = [scroll(browser, address, path, folder / "trace.json") for path in lists]
    columns = ("page", "longest, processor", "collecting, processor", "longest, clock", "elements")
    print_table(f"tasks while scrolling in ms, {machine()}", columns, scrolled)
    shown = sorted(answers(browser, address))
    print_table(
        f"from a key to the next question in ms, {machine()}",
        ("answers", "p50", "most"),
        [(str(len(shown)), f"{shown[len(shown) // 2]:.0f}", f"{shown[-1]:.0f}")],
    )


def opened(browser: Browser, address: str, path: str) -> Page:
    """A page of a new visitor, who has nothing in the browser's cache."""
    page = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, locale="en-GB").new_page()
    page.goto(address + path, wait_until="commit")
    return page


def named(path: str) -> str:
    """The page without the ids in its address."""
    return "/".join("…" if len(part) > 30 else part for part in path.replace("#", "/#").split("/"))


def first_content(browser: Browser, address: str, path: str) -> tuple[str, ...]:
    page = opened(browser, address, path)
    took = page.evaluate(FIRST, SHOWN)
    loaded = page.evaluate(LOADED)
    page.context.close()
    return named(path), f"{took:.0f}", str(1 + len(loaded)), str(sum(loaded))


def scroll(browser: Browser, address: str, path: str, trace: Path) -> tuple[str, ...]:
    """Down, up, and down again from the middle."""
    page = opened(browser, address, path)
    page.locator(SHOWN).first.wait_for()
    page.wait_for_timeout(1_000)
    page.evaluate(WATCH)
    page.mouse.move(640, 500)
    browser.start_tracing(page=page, path=trace, categories=CATEGORIES)
    for direction in (1, -1, 1):
        for _ in range(TURNS):
            page.mouse.wheel(0, direction * STEP)
            time.sleep(PAUSE)
        if direction < 0:
            page.evaluate("() => scrollTo(0, document.body.scrollHeight / 2)")
    browser.stop_tracing()
    seen = page.evaluate("() => seen")
    page.context.close()
    tasks = [*tasks_of(json.loads(trace.read_bytes())["traceEvents"])]
    work = max((took for took, collects in tasks if not collects), default=0.0)
    collecting = max((took for took, collects in tasks if collects), default=0.0)
    clock = max(seen["tasks"], default=0)
    return (
        named(path),
        f"{work:.0f}",
        f"{collecting:.0f}",
        f"{clock:.0f}" if clock else "< 50",
        str(seen["nodes"]),
    )


def tasks_of(events: list[dict[str, Any]]) -> Iterator[tuple[float, bool]]:
    """Of each task of the page: milliseconds of processor time, and whether a collection is most of it."""
    pages = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    own = [one for one in events if one.get("ph") == "X" and (one["pid"], one["tid"]) in pages]
    collections = [one for one in own if one["name"] in {"MajorGC", "MinorGC"}]
    for task in (one for one in own if one["name"] == "RunTask"):
        ends = task["ts"] + task["dur"]
        gone = sum(one.get("tdur", 0) for one in collections if task["ts"] <= one["ts"] < ends)
        yield task.get("tdur", 0) / 1e3, gone > task.get("tdur", 0) / 2


def answers(browser: Browser, address: str) -> Iterator[float]:
    """Groups are set aside by a key, then brought back by Ctrl+Z; other questions are skipped."""
    page = opened(browser, address, "/review")
    said = 0
    for _ in range(ANSWERS):
        page.locator(SHOWN).first.wait_for()
        page.wait_for_timeout(1_500)  # a person looks; the next questions come meanwhile
        asks_of_group = page.locator("#question .question.who, #question .question.is").count() > 0
        page.evaluate(ANSWER)
        page.keyboard.press("0" if asks_of_group else "s")
        said += asks_of_group
        yield page.evaluate("() => shown")
    for _ in range(said):
        page.keyboard.press("Control+z")
        page.wait_for_timeout(1_000)
    page.context.close()


if __name__ == "__main__":
    main()
