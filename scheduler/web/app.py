"""The web application: every route in one place, and what holds for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from scheduler import __version__
from scheduler.bootstrap import App
from scheduler.web import clock, first_page, health, phones, twilio_hooks, unsubscribing
from scheduler.web.api import about, patients_api
from scheduler.web.live import Live, Wall
from scheduler.web.no_nul import NoNul
from scheduler.web.pages import STATIC, Pages
from scheduler.web.patient import answering, choices, knowing, opening
from scheduler.web.problems import add_handlers
from scheduler.web.security import SecurityHeaders
from scheduler.web.shedding import Shedding
from scheduler.web.site import Liveness, Site
from scheduler.web.staff import (
    agreeing,
    audit,
    bulk,
    care_plan,
    contact_data,
    drafts,
    enrolling,
    importing,
    keys,
    message_lists,
    messages,
    openid,
    pathways,
    patient_link,
    patients,
    people,
    reporting,
    results,
    second_factor,
    settings,
    signing,
    supplements,
    worklist,
    writing,
)

THREADS = 8
# What comes by the hundred a second first: routes are tried in this order.
ROUTERS = tuple(
    part.router
    for part in (
        twilio_hooks,
        first_page,
        clock,
        phones,
        health,
        unsubscribing,
        opening,
        answering,
        choices,
        knowing,
        enrolling,  # before what takes any MRN
        importing,
        bulk,
        patients,
        patient_link,
        results,
        writing,
        contact_data,
        agreeing,
        care_plan,
        message_lists,
        worklist,
        supplements,
        messages,
        pathways,
        people,
        reporting,
        keys,
        settings,
        audit,
        drafts,
        signing,
        openid,
        second_factor,
        patients_api,
        about,
    )
)


def create_app(app: App, *, scheduler: Liveness | None = None) -> FastAPI:
    """The web side of an installation. `scheduler` is the one in this process, if there is one.

    Everything that a request needs is made now. Raises what keeps the installation from serving.
    """
    app.warm_up()
    _ = app.openid  # asks nobody yet: a provider that does not answer keeps nothing from starting
    configured = app.settings
    web = FastAPI(
        title="Bonewise",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_few_threads,
    )
    web.state.site = Site(
        app, scheduler, Pages(configured.templates_dir, public_url=configured.public_url, words=app.ui_words)
    )
    web.state.live = Live(Wall(web.state.site).look, stopping=app.stopping.is_set, unavailable=app.store_unavailable)
    web.add_middleware(NoNul)
    web.add_middleware(Shedding)
    web.add_middleware(SecurityHeaders, is_https=configured.public_url.startswith("https://"))
    add_handlers(web, store_unavailable=app.store_unavailable)
    for router in ROUTERS:
        web.include_router(router)
    web.mount("/static", _Assets(directory=STATIC), name="static")
    return web


@asynccontextmanager
async def _few_threads(_: FastAPI) -> AsyncIterator[None]:
    """As many requests work at once as there are database connections for; the others wait their turn."""
    current_default_thread_limiter().total_tokens = THREADS
    yield


class _Assets(StaticFiles):
    """Our own style, script and mark. Their addresses change with their content, so browsers may keep them."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """As Starlette's, with leave to cache."""
        answer = super().file_response(*args, **kwargs)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer
