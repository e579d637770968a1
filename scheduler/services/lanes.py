"""Lanes: which messages are sent together, who may send them now, and what stops them all.

Most senders share one lane. A sender with a pace has a lane of its own, which one worker serves at a time; so has one
that the provider refuses, until it is mended. When the account itself is refused, everything waits.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduler.domain.breaker import CLOSED
from scheduler.domain.pace import Pace
from scheduler.domain.people import Channel
from scheduler.ports import Unit
from scheduler.records import Clinic, Lane

HOLD = timedelta(seconds=60)  # how long a worker that says nothing more keeps a sender to itself
_DISAGREEMENT = timedelta(seconds=60)  # that clocks may have, and that may pass between reading one and being heard
_LONGEST_SILENCE = timedelta(hours=1)  # that a provider may ask for; a longer one comes of a clock that was set back
_PACED_SECONDS = 10  # of a paced sender's messages in one batch

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One lane's messages: those of the clinics `only` (None: all), without those of the clinics `but`."""

    channel: Channel
    key: str
    only: tuple[int, ...] | None = None
    but: tuple[int, ...] = ()
    rate: float | None = None
    is_probe: bool = False

    @property
    def account(self) -> str:
        return self.channel.value

    def serves(self, clinic_id: int) -> bool:
        """Whether the clinic's messages are among those of this lane."""
        return (self.only is None or clinic_id in self.only) and clinic_id not in self.but

    def limit(self, most: int) -> int:
        """How many messages to claim at once."""
        if self.is_probe:
            return 1
        return most if self.rate is None else min(most, max(1, int(self.rate * _PACED_SECONDS)))


def sender_key(channel: Channel, clinic: Clinic) -> str:
    """The lane of a clinic's sender."""
    sender = (clinic.messaging_service or clinic.sms_from) if channel is Channel.SMS else clinic.email_from
    return f"{channel.value}:{sender or '-'}"


def routes(channel: Channel, clinics: Iterable[Clinic], lanes: Mapping[str, Lane], now: datetime) -> list[Route]:
    """The lanes of `channel` that may be served at `now` (UTC)."""
    clinics = list(clinics)
    account = lanes.get(channel.value)
    if account is not None:
        if _is_quiet(account, now):
            return []
        if account.breaker.is_open:
            refused = [clinic.id for clinic in clinics if _is_refused(lanes.get(sender_key(channel, clinic)))]
            probe = Route(channel=channel, key=channel.value, but=tuple(sorted(refused)), is_probe=True)
            return [probe] if account.breaker.may_probe(now) else []
    own: dict[str, list[Clinic]] = defaultdict(list)
    for clinic in clinics:
        key = sender_key(channel, clinic)
        if clinic.messages_per_second is not None or (key in lanes and _is_stopped(lanes[key], now)):
            own[key].append(clinic)
    found = [Route(channel=channel, key=channel.value, but=tuple(sorted(_ids(own.values()))))]
    for key, sharing in own.items():
        lane = lanes.get(key, Lane(key=key))
        if _is_quiet(lane, now) or (lane.breaker.is_open and not lane.breaker.may_probe(now)):
            continue
        rates = [clinic.messages_per_second for clinic in sharing if clinic.messages_per_second is not None]
        found.append(
            Route(
                channel=channel,
                key=key,
                only=tuple(_ids([sharing])),
                rate=min(rates, default=None),
                is_probe=lane.breaker.is_open,
            )
        )
    return found


def as_it_is_now(unit: Unit, route: Route, clinics: Mapping[int, Clinic], now: datetime) -> Route | None:
    """The same lane after what has happened since `route` was found; None when it may not be served any more.

    The account is looked at and not held, for all claim at once: whoever is busy when it is stopped goes on until the
    batch in hand is done, and no further.
    """
    found = routes(route.channel, clinics.values(), unit.lanes.all(), now)
    return next((one for one in found if (one.key, one.is_probe) == (route.key, route.is_probe)), None)


