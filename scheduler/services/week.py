"""A small clinic's day and the week ahead of it: what went, what did not and why, and what will go when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.sending import SERVICE_MESSAGES
from scheduler.domain.when import instant, local_date
from scheduler.ports import Store
from scheduler.records import Clinic, LedgerEntry, Patient
from scheduler.services.composing import Composer
from scheduler.services.rules import Rules
from scheduler.services.simulate import SimulatedMessage, simulate

DAYS = 7
MOST_PATIENTS = 60  # of a larger clinic the week ahead is not walked through for a page
MOST_ENTRIES = 300  # of the ledger, the latest

_DID_NOT_GO = frozenset({MessageStatus.SKIPPED, MessageStatus.EXPIRED, MessageStatus.FAILED, MessageStatus.NOT_SENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message that went, will go or did not. `at` is in the patient's zone; `status` None: still to come."""

    at: datetime
    patient: str
    mrn: str
    channel: Channel
    about: str  # the title of its pathway
    text: str
    status: MessageStatus | None = None
    reason: str | None = None

    @property
    def day(self) -> date:
        """The patient's date."""
        return self.at.date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A clinic at an instant. `now` is in the clinic's zone; lines are in order of time."""

    clinic: Clinic
    now: datetime
    patients: int
    replies_today: int
    open_tasks: int
    went: tuple[Line, ...]  # today
    went_yesterday: tuple[Line, ...]
    did_not_go: tuple[Line, ...]
    still_today: tuple[Line, ...]
    days: tuple[tuple[date, tuple[Line, ...]], ...]
    is_whole: bool  # False: the clinic is too large to show what is coming

    @property
    def coming(self) -> int:
        """How many messages the days ahead bring, today's among them."""
        return len(self.still_today) + sum(len(lines) for _, lines in self.days)


def week(store: Store, rules: Rules, composer: Composer, clinic: Clinic, *, now: datetime) -> Week:
    """The clinic at `now` (UTC). Reads only."""
    zone = ZoneInfo(clinic.timezone)
    today = local_date(now, zone)
    yesterday = today - timedelta(days=1)
    midnight = instant(today, time.min, zone)
    with store.reading() as unit:
        count = unit.patients.count(clinic.id)
        entries = [
            entry for entry in unit.ledger.entries(clinic.id, limit=MOST_ENTRIES) if entry.due_date >= yesterday
        ]
        known = unit.patients.by_mrn(clinic.id, sorted({entry.patient for entry in entries}))
        replies = len(unit.inbox.replies(clinic.id, since=midnight))
        open_tasks = unit.gauges.open_tasks(clinic.id)
        is_whole = count <= MOST_PATIENTS
        names = {one.mrn: one.name for one in unit.patients.of_clinic(clinic.id)} if is_whole else {}
    went, did_not_go = _ledger(entries, known, rules)
    ahead = simulate(store, rules, composer, clinic, days=DAYS, start=now) if is_whole else ()
    days = _by_day(_expected(message, names, rules) for message in ahead)
    return Week(
        clinic=clinic,
        now=now.astimezone(zone),
        patients=count,
        replies_today=replies,
        open_tasks=open_tasks,
        went=tuple(line for line in went if line.day >= today),
        went_yesterday=tuple(line for line in went if line.day == yesterday),
        did_not_go=tuple(line for line in did_not_go if line.day >= today),
        still_today=tuple(
            sorted((line for day, lines in days.items() if day <= today for line in lines), key=_by_time)
        ),
        days=tuple((day, tuple(lines)) for day, lines in days.items() if today < day < today + timedelta(days=DAYS)),
        is_whole=is_whole,
    )


def _ledger(entries: Iterable[LedgerEntry], known: dict[str, Patient], rules: Rules) -> tuple[list[Line], list[Line]]:
    """What went, or is about to, and what did not."""
    lines = sorted((_recorded(entry, known[entry.patient], rules) for entry in entries), key=_by_time)
    return (
        [line for line in lines if line.status not in _DID_NOT_GO],
        [line for line in lines if line.status in _DID_NOT_GO],
    )


def _recorded(entry: LedgerEntry, patient: Patient, rules: Rules) -> Line:
    return Line(
        at=(entry.sent_at or entry.planned_at).astimezone(ZoneInfo(patient.timezone)),
        patient=entry.patient_name,
        mrn=entry.patient,
        channel=entry.channel,
        about=_title(entry.pathway, rules),
        text=entry.body or "",
        status=entry.status,
        reason=entry.reason,
    )


def _expected(message: SimulatedMessage, names: dict[str, str], rules: Rules) -> Line:
    return Line(
        at=message.at,
        patient=names.get(message.patient, message.patient),
        mrn=message.patient,
        channel=message.channel,
        about=_title(message.pathway, rules),
        text=message.body,
    )


def _title(pathway: str, rules: Rules) -> str:
    if pathway == SERVICE_MESSAGES:
        return "Service"
    return rules.pathways[pathway].title if pathway in rules.pathways else pathway


def _by_day(lines: Iterable[Line]) -> dict[date, list[Line]]:
    """Lines by the patient's date. A day ahead is read by the clock on the wall, wherever that is."""
    days: dict[date, list[Line]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: (line.at.time(), line.mrn)):
        days[line.day].append(line)
    return dict(sorted(days.items()))


def _by_time(line: Line) -> datetime:
    return line.at.astimezone(UTC)  # two of one zone would be compared by their clock faces
