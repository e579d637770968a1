"""Settings of a clinic: what `bonewise clinic set` changes, with the same checks, and the keys of programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from scheduler.domain.people import Channel, StopScope
from scheduler.domain.staff_mail import StaffMailKind
from scheduler.ports import Outcome
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.clinic_fields import ClinicFaultError, read_clock
from scheduler.services.clinic_settings import NONE, YES, OfficeSettings, set_clinic
from scheduler.services.staff_mail import plan_staff_mail
from scheduler.services.trying_out import TestTextError, send_test_text
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import staff_page
from scheduler.web.staff.session import Admin, wall_time

router = APIRouter(prefix="/settings")

_FAULT = re.compile(r"--([a-z-]+)(?: [^:]*)?: (.*)", re.DOTALL)
_LONGEST = 4000  # characters of one field
_LATELY = 60  # seconds within which one test mail goes


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was refused: beside which field, why, and what had been typed."""

    section: str
    field: str
    says: str
    typed: Mapping[str, str]


def _clinic(typed: Mapping[str, str]) -> OfficeSettings:
    return OfficeSettings(
        name=typed.get("name"),
        message_name=typed.get("message_name"),
        timezone=typed.get("timezone"),
        language=typed.get("language"),
        phone=_or_none(typed, "phone"),
    )


def _messages(typed: Mapping[str, str]) -> OfficeSettings:
    hours = [name for name in ("window_start", "window_end") if name in typed]
    for name in hours:
        read_clock(f"--{name.replace('_', '-')}", typed[name])  # so that a fault stands beside the one that has it
    scope = typed.get("stop_scope")
    if scope is not None and scope not in list(StopScope):
        raise ClinicFaultError("--stop-scope: choose one of the two")
    return OfficeSettings(
        window=f"{typed.get('window_start', '')}-{typed.get('window_end', '')}" if hours else None,
        contact_time=typed.get("contact_time"),
        stop_scope=scope,
        confirm_numbers=YES if "confirm_numbers" in typed else "no",
        name_on_shared=YES if "name_on_shared" in typed else "no",
    )


def _office(typed: Mapping[str, str]) -> OfficeSettings:
    return OfficeSettings(
        holidays=_or_none(typed, "holidays"),
        closed_in_all=tuple(typed["closed"].split()) if "closed" in typed else None,
        digest_to=_or_none(typed, "digest_to"),
        digest_at=_or_none(typed, "digest_at"),
        duty_email=_or_none(typed, "duty_email"),
    )


def _senders(typed: Mapping[str, str]) -> OfficeSettings:
    return OfficeSettings(
        sms_from=_or_none(typed, "sms_from"),
        messaging_service=_or_none(typed, "messaging_service"),
        mps=_or_none(typed, "mps"),
        email_from=_or_none(typed, "email_from"),
    )


def _pathways(typed: Mapping[str, str]) -> OfficeSettings:
    return OfficeSettings(pathways=tuple(name.partition(":")[2] for name in typed if name.startswith("pathway:")))


SECTIONS: Mapping[str, Callable[[Mapping[str, str]], OfficeSettings]] = {
    "clinic": _clinic,
    "messages": _messages,
    "office": _office,
    "senders": _senders,
    "pathways": _pathways,
}


_SAVED = {"messages": "Saved. The hours hold from now on; who was planned for others is planned anew within minutes."}


@router.get("")
def settings(request: Request, site: Here, who: Admin) -> Response:
    """Everything that can be set."""
    return settings_page(request, site, who)


@router.post("/test-mail")
def test_mail(request: Request, site: Here, who: Admin, fields: OwnLongFields) -> Response:
    """Send a mail from the clinic's sender to whoever asks for it."""
    if who.clinic.email_from is None:
        says = "There is no sender for e-mail yet. Give one, save it, and try again."
        return settings_page(request, site, who, wrong=Wrong("senders", "email_from", says, {}))
    now = site.app.clock.now()
    with site.app.store.writing() as unit:
        is_new = plan_staff_mail(
            unit,
            who.clinic,
            kind=StaffMailKind.TEST,
            to=who.account.email,
            subject=f"Test from {who.clinic.message_name}",
            text=f"This is a test. Mail from {who.clinic.email_from} arrives.\n\nNothing needs to be done.",
            cause=f"test:{who.account.id}:{int(now.timestamp()) // _LATELY}",
            now=now,
        )
        unit.installation.audit([(who.clinic.id, "test mail sent", None, "")], actor=who.account.email, now=now)
    sent = f"A test mail is on its way to {who.account.email}."
    return settings_page(request, site, who, said=sent if is_new else "A test mail went within the last minute.")


