"""What people see when something is wrong: what it is and what to do, never a traceback."""

from __future__ import annotations

import logging
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.exceptions import HTTPException

from scheduler.web.security import HEADERS
from scheduler.web.staff.drafts import keep_sent
from scheduler.web.staff.session import SignInNeeded
from scheduler.web.tongues import N_, language_for

_TITLES = {
    403: N_("This was refused"),
    404: N_("There is nothing here"),
    405: N_("This cannot be done here"),
    413: N_("That is too long"),
    415: N_("This was not understood"),
    421: N_("This is not my address"),
    500: N_("Something went wrong here"),
    503: N_("Not ready just now"),
}
_REMEDIES = {
    404: N_("The address may be mistyped, or the page does not exist in this installation."),
    405: N_("Go back to the page you came from and try again from there."),
    500: N_("It has been logged. Try again in a moment."),
}
_NO_DATABASE = N_("The database cannot be reached. Try again in a moment; the log says why.")
_MACHINES = ("/hooks/", "/metrics", "/healthz", "/readyz")  # their callers read text, not pages

_log = logging.getLogger(__name__)


def add_handlers(web: FastAPI, *, store_unavailable: type[Exception]) -> None:
    """Give every way to fail its page."""

    async def on_http(request: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else 500
        said = error.detail if isinstance(error, HTTPException) and error.detail != _standard(code) else ""
        answer = problem(request, code, said)
        if isinstance(error, HTTPException) and error.headers:
            answer.headers.update(error.headers)
        return answer

    async def on_bad_request(request: Request, _: Exception) -> Response:
        return problem(request, 404)

    async def on_store(request: Request, error: Exception) -> Response:
        _log.error("%s", error)
        return problem(request, 503, _NO_DATABASE)

    async def on_fault(request: Request, _: Exception) -> Response:
        return problem(request, 500)  # Starlette logs it, with its traceback

    async def on_nobody(request: Request, error: Exception) -> Response:
        target = error.target if isinstance(error, SignInNeeded) else "/"
        query = "" if target == "/" else f"?{urlencode({'next': target})}"
        answer = RedirectResponse(f"/sign-in{query}", status_code=303)
        await keep_sent(request, answer)
        return answer

    web.add_exception_handler(SignInNeeded, on_nobody)
    web.add_exception_handler(HTTPException, on_http)
    web.add_exception_handler(RequestValidationError, on_bad_request)
    web.add_exception_handler(store_unavailable, on_store)
    web.add_exception_handler(Exception, on_fault)


def problem(request: Request, code: int, said: str = "") -> Response:
    """The page for an HTTP error; plain text for machines."""
    title = _TITLES.get(code, N_("This did not work"))
    text = said or _REMEDIES.get(code, N_("Go back and try again."))
    if request.url.path.startswith("/api/"):
        return JSONResponse({"title": title, "detail": text}, status_code=code, headers=HEADERS)
    if request.url.path.startswith(_MACHINES):
        return PlainTextResponse(f"{title}. {text}\n", status_code=code, headers=HEADERS)
    pages = request.app.state.site.pages
    language = language_for(request.headers.get("accept-language", ""), pages.words)
    page = pages.html(
        "problem.html",
        language=language,
        title=pages.words.one(language, title),
        text=pages.words.one(language, text),
    )
    return HTMLResponse(page, status_code=code, headers=HEADERS)


def _standard(code: int) -> str:
    return HTTPStatus(code).phrase
