"""Enrolling a patient: one page, checked while it is filled in, with the words of consent as they are read out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

from babel import Locale, UnknownLocaleError
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from scheduler.domain.calendar import Weekday
from scheduler.domain.languages import base_language, language_chain, normalise_language
from scheduler.domain.people import TOLD_TO_STAFF, Channel, Mobility, RiskFactor
from scheduler.domain.zones import zone_names
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.desk_enrolment import Checked, DeskEnrolment, NewPatient, Words
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.session import Carer

router = APIRouter(prefix="/patients/new")

_PLAIN = (
    "mrn",
    "name",
    "birth_date",
    "phone",
    "email",
    "language",
    "timezone",
    "contact_time",
    "channel",
    "mobility",
)
_SEPARATOR = ":"  # between the name of a group of boxes and that of a box in it
_TICKED = "yes"


@dataclass(frozen=True, slots=True)
class _Choices:
    """The boxes that can be ticked, by group."""

    pathways: Mapping[str, str]  # titles by name
    usual: frozenset[str]  # the pathways that everybody is put on

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        return {
            "pathways": tuple(self.pathways),
            "exercise_days": tuple(day.name.lower() for day in Weekday),
            "risk_factors": tuple(RiskFactor),
        }


@router.get("")
def show(request: Request, site: Here, who: Carer) -> HTMLResponse:
    """The empty form. No box of consent is ticked."""
    usual = {f"pathways{_SEPARATOR}{name}": _TICKED for name in _choices(site, who).usual}
    typed = {"language": who.clinic.language, "mobility": Mobility.WALKING.value, **usual}
    return _page(request, site, who, typed)


@router.post("")
def enrol(request: Request, site: Here, who: Carer, fields: OwnLongFields) -> Response:
    """Enrol the patient, and show their page; or the form as it was typed, with what is wrong beside each field."""
    new, unticked = _new_patient(site, who, fields)
    desk = _desk(site, who)
    checked = desk.check(new) if unticked else desk.enrol(new)
    if unticked or checked.errors or (checked.warnings.keys() - new.seen and not checked.is_known):
        return _page(request, site, who, fields, checked=checked, unticked=unticked)
    assert checked.draft is not None  # noqa: S101 - nothing is wrong with it
    return RedirectResponse(f"/patients/{quote(checked.draft.mrn, safe='')}?enrolled=yes", status_code=303)


@router.post("/check")
def check(site: Here, who: Carer, fields: OwnLongFields) -> JSONResponse:
    """What would be said to the form as it is now, and the words of consent in its language. Changes nothing."""
    new, unticked = _new_patient(site, who, fields)
    checked = _desk(site, who).check(new)
    language = _language(site, who, fields)
    return JSONResponse(
        {
            "errors": {**unticked, **checked.errors},
            "warnings": checked.warnings,
            "language": language,
            "words": {channel: {"mark": one.mark, "text": one.text} for channel, one in new.words.items()},
        }
    )


def _desk(site: Site, who: SignedIn) -> DeskEnrolment:
    app = site.app
    return DeskEnrolment(app.store, app.rules, who.clinic, by=who.account.email, now=app.clock.now())


def _new_patient(site: Site, who: SignedIn, fields: Mapping[str, str]) -> tuple[NewPatient, dict[str, str]]:
    """What was typed, and what is wrong that only the form can know."""
    choices, unticked = _choices(site, who), {}
    cells = {name: fields.get(name, "") for name in _PLAIN}
    for group, names in choices.groups.items():
        cells[group] = ";".join(name for name in names if fields.get(f"{group}{_SEPARATOR}{name}"))
    if not cells["pathways"]:
        unticked["pathways"] = "Choose at least one pathway."
    elif set(cells["pathways"].split(";")) == choices.usual:
        cells["pathways"] = ""  # as a list that does not name any
    if len(cells["exercise_days"].split(";")) == len(Weekday):
        cells["exercise_days"] = ""
    words = words_of_consent(site, who, _language(site, who, fields))
    agreed = {one: fields.get(f"{one}_words", "") for one in Channel if fields.get(f"{one}_consent")}
    new = NewPatient(
        cells=cells,
        agreed=agreed,
        told=fields.get("consent_source", ""),
        agreed_on=fields.get("consent_date", ""),
        words=words,
        seen=frozenset(fields.get("seen", "").split()),
    )
    return new, unticked


def words_of_consent(site: Site, who: SignedIn, language: str) -> dict[Channel, Words]:
    """What a patient agrees to, by channel. The mark has a digest of the words: it never stands for others."""
    found = {}
    for channel in Channel:
        page = site.pages.html(
            "staff/_consent_words.html", language=language, channel=channel.value, clinic=who.clinic.name
        )
        text = " ".join(page.split())
        found[channel] = Words(f"enrol-{channel}-{language}-{sha256(text.encode()).hexdigest()[:12]}", text)
    return found


def _language(site: Site, who: SignedIn, fields: Mapping[str, str]) -> str:
    """The language that the words of consent are shown in."""
    tag = normalise_language(fields.get("language", "")[:64])
    return site.pages.words.choose(language_chain(tag, who.clinic.language))


def _choices(site: Site, who: SignedIn) -> _Choices:
    rules = site.app.rules
    titles = {name: pathway.title for name, pathway in rules.pathways.items()}
    usual = who.clinic.pathways
    return _Choices(titles, frozenset(titles) - rules.off_by_default if usual is None else usual & titles.keys())


@lru_cache(maxsize=256)
def language_name(tag: str) -> str:
    """What a language is called in English; the tag itself when nobody knows."""
    try:
        return Locale.parse(tag, sep="-").get_display_name("en") or tag
    except (ValueError, UnknownLocaleError):
        return tag


def _languages(site: Site, who: SignedIn, chosen: str) -> dict[str, str]:
    tags = sorted({*site.app.languages, who.clinic.language} | ({chosen} if len(chosen) <= 16 else set()) - {""})
    return {tag: language_name(tag) for tag in tags}


def _page(
    request: Request,
    site: Site,
    who: SignedIn,
    typed: Mapping[str, str],
    *,
    checked: Checked | None = None,
    unticked: Mapping[str, str] | None = None,
) -> HTMLResponse:
    choices, language = _choices(site, who), _language(site, who, typed)
    errors = {**(checked.errors if checked else {}), **(unticked or {})}
    words = words_of_consent(site, who, language)
    # A tick stands for the words that were beside it.
    stale = [one for one in Channel if typed.get(f"{one}_words", words[one].mark) != words[one].mark]
    return staff_page(
        request,
        site,
        who,
        "new_patient.html",
        status=200 if checked is None else 422,
        here="/patients",
        typed={name: value for name, value in typed.items() if name not in {f"{one}_consent" for one in stale}},
        errors=errors,
        warnings=checked.warnings if checked else {},
        is_taken=checked.is_taken if checked else False,
        words=words,
        words_language=language,
        words_are_in=language_name(language),
        is_translated=base_language(language) == base_language(typed.get("language", "")[:64] or language),
        languages=_languages(site, who, typed.get("language", "")),
        zones=zone_names(),
        choices=choices,
        groups=choices.groups,
        mobilities=list(Mobility),
        told=[source.value for source in TOLD_TO_STAFF],
        today=clinic_now(site, who).date(),
    )
