"""How the installation is at this moment: what waits, what is refused, who works. Figures only, nobody's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain.breaker import Breaker
from scheduler.domain.people import Channel
from scheduler.domain.tasks import ServiceTask
from scheduler.domain.when import local_date
from scheduler.ports import Store, Unit
from scheduler.records import Clinic
from scheduler.services.lanes import sender_key

ALIVE = timedelta(seconds=30)  # a heartbeat this young is a worker's that works; it writes one every second or two
ZONE_DATA = "tzdata"  # the note in which the planner keeps the release of the zone data it works with
LATELY = timedelta(days=14)  # for so long the operator is told of texts that were for nobody
_MOST_ORPHANS = 20
_NOTHING = timedelta()


@dataclass(frozen=True, slots=True)
class Queue:
    """Planned messages of one channel whose time has come, and for how long the first of them has been waiting."""

    count: int = 0
    oldest_for: timedelta = _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An account, or a sender of some clinics, from which the provider takes nothing: it refuses, or is down."""

    channel: Channel
    is_account: bool
    clinics: tuple[str, ...]  # codes; all that have the channel's account in common are meant when it is the account
    breaker: Breaker
    open_for: timedelta

    @property
    def scope(self) -> str:
        return "account" if self.is_account else "sender"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """The figures at one moment. What is `…_for` is a length of time up to then."""

    at: datetime
    clinics: tuple[Clinic, ...]
    due: int
    due_for: timedelta
    waiting: Mapping[Channel, Queue]
    sending: Mapping[Channel, int]
    abandoned: int
    unknown: int
    for_person: int  # of the unknown: those that only a person can settle now
    refused: tuple[Refused, ...]
    tasks: int
    tasks_overdue: int
    beat_for: timedelta | None  # since the latest sign of life of any worker; None: there never was one
    workers: int
    ahead: Mapping[str, timedelta]  # workers whose clock is ahead of ours
    skew: timedelta  # of the database's clock against this machine's: positive is ahead
    zone_data: str | None  # the release that next contacts were worked out with
    replies: Queue = Queue()  # that wait to be understood
    orphans: int = 0  # texts for no clinic that came lately
    orphan_numbers: tuple[str, ...] = ()  # where those were sent to


def take_vitals(store: Store, *, now: datetime) -> Vitals:
    """The installation at `now` (UTC), which in a simulated one may be another time than the machine's."""
    with store.reading() as unit:
        clinics = tuple(unit.installation.clinics().values())
        due, first = unit.gauges.due(now)
        waiting = unit.gauges.waiting(now)
        tasks = unit.gauges.tasks()
        skew = _skew(unit)
        beats = unit.gauges.beats(datetime.now(UTC) - ALIVE)
        latest = unit.installation.latest_beat()
        orphans, latest_orphans = unit.orphans.latest(limit=_MOST_ORPHANS, since=now - LATELY)
        machine_now = datetime.now(UTC)  # heartbeats are of the machines' time, whatever clock the patients live by
        return Vitals(
            at=now,
            clinics=clinics,
            due=due,
            due_for=now - first if first else _NOTHING,
            waiting={channel: Queue(one.count, now - one.oldest) for channel, one in waiting.items()},
            sending=unit.gauges.sending(),
            abandoned=unit.gauges.abandoned(now),
            unknown=unit.gauges.unknown(),
            for_person=sum(n for (_, kind, _), n in tasks.items() if kind == ServiceTask.DELIVERY_UNKNOWN),
            refused=_refused(unit, clinics, now),
            tasks=sum(tasks.values()),
            tasks_overdue=_overdue(tasks, clinics, now),
            beat_for=max(machine_now - latest, _NOTHING) if latest else None,
            workers=len(beats),
            ahead={worker: at - machine_now for worker, at in beats.items() if at > machine_now},
            skew=skew,
            zone_data=unit.installation.note(ZONE_DATA),
            replies=_replies(unit, now),
            orphans=orphans,
            orphan_numbers=tuple(sorted({text.recipient for text in latest_orphans})),
        )


def _replies(unit: Unit, now: datetime) -> Queue:
    count, first = unit.inbox.waiting()
    return Queue(count, max(now - first, _NOTHING) if first else _NOTHING)


def _skew(unit: Unit) -> timedelta:
    """Against the middle of the time that asking took."""
    before = datetime.now(UTC)
    shown = unit.gauges.database_time()
    after = datetime.now(UTC)
    return _NOTHING if shown is None else shown - before - (after - before) / 2


def _refused(unit: Unit, clinics: tuple[Clinic, ...], now: datetime) -> tuple[Refused, ...]:
    found = []
    for key, lane in sorted(unit.lanes.all().items()):
        since = lane.breaker.open_since
        if since is None:
            continue
        channel = Channel(key.partition(":")[0])
        is_account = key == channel.value
        found.append(
            Refused(
                channel=channel,
                is_account=is_account,
                clinics=tuple(one.code for one in clinics if not is_account and sender_key(channel, one) == key),
                breaker=lane.breaker,
                open_for=max(now - since, _NOTHING),
            )
        )
    return tuple(found)


def _overdue(tasks: Mapping[tuple[int, str, date], int], clinics: tuple[Clinic, ...], now: datetime) -> int:
    """Tasks whose day is over where their clinic is."""
    today = {clinic.id: local_date(now, ZoneInfo(clinic.timezone)) for clinic in clinics}
    return sum(count for (clinic_id, _, due), count in tasks.items() if due < today[clinic_id])
