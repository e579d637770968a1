"""The sample clinic after some weeks: patients have answered or not, staff have worked, some texts were lost.

All of it goes through the services, by a generator with a fixed seed: the same each time.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from scheduler.bootstrap import App
from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.tasks import Resolution
from scheduler.ports import ErrorClass
from scheduler.records import Clinic
from scheduler.services.advance import walk
from scheduler.services.clearing import Decision
from scheduler.services.facts import ResultKind, add_result, decide_clearance
from scheduler.services.phones import Offer, Phone, phones
from scheduler.services.receipts import Receipt
from scheduler.services.replies import Inbound, receive
from scheduler.services.sample import SAMPLE_CODE, HandClock, load_sample
from scheduler.services.tasks import Act, TaskError, assign, close

COORDINATOR, CLINICIAN = "coordinator@harbor-clinic.example", "clinician@harbor-clinic.example"
_EVENING = time(20, 30)  # at the clinic: patients have answered by then, and staff go through the day
_USUAL = (0.6, 0.55)
# How often each answers a question, and how often they move and say so.
_WAYS = {
    "HC-1001": (0.95, 0.9),
    "HC-1002": (0.9, 0.85),
    "HC-1003": (0.8, 0.6),
    "HC-1004": (0.25, 0.3),
    "HC-1007": (0.9, 0.7),
    "HC-1010": (0.4, 0.2),
    "HC-1012": (0.0, 0.1),
}
_RESULTS = {  # by the day since the clinic began: whose, what, value and unit
    9: ("HC-1001", ResultKind.VITAMIN_D, "31", "ng/mL"),
    12: ("HC-1006", ResultKind.VITAMIN_D, "24", "ng/mL"),
    16: ("HC-1002", ResultKind.DEXA, "-1.8", "T-score"),
    18: ("HC-1008", ResultKind.VITAMIN_D, "38", "ng/mL"),
    14: ("HC-1007", ResultKind.VITAMIN_D, "28", "ng/mL"),
}
_OUT_OF_REACH, _NOT_IN_SERVICE = "30003", "30005"  # Twilio's codes
_GONE_SINCE = {"HC-1004": 18}  # whose number is out of service from which day on


def live(app: App, *, since: datetime, until: datetime) -> None:
    """Load the sample clinic into an installation without a clinic at `since`, and live in it until `until` (UTC)."""
    load_sample(app.store, app.rules, is_simulated=True, now=since, ticker_at=app.ticker_at)
    with app.store.reading() as unit:
        clinic = unit.installation.clinic(SAMPLE_CODE)
    assert clinic is not None
    days = _Days(app, clinic, since)
    days.pass_until(until)


class _Days:
    """Lets days pass, each with its evening."""

    def __init__(self, app: App, clinic: Clinic, since: datetime) -> None:
        self._app = app
        self._clinic = clinic
        self._zone = ZoneInfo(clinic.timezone)
        self._clock = HandClock(since)
        self._ticker = app.ticker_at(self._clock)
        self._chance = Random(29)

    def pass_until(self, end: datetime) -> None:
        """Live through the evenings before `end`, and go on until then."""
        first = self._clock.now().astimezone(self._zone).date()
        for number in range((end - self._clock.now()).days + 1):
            evening = datetime.combine(first + timedelta(days=number), _EVENING, self._zone)
            if evening >= end:
                break
            self._walk(evening)
            self._confirm(number)
            self._answer()
            self._walk(evening + timedelta(minutes=1))
            self._work(number)
        self._walk(end)

    def _walk(self, to: datetime) -> None:
        walk(
            self._app.store,
            self._ticker,
            start=self._clock.now(),
            target=to.astimezone(ZoneInfo("UTC")),
            show=self._clock.show,
        )

    def _answer(self) -> None:
        """Patients answer what their phone offers, as each of them does."""
        with self._app.store.reading() as unit:
            found = phones(unit, self._app.simulated_inbox.received(), channels=set(Channel), rules=self._app.rules)
        for phone in found:
            asked, moving = _WAYS.get(phone.mrn, _USUAL)
            digits = [offer for offer in phone.offers if offer.text.isdigit()]
            words = [offer for offer in phone.offers if not offer.text.isdigit()]
            if digits and self._chance.random() < asked:
                self._say(phone, self._chance.choice(digits[:3]))
            if words and self._chance.random() < moving:
                self._say(phone, words[-1])

    def _say(self, phone: Phone, offer: Offer) -> None:
        inbound = Inbound(channel=phone.channel, sender=phone.address, body=offer.text, provider_id=None)
        receive(self._app.store, self._app.rules, self._clinic, inbound, now=self._clock.now())

    def _confirm(self, day: int) -> None:
        """The provider says what became of the texts."""
        with self._app.store.reading() as unit:
            texts = [one for one in unit.ledger.entries(self._clinic.id) if one.channel is Channel.SMS]
        for one in texts:
            if one.status is not MessageStatus.SENT or one.provider_id is None:
                continue
            code = None
            if day >= _GONE_SINCE.get(one.patient, day + 1):
                code, kind = _NOT_IN_SERVICE, ErrorClass.PERMANENT
            elif self._chance.random() < 0.05:
                code, kind = _OUT_OF_REACH, ErrorClass.TRANSIENT
            self._app.receipts.record(
                Receipt(
                    attempt_id=None,
                    provider_id=one.provider_id,
                    target=MessageStatus.UNDELIVERED if code else MessageStatus.DELIVERED,
                    code=code,
                    error_class=kind if code else None,
                ),
                now=self._clock.now(),
            )

    def _work(self, day: int) -> None:
        """Staff record what came in, decide, and close some of what is open."""
        now, app = self._clock.now(), self._app
        if day in _RESULTS:
            mrn, kind, value, measured_in = _RESULTS[day]
            add_result(
                app.store,
                app.rules,
                self._clinic,
                mrn=mrn,
                kind=kind,
                taken_on=now.astimezone(self._zone).date() - timedelta(days=2),
                value=value,
                unit=measured_in,
                next_months=None,
                by=CLINICIAN,
                now=now,
            )
        if day % 4 == 1:
            self._decide(now)
        with app.store.reading() as unit:
            tasks = [one for one in unit.worklist.tasks(self._clinic.id) if one.status == "open"]
        for task in tasks:
            act = Act(self._clinic, task.id, self._chance.choice((COORDINATOR, CLINICIAN)), now)
            done = self._chance.random()
            try:
                if done < 0.1:
                    close(app.store, act, resolution=Resolution.DONE, words="Called; all is settled.")
                elif done < 0.2:
                    assign(app.store, act, to=act.by)
            except TaskError:  # one that closes by itself
                continue

    def _decide(self, now: datetime) -> None:
        """The clinician decides what waits."""
        with self._app.store.reading() as unit:
            waiting = [one for one in unit.worklist.clearances(clinic_id=self._clinic.id) if one.decided_at is None]
        for one in waiting:
            decide_clearance(
                self._app.store, self._app.rules, case=one.id, decision=Decision.CLEARED, by=CLINICIAN, now=now
            )
