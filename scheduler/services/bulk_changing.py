"""One change for many patients: chosen, looked at, done at once, and for ten minutes undone at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.bulk import LONGEST_PAUSE, BulkAction, BulkWish, MemberFate, decide, on_pathway
from scheduler.domain.contact import Change, Enrolled
from scheduler.domain.reacting import Situation, take_back
from scheduler.domain.stepping import begin
from scheduler.domain.when import local_date
from scheduler.ids import new_id
from scheduler.ports import Clock, Store, Unit
from scheduler.ports.bulk_changes import BulkChange, Came, Member
from scheduler.records import Clinic, Patient
from scheduler.services.bulk_memory import as_json, before, digest, from_json, given_back
from scheduler.services.changes import Decided, write_changes
from scheduler.services.rules import Rules

MOST = 1_000  # patients at once
UNDO_FOR = timedelta(minutes=10)
_KEPT_FOR = timedelta(days=1)  # what was chosen and not confirmed, and what there was before


class BulkError(ValueError):
    """It cannot be done like that, and nothing was. The text says why and what to do; `field` is what is wrong."""

    def __init__(self, says: str, *, field: str = "action") -> None:
        super().__init__(says)
        self.field = field


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would come to: for whom, and who is left alone and why."""

    change: BulkChange
    fit: tuple[Member, ...]
    unfit: tuple[tuple[Member, str], ...]


@dataclass(frozen=True, slots=True)
class _Held:
    """A patient held until the transaction ends, as they are."""

    patient: Patient
    situation: Situation


