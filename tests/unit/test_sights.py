"""The list of what there is to see has every page of the service."""

from __future__ import annotations

from fastapi.routing import APIRoute

from scheduler.web.app import ROUTERS
from tests.support.sights import SIGHTS, Sight

# What a GET may bring that is no page to look at.
NO_PAGES = {
    "/api/v1/openapi.json",
    "/api/v1/patients/{mrn}",
    "/audit/trail.csv",
    "/healthz",
    "/messages/{pathway}/{message}/{language}",  # drawn in a frame of a page
    "/metrics",
    "/p/{token}/go-on",  # only while words of danger hold activities; has tests of its own
    "/p/{token}/reminders.ics",
    "/patients/found",  # rows of a page
    "/patients/import/{upload_id}/rejected",
    "/phones/events",
    "/phones/mails/{number}/body",  # drawn in a frame of a page
    "/phones/wall",  # a part of a page
    "/readyz",
    "/reports/{name}.csv",
    "/reset/{token}",  # the same page as an invitation
    "/sign-in/openid",  # only with a provider of identities; has tests of its own
    "/sign-in/openid/back",
    "/second-factor",  # the page for a code, opened by whoever came in by a provider
}


def shown_at(sight: Sight) -> str:
    """The path of the page that is looked at, with something in place of what differs."""
    path = sight.shows or sight.path.partition("?")[0]
    if path.startswith("{"):
        path = "/p/token" + path.partition("}")[2]
    return path.replace("*", "1")


def test_every_page_is_a_sight() -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    pages = {route.path: route.path_regex for route in routes if "GET" in (route.methods or ())}
    assert len(pages) > 40
    assert pages.keys() >= NO_PAGES
    shown = [shown_at(sight) for sight in SIGHTS]
    missing = [
        path
        for path, pattern in pages.items()
        if path not in NO_PAGES and not any(pattern.match(each) for each in shown)
    ]
    assert missing == [], "add them in tests/support/sights"
