"""The sample clinic: a dozen invented patients with some days behind them, to see the service work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from scheduler.domain.people import Channel
from scheduler.domain.when import instant, local_date
from scheduler.ports import Clock, Store
from scheduler.records import Clinic
from scheduler.services.advance import walk
from scheduler.services.clinics import NewClinic, add_clinic, add_staff
from scheduler.services.counting import count_clinic
from scheduler.services.enrol import Enroller
from scheduler.services.intake.assemble import draft_from_cells
from scheduler.services.intake.draft import IntakeDefaults, PatientDraft, PhoneCheck
from scheduler.services.replies import Inbound, receive
from scheduler.services.rules import Rules
from scheduler.services.sample_patients import SAMPLE_PATIENTS, SamplePatient
from scheduler.services.tick import Ticker

SAMPLE_CODE = "sample"
STAFF = {f"{role}@harbor-clinic.example": role for role in ("coordinator", "clinician", "admin", "viewer")}
_ENROLLED_AT = time(10)  # local time of the clinic
_BY = "sample"


class NotSimulatedError(ValueError):
    """The sample clinic is only for installations from which nothing leaves."""


class HandClock:
    """A clock that shows what it is told."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def show(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """The instant last shown, in UTC."""
        return self._now


@dataclass(frozen=True, slots=True, order=True)
class _Scene:
    """Something that happened to the sample clinic at an instant (UTC)."""

    at: datetime
    play: Callable[[datetime], object] = field(compare=False)


def load_sample(
    store: Store,
    rules: Rules,
    *,
    is_simulated: bool,
    now: datetime,
    ticker_at: Callable[[Clock], Ticker] | None = None,
) -> int:
    """Add the sample clinic and its patients as they stand at `now` (UTC); returns how many patients are new.

    Idempotent: the second time it adds nothing. With `ticker_at`, which makes a ticker that lives by a given clock,
    the days behind them are lived through: messages went, and patients answered. Raises `NotSimulatedError`.
    """
    if not is_simulated:
        raise NotSimulatedError(
            "the sample clinic is only for simulated channels; unset BONEWISE_SMS and BONEWISE_EMAIL to have it"
        )
    with store.reading() as unit:
        clinic = unit.installation.clinic(SAMPLE_CODE)
    if clinic is None:
        return _Play(store, rules, _add_clinic(store, now), now).from_the_beginning(ticker_at)
    return _Play(store, rules, clinic, now).whoever_is_missing()


def _add_clinic(store: Store, now: datetime) -> Clinic:
    harbor = NewClinic(
        code=SAMPLE_CODE,
        name="Harbor Clinic",
        timezone="America/New_York",
        sms_from="+16175550100",
        email_from="care@harbor-clinic.example",
        phone="617-555-0101",
    )
    clinic = add_clinic(store, harbor, now=now, is_sample=True).clinic
    for email, role in STAFF.items():
        add_staff(store, clinic, email=email, role=role, now=now)
    return clinic


class _Play:
    """Brings the patients on, and lets the days pass."""

    def __init__(self, store: Store, rules: Rules, clinic: Clinic, now: datetime) -> None:
        self._store = store
        self._rules = rules
        self._clinic = clinic
        self._now = now
        self._zone = ZoneInfo(clinic.timezone)
        self._today = local_date(now, self._zone)

    def from_the_beginning(self, ticker_at: Callable[[Clock], Ticker] | None) -> int:
        """Enrol everyone on their day; with a ticker, live through the days until now."""
        scenes = sorted(self._scenes(with_replies=ticker_at is not None))
        if ticker_at is None:
            for scene in scenes:
                scene.play(scene.at)
            return len(SAMPLE_PATIENTS)
        clock = HandClock(scenes[0].at)
        ticker = ticker_at(clock)
        for scene in scenes:
            walk(self._store, ticker, start=clock.now(), target=scene.at, show=clock.show)
            scene.play(scene.at)
        walk(self._store, ticker, start=clock.now(), target=self._now, show=clock.show)
        # The days before the clinic was added are of no account to the tick.
        count_clinic(self._store, self._rules, self._clinic, since=scenes[0].at, now=self._now)
        return len(SAMPLE_PATIENTS)

    def whoever_is_missing(self) -> int:
        """Enrol, as of now, those whom an interrupted load left out."""
        with self._store.reading() as unit:
            there = {patient.mrn for patient in unit.patients.of_clinic(self._clinic.id)}
        missing = [one for one in SAMPLE_PATIENTS if one.cells["mrn"] not in there]
        for one in missing:
            self._enrol(one, self._now)
        return len(missing)

    def _scenes(self, *, with_replies: bool) -> list[_Scene]:
        scenes: list[_Scene] = []
        for one in SAMPLE_PATIENTS:
            scenes.append(_Scene(self._enrolled_at(one), partial(self._enrol, one)))
            for said in one.said if with_replies else ():
                day = self._today - timedelta(days=one.days_ago - said.day)
                at = instant(day, said.at, ZoneInfo(one.cells.get("timezone", self._clinic.timezone)))
                if at < self._now:
                    scenes.append(_Scene(at, partial(self._hear, one, said.text)))
        return scenes

    def _enrolled_at(self, one: SamplePatient) -> datetime:
        return instant(self._today - timedelta(days=one.days_ago), _ENROLLED_AT, self._zone)

    def _enrol(self, one: SamplePatient, at: datetime) -> None:
        on = local_date(at, self._zone)
        draft = self._draft(one, on)
        enroller = Enroller(self._rules, self._clinic, now=at, by=_BY)
        with self._store.writing() as unit:
            enroller.enrol(unit, [draft])

    def _draft(self, one: SamplePatient, on: date) -> PatientDraft:
        defaults = IntakeDefaults(
            country=self._clinic.country,
            phone_check=PhoneCheck.POSSIBLE,
            pathway_names=frozenset(self._rules.pathways),
            today=on,
        )
        draft = draft_from_cells({**one.cells, "consent_date": on.isoformat()}, defaults=defaults)
        if not isinstance(draft, PatientDraft):
            raise ValueError(f"sample patient {one.cells['mrn']}: {draft.errors[0].reason}")
        return draft

    def _hear(self, one: SamplePatient, text: str, at: datetime) -> None:
        channel = Channel(one.cells["channel"])
        sender = one.cells["phone" if channel is Channel.SMS else "email"]
        inbound = Inbound(channel=channel, sender=sender, body=text, provider_id=None)
        receive(self._store, self._rules, self._clinic, inbound, now=at.astimezone(UTC))