class BulkChanging:
    """Changes for many patients of a clinic. `wall` is the real time, by which an undo runs out."""

    def __init__(
        self, store: Store, rules: Rules, clinic: Clinic, *, by: str, clock: Clock, wall: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._rules = rules
        self._clinic = clinic
        self._by = by
        self._clock = clock
        self._wall = wall

    def choose(self, wish: BulkWish, mrns: Sequence[str]) -> int:
        """Note what is to be done for whom; returns the number of the change. Raises `BulkError`."""
        if not mrns:
            raise BulkError("Nobody was chosen. Tick some patients, or everybody who matches.")
        if len(mrns) > MOST:
            raise BulkError(f"That is more than {MOST:,} patients. Choose fewer, by a filter.")
        if wish.action.is_about_pathway and wish.pathway not in self._rules.pathways:
            raise BulkError("Choose the pathway.")
        today = local_date(self._clock.now(), ZoneInfo(self._clinic.timezone))
        if wish.until is not None and not today < wish.until <= today + LONGEST_PAUSE:
            raise BulkError("A pause ends on a day after today, within a year.", field="until")
        now = self._wall()
        change = BulkChange(clinic_id=self._clinic.id, wish=wish, made_by=self._by, made_at=now)
        with self._store.writing() as unit:
            unit.bulk_changes.forget(self._clinic.id, made_before=now - _KEPT_FOR)
            return unit.bulk_changes.add(change, mrns)

    def find(self, bulk_id: int) -> BulkChange | None:
        """A change of the clinic."""
        with self._store.reading() as unit:
            return unit.bulk_changes.get(self._clinic.id, bulk_id) if 0 < bulk_id < 2**31 else None

    def members(self, change: BulkChange) -> list[Member]:
        """Who was chosen, and what became of each."""
        with self._store.reading() as unit:
            return unit.bulk_changes.members(self._clinic.id, change.id)

    def preview(self, change: BulkChange) -> Preview:
        """What doing it now would come to. Changes nothing."""
        now = self._clock.now()
        with self._store.reading() as unit:
            members = unit.bulk_changes.members(self._clinic.id, change.id)
            held = self._load(unit, members, now=now, lock=False)
        fit, unfit = [], []
        for one in members:
            found = held.get(one.patient_id)
            came = "not there any more" if found is None else self._decide(change.wish, found)[0]
            if isinstance(came, str):
                unfit.append((one, came))
            else:
                fit.append(one)
        return Preview(change, tuple(fit), tuple(unfit))

    def latest(self) -> BulkChange | None:
        """The latest change of this member of staff that can still be undone."""
        with self._store.reading() as unit:
            return unit.bulk_changes.latest_done(self._clinic.id, self._by, since=self._wall() - UNDO_FOR)

    def can_undo(self, change: BulkChange) -> bool:
        """Whether an undo would be taken now."""
        return change.done_at is not None and change.undone_at is None and self._wall() - change.done_at <= UNDO_FOR

    def do(self, change: BulkChange) -> None:
        """Do it for all it fits, in one transaction. Again changes nothing."""
        now = self._clock.now()
        with self._store.writing() as unit:
            if not unit.bulk_changes.begin(self._clinic.id, change.id, now=self._wall()):
                return
            members = unit.bulk_changes.members(self._clinic.id, change.id)
            held = self._load(unit, members, now=now, lock=True)
            self._write(unit, change, members, held, now=now)

    def undo(self, change: BulkChange) -> None:
        """Give back what each had before; those who have changed since are left alone. Raises `BulkError`."""
        now, wall = self._clock.now(), self._wall()
        with self._store.writing() as unit:
            if not unit.bulk_changes.begin_undo(self._clinic.id, change.id, done_since=wall - UNDO_FOR, now=wall):
                raise BulkError("This can no longer be undone. Change the patients back as you want them.")
            members = unit.bulk_changes.members(self._clinic.id, change.id)
            changed = [one for one in members if one.fate is MemberFate.CHANGED]
            held = self._load(unit, changed, now=now, lock=True)
            self._write_back(unit, change, changed, held, now=now)

    # Doing it

    def _decide(self, wish: BulkWish, held: _Held) -> tuple[Change | str, Enrolled | None]:
        """What it comes to, and the enrolment that it begins."""
        situation = held.situation
        if wish.action is not BulkAction.JOIN or on_pathway(situation, wish.pathway) is not None:
            return decide(situation, wish), None
        pathway = self._rules.pathways[wish.pathway or ""]
        state = begin(pathway, on=situation.today, weekdays=held.patient.exercise_days).enrolment
        begun = Enrolled(id=new_id(), state=state)
        return decide(situation, wish, begun=begun), begun

    def _write(
        self, unit: Unit, change: BulkChange, members: Sequence[Member], held: dict[UUID, _Held], *, now: datetime
    ) -> None:
        planned = unit.bulk_changes.waiting(
            self._clinic.id, [one.id for each in held.values() for one in each.situation.enrolments]
        )
        came: list[Came] = []
        decided: list[Decided] = []
        for member in members:
            found = held.get(member.patient_id)
            outcome, begun = ("not there any more", None) if found is None else self._decide(change.wish, found)
            if isinstance(outcome, str) or found is None:
                came.append(Came(patient_id=member.patient_id, fate=MemberFate.LEFT_ALONE, why=str(outcome)))
                continue
            own = {one.id for one in found.situation.enrolments}
            was = before(
                found.situation,
                [one for one in planned if one.enrolment_id in own & outcome.superseded],
                begun=begun.id if begun else None,
            )
            if begun is not None:
                entry = (member.patient_id, self._clinic.id, begun, found.situation.today)
                unit.patients.insert_enrolments([entry])
            decided.append(Decided(member.patient_id, self._clinic.id, found.situation.enrolments, outcome))
            after = digest(outcome.contact, outcome.enrolments)
            came.append(Came(patient_id=member.patient_id, fate=MemberFate.CHANGED, before=as_json(was), after=after))
        write_changes(unit, self._rules, decided, now=now)
        unit.bulk_changes.note(self._clinic.id, change.id, came)
        self._audit(unit, [one.patient_id for one in decided], _what(change.wish), now=now)

    def _write_back(
        self, unit: Unit, change: BulkChange, members: Sequence[Member], held: dict[UUID, _Held], *, now: datetime
    ) -> None:
        came: list[Came] = []
        decided: list[Decided] = []
        begun: list[UUID] = []
        for member in members:
            found = held.get(member.patient_id)
            if found is None or member.before is None or _digest(found) != member.after:
                came.append(Came(patient_id=member.patient_id, fate=MemberFate.KEPT, why="changed since"))
                continue
            was = from_json(member.before)
            given = given_back(found.situation, was)
            revived = unit.bulk_changes.revive(self._clinic.id, [one.message_id for one in was.waiting], now=now)
            # What can go no more, for its window has closed meanwhile, is as if it had not been planned.
            late = [one for one in was.waiting if one.message_id not in revived]
            again = take_back(given, [(one.enrolment_id, one.event) for one in late if one.event is not None])
            decided.append(Decided(member.patient_id, self._clinic.id, found.situation.enrolments, again))
            begun += [was.begun] if was.begun else []
            came.append(Came(patient_id=member.patient_id, fate=MemberFate.UNDONE))
        write_changes(unit, self._rules, decided, now=now)
        unit.bulk_changes.remove_enrolments(self._clinic.id, begun)
        unit.bulk_changes.note(self._clinic.id, change.id, came)
        self._audit(unit, [one.patient_id for one in decided], f"undone: {_what(change.wish)}", now=now)

    # Small steps

    def _load(self, unit: Unit, members: Sequence[Member], *, now: datetime, lock: bool) -> dict[UUID, _Held]:
        mrns = [one.mrn for one in members]
        patients = unit.patients.by_mrn(self._clinic.id, mrns, lock=lock).values() if mrns else ()
        enrolled = unit.patients.enrolments([one.id for one in patients]) if patients else {}
        return {
            one.id: _Held(
                one, Situation(one.contact(self._clinic), enrolled.get(one.id, ()), self._rules.pathways, now)
            )
            for one in patients
        }

    def _audit(self, unit: Unit, patients: Sequence[UUID], what: str, *, now: datetime) -> None:
        others = f", with {len(patients) - 1} others" if len(patients) > 1 else ""
        entries = [(self._clinic.id, "reminders changed", one, what + others) for one in patients]
        unit.installation.audit(entries, actor=self._by, now=now)


def _digest(held: _Held) -> str:
    return digest(held.situation.contact, held.situation.enrolments)


def _what(wish: BulkWish) -> str:
    match wish.action:
        case BulkAction.PAUSE:
            return f"paused until {wish.until}" if wish.until else "paused"
        case BulkAction.RESUME:
            return "pause lifted"
        case BulkAction.JOIN:
            return f"put on {wish.pathway}"
        case BulkAction.LEAVE:
            return f"taken off {wish.pathway}"
