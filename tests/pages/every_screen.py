"""The addresses of all screens of a library, so that each of them is looked at."""

from __future__ import annotations

from tests.pages.browser import Site


def every_screen(site: Site) -> dict[str, str]:
    """The address of each screen by its name; person, group and photo are the first ones of their lists."""
    person = site.get("/persons?order=faces&limit=1")["items"][0]["id"]
    group = site.get("/faces/clusters?limit=1")["items"][0]["id"]
    photo = site.get(f"/assets?person_id={person}&limit=1")["items"][0]["asset_id"]
    return {
        "review": "/review",
        "people": "/people",
        "person": f"/people/{person}",
        "suggestions": f"/people/{person}#suggestions",
        "groups": "/groups",
        "group": f"/groups/{group}",
        "alone": "/alone",
        "photos": "/photos",
        "photo": f"/photos/{photo}",
        "conflicts": "/conflicts",
        "history": "/history",
        "jobs": "/jobs",
        "welcome": "/welcome",
        "settings": "/settings",
        "docs": "/docs",
    }