def take(unit: Unit, route: Route, *, worker: str, now: datetime) -> bool | None:
    """Take the lane for one batch. None: somebody else has it, or it is stopped. True: this worker has had it so far.

    What only one may have at a time is held until the transaction ends.
    """
    if route.rate is None and not route.is_probe:
        return False
    lane = unit.lanes.hold([route.key])[route.key]
    if _is_quiet(lane, now) or (lane.breaker.is_open and not lane.breaker.may_probe(now)):
        return None
    continued = lane.holder == worker and lane.held_until is not None and lane.held_until > now
    if route.rate is not None and not continued and not _is_free(lane, route.rate, now):
        return None
    if lane.breaker.is_open:
        lane = replace(lane, breaker=lane.breaker.probing(now))
    if route.rate is not None:
        lane = replace(lane, holder=worker, held_until=now + HOLD, quiet_until=None)
    unit.lanes.write(lane)
    return continued


def release(unit: Unit, held: Mapping[str, Pace], *, worker: str, now: datetime) -> None:
    """Give up senders. Whoever takes them over starts after a silence that makes up for not knowing what went."""
    for key, lane in unit.lanes.hold(list(held)).items():
        if lane.holder == worker:
            quiet_until = now + timedelta(seconds=held[key].rests_for())
            unit.lanes.write(replace(lane, holder=None, held_until=None, quiet_until=quiet_until))


def hush(unit: Unit, channel: Channel, *, until: datetime) -> None:
    """The provider asks for silence: nothing goes over `channel` before `until` (UTC)."""
    lane = unit.lanes.hold([channel.value])[channel.value]
    unit.lanes.write(replace(lane, quiet_until=max(until, lane.quiet_until or until)))


def refuse(unit: Unit, key: str, code: str | None, *, now: datetime, by_probe: bool = True) -> bool:
    """The provider refuses the account or sender, or is down. True when it did not before: then tell somebody.

    A batch that was under way when the lane was stopped says nothing new: only a probe puts off the next one.
    """
    lane = unit.lanes.hold([key])[key]
    if lane.breaker.is_open and not by_probe:
        return False
    unit.lanes.write(replace(lane, breaker=lane.breaker.refused(code, now)))
    if not lane.breaker.is_open:
        _log.error("the provider takes nothing from %s (%s); its messages wait until that changes", _name(key), code)
    return not lane.breaker.is_open


def mend(unit: Unit, keys: Sequence[str]) -> list[str]:
    """The provider has taken a message: those of the lanes that were refused are open for all again."""
    mended = [lane for lane in unit.lanes.hold(keys).values() if lane.breaker.is_open]
    for lane in mended:
        unit.lanes.write(replace(lane, breaker=CLOSED))
        _log.warning("the provider takes messages of %s again", _name(lane.key))
    return [lane.key for lane in mended]


def _is_free(lane: Lane, rate: float, now: datetime) -> bool:
    """Whether a worker that has not had the lane may begin at once."""
    if lane.holder is None or lane.held_until is None:
        return True
    if lane.held_until > now + HOLD + _DISAGREEMENT:
        return True  # the clock was set back since: nobody holds a lane for so long
    return lane.held_until + timedelta(seconds=Pace(rate).rests_for()) <= now


def _is_quiet(lane: Lane, now: datetime) -> bool:
    return lane.quiet_until is not None and now < lane.quiet_until <= now + _LONGEST_SILENCE


def _is_refused(lane: Lane | None) -> bool:
    return lane is not None and lane.breaker.is_open


def _is_stopped(lane: Lane, now: datetime) -> bool:
    return lane.breaker.is_open or _is_quiet(lane, now)


def _ids(groups: Iterable[Iterable[Clinic]]) -> list[int]:
    return [clinic.id for group in groups for clinic in group]


def _name(key: str) -> str:
    """The lane in words, without the sender's number or address."""
    channel, is_sender, _ = key.partition(":")
    return f"a sender of the channel {channel}" if is_sender else f"the account of the channel {channel}"