@router.post("/test-text")
def test_text(request: Request, site: Here, who: Admin, fields: OwnLongFields) -> Response:
    """Send a text from the clinic's sender to a number that whoever asks for it types."""
    app, typed = site.app, fields.get("test_number", "")
    try:
        tried = send_test_text(
            app.store,
            app.delivery,
            who.clinic,
            typed,
            by=who.account.email,
            now=app.clock.now(),
            wall=wall_time(),
        )
    except TestTextError as error:
        says = str(error)
        wrong = Wrong("senders", "test_number", f"{says[:1].upper()}{says[1:]}.", {"test_number": typed})
        return settings_page(request, site, who, wrong=wrong)
    match tried.outcome:
        case Outcome.ACCEPTED:
            said = f"The provider has taken the test text to {tried.number}."
        case Outcome.UNKNOWN:
            said = f"The provider gave no answer. The test text to {tried.number} may have gone, or not."
        case _:
            meaning = app.meaning_of_failure(Channel.SMS, tried.code or "")
            why = f" ({meaning})" if meaning else ""
            says = f"The provider did not take it: {tried.code or 'without a code'}{why}."
            wrong = Wrong("senders", "test_number", says, {"test_number": typed})
            return settings_page(request, site, who, wrong=wrong)
    return settings_page(request, site, who, said=said)


@router.post("/{section}")
def change(request: Request, site: Here, who: Admin, section: str, fields: OwnLongFields) -> Response:
    """Change one part; all of it or, when something is wrong, nothing."""
    read = SECTIONS.get(section)
    if read is None:
        raise HTTPException(404, "There is no such part of the settings.")
    typed = {name: value[:_LONGEST] for name, value in fields.items()}
    app = site.app
    try:
        wanted = read(typed)
        set_clinic(
            app.store,
            app.calendars,
            who.clinic,
            wanted,
            now=app.clock.now(),
            rules=app.rules,
            by=who.account.email,
            doubts=app.doubts_about_name,
        )
    except ClinicFaultError as error:
        field, says = _placed(str(error))
        return settings_page(request, site, who, wrong=Wrong(section, field, says, typed))
    return RedirectResponse(f"/settings?saved={section}#{section}", status_code=303)


def settings_page(
    request: Request,
    site: Site,
    who: SignedIn,
    *,
    wrong: Wrong | None = None,
    said: str = "",
    new_key: tuple[str, str] | None = None,
) -> Response:
    """The page of all settings; `new_key` is the name of a key and the key itself, shown this once."""
    app, saved = site.app, request.query_params.get("saved", "")
    with app.store.reading() as unit:
        clinic = unit.installation.clinic(who.clinic.code) or who.clinic
        keys = unit.api_keys.of_clinic(clinic.id)
    on = clinic.pathways
    return staff_page(
        request,
        site,
        who,
        "settings.html",
        status=200 if wrong is None else 422,
        here="/settings",
        clinic=clinic,
        wrong=wrong,
        said=said or _SAVED.get(saved, "Saved." if saved in SECTIONS else ""),
        calendars=sorted(app.calendars),
        languages=app.languages,
        pathways=sorted(app.rules.pathways.values(), key=lambda one: one.priority),
        is_on={
            name: name in on if on is not None else name not in app.rules.off_by_default
            for name in app.rules.pathways
        },
        keys=[one for one in keys if one.revoked_at is None],
        revoked=[one for one in keys if one.revoked_at is not None],
        new_key=new_key,
    )


def _or_none(typed: Mapping[str, str], name: str) -> str | None:
    """What was typed; an empty field takes the value away, and one that was not there says nothing."""
    value = typed.get(name)
    return value if value is None else value.strip() or NONE


def _placed(fault: str) -> tuple[str, str]:
    """The field that a fault is about, and the fault in words that need no command line."""
    found = _FAULT.fullmatch(fault)
    if found is None:
        return "message_name" if "opens every message" in fault else "", fault
    field, says = found[1].replace("-", "_"), re.sub(r"--([a-z-]+)", lambda one: one[1].replace("-", " "), found[2])
    return {"window": "window_start"}.get(field, field), says[:1].upper() + says[1:]
