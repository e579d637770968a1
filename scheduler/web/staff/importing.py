"""Importing a list of patients: send it, say which column is which, look at what would happen, and let it happen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.requests import ClientDisconnect

from scheduler.domain.uploads import UploadState
from scheduler.ports.uploads import Upload
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.intake.fields import COLUMNS, REQUIRED
from scheduler.services.uploads.reading import Options, UploadError, options_of
from scheduler.services.uploads.report import from_json
from scheduler.web.forms import OwnFields
from scheduler.web.receiving import MOST_BYTES, NoFileError, TooLargeError, receive_file
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.session import Importer

router = APIRouter(prefix="/patients/import")

_COLUMN = "column:"  # before the name of a column of ours


@router.get("")
def lists(request: Request, site: Here, who: Importer) -> HTMLResponse:
    """A form to send a list, and those that were sent before."""
    return _lists(request, site, who)


@router.post("")
async def send(request: Request, site: Here, who: Importer) -> Response:
    """Take in a list, and go on to what is to be done with it."""
    desk = site.app.uploads
    file, sink = await run_sync(desk.create)
    try:
        with sink:
            name = await receive_file(request, site, sink)
    except (NoFileError, TooLargeError) as error:
        desk.discard(file)
        said, status = str(error), 422 if isinstance(error, NoFileError) else 413
        return await run_sync(lambda: _lists(request, site, who, wrong=said, status=status))
    except ClientDisconnect:
        desk.discard(file)
        return Response(status_code=400)  # which nobody reads
    except BaseException:  # such as a form that is not ours
        desk.discard(file)
        raise
    return await run_sync(lambda: _take_in(request, site, who, file=file, name=name))


def _take_in(request: Request, site: Site, who: SignedIn, *, file: str, name: str) -> Response:
    try:
        upload = site.app.uploads.take_in(who.clinic, file=file, name=name, by=who.account.email)
    except UploadError as error:
        return _lists(request, site, who, wrong=str(error), status=422)
    return RedirectResponse(f"/patients/import/{upload.id}", status_code=303)


def _sent(site: Here, who: Importer, upload_id: int) -> Upload:
    """The list that a request is about. Raises 404."""
    found = site.app.uploads.find(who.clinic, upload_id)
    if found is None:
        raise HTTPException(404, "This clinic has no such list.")
    return found


Sent = Annotated[Upload, Depends(_sent)]


@router.get("/{upload_id}")
def one(request: Request, site: Here, who: Importer, upload: Sent, columns: str = "") -> HTMLResponse:
    """Where a list stands, and what can be done with it; with `columns`, which of its columns is which."""
    return _one(request, site, who, upload, is_asking=bool(columns))


@router.post("/{upload_id}/check")
def check(request: Request, site: Here, who: Importer, upload: Sent, fields: OwnFields) -> Response:
    """Look at what importing the list would do."""
    try:
        options = _options(upload, fields)
        site.app.uploads.check(who.clinic, upload, options)
    except UploadError as error:
        return _one(request, site, who, upload, wrong=str(error), fields=fields)
    return _to(upload)


@router.post("/{upload_id}/run")
def run(request: Request, site: Here, who: Importer, upload: Sent, fields: OwnFields) -> Response:
    """Import the list."""
    try:
        site.app.uploads.run(who.clinic, upload, by=who.account.email)
    except UploadError as error:
        return _one(request, site, who, upload, wrong=str(error))
    return _to(upload)


@router.post("/{upload_id}/cancel")
def cancel(request: Request, site: Here, who: Importer, upload: Sent, fields: OwnFields) -> Response:
    """Delete the list; what has been imported of it stays."""
    try:
        site.app.uploads.cancel(who.clinic, upload, by=who.account.email)
    except UploadError as error:
        return _one(request, site, who, upload, wrong=str(error))
    return _to(upload)


@router.get("/{upload_id}/rejected")
def rejected(site: Here, who: Importer, upload: Sent) -> FileResponse:
    """The rows that were rejected, each with its reasons, to be corrected and sent again."""
    path = site.app.uploads.rejected_file(upload)
    if path is None or upload.state.is_at_work:
        raise HTTPException(404, "The rejected rows are no longer kept. Send the list again to see them.")
    now = site.app.clock.now()
    with site.app.store.writing() as unit:
        entry = (who.clinic.id, "rejected rows downloaded", None, f"list {upload.id}")
        unit.installation.audit([entry], actor=who.account.email, now=now)
    is_csv = upload.kind == "csv"
    return FileResponse(
        path,
        media_type="text/csv; charset=utf-8" if is_csv else "application/x-ndjson",
        filename=f"rejected-{upload.id}.{'csv' if is_csv else 'ndjson'}",
    )


def _options(upload: Upload, fields: Mapping[str, str]) -> Options:
    """What somebody said about the list. Raises `UploadError`."""
    if upload.kind != "csv":
        return Options(grant_consent=bool(fields.get("grant_consent")))
    chosen = {name: fields.get(f"{_COLUMN}{name}", "") for name in COLUMNS}
    places: dict[str, int] = {}
    for name, place in chosen.items():
        if not place:
            continue
        if not (place.isascii() and place.isdecimal() and len(place) < 6):
            raise UploadError(f"The column for {_title(name)} is not one of this file. Choose again.")
        if int(place) in places.values():
            other = next(known for known, at in places.items() if at == int(place))
            raise UploadError(f"One column cannot be both {_title(other)} and {_title(name)}. Choose again.")
        places[name] = int(place)
    if missing := [_title(name) for name in REQUIRED if name not in places]:
        raise UploadError(f"Say which column holds the {' and the '.join(missing)}: every patient needs it.")
    return Options(places=places)


_TITLES = {
    "mrn": "record number",
    "name": "name",
    "birth_date": "date of birth",
    "phone": "mobile number",
    "email": "e-mail address",
    "timezone": "time zone",
    "contact_time": "time of day",
    "channel": "way to write to them first",
    "sms_consent": "consent to texts",
    "email_consent": "consent to e-mails",
    "consent_date": "date of consent",
    "exercise_days": "days for movement",
}


def _title(column: str) -> str:
    return _TITLES.get(column, column.replace("_", " "))


def _to(upload: Upload) -> RedirectResponse:
    return RedirectResponse(f"/patients/import/{upload.id}", status_code=303)


def _lists(
    request: Request, site: Site, who: SignedIn, *, wrong: str | None = None, status: int = 200
) -> HTMLResponse:
    return staff_page(
        request,
        site,
        who,
        "import.html",
        status=status,
        here="/patients",
        wrong=wrong,
        sent=site.app.uploads.history(who.clinic),
        most_megabytes=MOST_BYTES // 1_000_000,
        zone=who.clinic.timezone,
    )


def _one(
    request: Request,
    site: Site,
    who: SignedIn,
    upload: Upload,
    *,
    wrong: str | None = None,
    is_asking: bool = False,
    fields: Mapping[str, str] | None = None,
) -> HTMLResponse:
    desk = site.app.uploads
    is_there, headings = desk.is_there(upload), None
    asks = upload.state is UploadState.NEW or is_asking or fields is not None
    if upload.kind == "csv" and is_there and asks and not upload.state.is_at_work:
        headings = desk.headings(who.clinic, upload)
    places = {name: str(at) for name, at in headings.places.items()} if headings else {}
    typed = {name: (fields or {}).get(f"{_COLUMN}{name}", "") for name in COLUMNS}
    return staff_page(
        request,
        site,
        who,
        "import_one.html",
        status=200 if wrong is None else 422,
        here="/patients",
        upload=upload,
        state=upload.state.value,
        wrong=wrong,
        is_there=is_there,
        asks=asks and is_there and not upload.state.is_at_work,
        headings=headings,
        places=places if fields is None else typed,
        titles={name: _title(name) for name in COLUMNS},
        required=REQUIRED,
        grants_consent=options_of(upload).grant_consent,
        problems=from_json(upload.problems),
        has_rejected=desk.rejected_file(upload) is not None and not upload.state.is_at_work,
        heading_of=_heading_of(site, who, upload),
        now=clinic_now(site, who),
        zone=who.clinic.timezone,
    )


def _heading_of(site: Site, who: SignedIn, upload: Upload) -> dict[str, str]:
    """What the list itself calls our columns, while it is there."""
    places = options_of(upload).places
    if not places or upload.state is not UploadState.CHECKED or not site.app.uploads.is_there(upload):
        return {}
    names = site.app.uploads.headings(who.clinic, upload).names
    return {name: names[at] for name, at in places.items() if at < len(names)}
