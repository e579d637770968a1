"""Ten patients, what each is like, and what they and the clinic do in one month. Times are New York's, in 2026.

Walt has his phone together with Vera, who is on file too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.services.clearing import Decision
from scheduler.services.clinics import add_staff
from scheduler.services.facts import ResultKind, add_result, decide_clearance
from tests.support.worlds import BY, NEW_YORK, World

STARTS = datetime(2026, 3, 2, 13, 0, tzinfo=NEW_YORK)
ENDS = STARTS + timedelta(days=30)
CLINICIAN = "dr.lee@harbor.example"
OLD_NUMBER, NEW_NUMBER = "+16175550170", "+16175550171"


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as the clinic's list has them. `thread` names the file of what they read and wrote."""

    mrn: str
    name: str
    thread: str
    phone: str = ""
    email: str = ""
    language: str = "en"
    mobility: str = "walking"
    contact_time: str = ""

    @property
    def cells(self) -> dict[str, str]:
        """Their row of the list."""
        agreed = {"sms_consent": "yes"} if self.phone else {"email_consent": "yes"}
        given = {
            "name": self.name,
            "phone": self.phone,
            "email": self.email,
            "language": self.language,
            "mobility": self.mobility,
            "contact_time": self.contact_time,
            **agreed,
        }
        return {name: value for name, value in given.items() if value}


PEOPLE = (
    Person("P01", "Grace Hill", "answers_all", "+16175550101"),
    Person("P02", "Sam Ortiz", "never_answers", "+16175550102", mobility="limited"),
    Person("P03", "Lou Marsh", "stops_and_restarts", "+16175550103"),
    Person("P04", "Elena Ruiz", "pauses", "+16175550104", language="es", mobility="wheelchair"),
    Person("P05", "Ruth Adler", "falls", "+16175550105", mobility="limited"),
    Person("P06", "Walt Kern", "shares_a_phone", "+16175550106"),
    Person("P06B", "Vera Kern", "shares_a_phone", "+16175550106", mobility="standing_frame"),
    Person("P07", "Ned Poole", "wrong_number", OLD_NUMBER),
    Person("P08", "Lucia Vega", "changes_language", "+16175550108"),
    Person("P09", "Joan Beck", "writes_prose", "+16175550109"),
    Person("P10", "Carmen Diaz", "e_mail_only", email="carmen@patients.example", language="es"),
)


@dataclass(frozen=True, slots=True)
class Writes:
    """A patient writes `text`. From the address that their record has, unless `sender` is another."""

    at: datetime
    mrn: str
    text: str
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Acts:
    """Somebody at the clinic does something."""

    at: datetime
    act: Callable[[World], None]


def _at(when: str) -> datetime:
    return datetime.strptime(
        f"2026-{when}", "%Y-%m-%d %H:%M:%S" if when.count(":") == 2 else "%Y-%m-%d %H:%M"
    ).replace(tzinfo=NEW_YORK)


def _writes(mrn: str, *texts: tuple[str, str]) -> list[Writes | Acts]:
    return [Writes(_at(when), mrn, text) for when, text in texts]


def changed(mrn: str, **cells: str) -> Callable[[World], None]:
    """The clinic's list comes again with other cells for this patient."""
    person = next(one for one in PEOPLE if one.mrn == mrn)

    def act(world: World) -> None:
        assert world.enrol(mrn, **{**person.cells, **cells}).updated == 1

    return act


def _result_in(world: World) -> None:
    add_result(
        world.store,
        world.rules,
        world.clinic,
        mrn="P01",
        kind=ResultKind.VITAMIN_D,
        taken_on=datetime(2026, 3, 2).date(),  # noqa: DTZ001 - a date
        value="31",
        unit="ng/mL",
        next_months=None,
        by=CLINICIAN,
        now=world.clock.at,
    )


def _cleared(world: World) -> None:
    with world.store.reading() as unit:
        case = next(one for one in unit.worklist.clearances(world.clinic.id) if one.patient == "P01")
    decide_clearance(
        world.store, world.rules, case=case.id, decision=Decision.CLEARED, by=CLINICIAN, now=world.clock.at
    )


SCRIPT: list[Writes | Acts] = sorted(
    [
        *_writes(
            "P01",
            ("03-03 09:41", "1"),
            ("03-04 17:20", "done"),
            ("03-05 09:50", "1"),
            ("03-06 18:02", "DONE"),
            ("03-07 10:00", "1"),
            ("03-07 10:04", "Magnesium and biotin"),
            ("03-09 17:40", "Done!"),
            ("03-10 18:10", "did it"),
            ("03-11 18:30", "👍"),
            ("03-12 19:00", "done, felt good"),
            ("03-13 17:30", "DONE"),
            ("03-14 17:30", "Done and thank you"),
            ("03-16 17:30", "done"),
            ("03-17 12:30", "HELP"),
            ("03-17 17:30", "done"),
            ("03-18 17:30", "done"),
            ("03-19 17:30", "done"),
            ("03-20 17:30", "done"),
            ("03-21 17:30", "done"),
            ("03-23 17:30", "done"),
            ("03-24 17:30", "done"),
        ),
        Acts(_at("03-10 11:00"), _cleared),
        Acts(_at("03-12 15:00"), _result_in),
        *_writes(
            "P03",
            ("03-03 10:00", "3"),
            ("03-04 20:15", "Please stop texting me"),
            ("03-04 20:16", "ok thanks"),
            ("03-14 12:00", "START"),
            ("03-15 18:00", "Done"),
            ("03-16 18:00", "done"),
            ("03-17 10:15", "3"),
            ("03-17 10:21", "Vitamin D 3"),
        ),
        *_writes(
            "P04",
            ("03-03 09:40", "todavía no"),
            ("03-04 09:45", "PAUSA 2 SEMANAS"),
            ("03-05 11:12", "1"),
            ("03-07 12:00", "no"),
            ("03-19 18:20", "hecho"),
            ("03-20 09:50", "pausa"),
            ("03-25 11:00", "SEGUIR"),
            ("03-26 18:30", "Hecho!"),
        ),
        *_writes(
            "P05",
            ("03-03 09:55", "Booked"),
            ("03-04 23:10", "I fell in the kitchen and my hip hurts"),
            ("03-05 08:05", "My daughter took me to the ER, nothing is broken"),
            ("03-09 10:00", "RESUME"),
            ("03-10 16:00", "DONE"),
            ("03-17 19:20", "almost fell on the stairs today"),
            ("03-23 10:30", "resume"),
        ),
        *_writes(
            "P06",
            ("03-03 09:44", "1"),
            ("03-03 09:50", "Vera"),
            ("03-04 10:02", "done"),
            ("03-05 10:10", "this is Walt, 3"),
            ("03-10 10:10", "Done"),
        ),
        *_writes("P07", ("03-03 09:33", "You have the wrong number"), ("03-10 12:40", "2"), ("03-11 18:00", "done")),
        Writes(_at("03-10 09:00"), "P07", "who is this?", sender=OLD_NUMBER),
        Acts(_at("03-09 14:00"), changed("P07", phone=NEW_NUMBER)),
        *_writes(
            "P08",
            ("03-03 09:50", "No hablo ingles"),
            ("03-05 09:48", "2"),
            ("03-06 18:15", "ya lo hice"),
            ("03-09 11:00", "HORA 18:30"),
            ("03-10 19:00", "DIAS LUN MIE VIE"),
            ("03-13 20:30", "listo"),
        ),
        Acts(_at("03-04 11:00"), changed("P08", language="es")),
        *_writes(
            "P09",
            ("03-03 10:20", "Hi, I had my blood drawn on Friday at the lab on Main Street"),
            ("03-04 10:40", "I did my stretches this morning while the kettle boiled"),
            ("03-05 11:15", "2, my appointment is on the 20th"),
            ("03-07 09:50", "I take a multivitamin every morning, is that what you mean?"),
            ("03-07 09:51", "Centrum Silver"),
            ("03-10 12:10", "Can you text me at 6 in the evening instead?"),
            ("03-12 18:30", "Thank you dear"),
            ("03-16 18:20", "Who is this again?"),
            ("03-18 18:40:00", "Sorry"),
            ("03-18 18:40:05", "I was at my sister's"),
            ("03-18 18:40:11", "did yesterdays exercise though"),
            ("03-24 19:05", "My knee is sore, could I see a physical therapist?"),
        ),
        *_writes(
            "P10",
            ("03-03 11:00", "2, tengo cita el viernes"),
            ("03-04 12:30", "Hecho"),
            ("03-05 20:10", "No gracias, prefiero no hacerme esa prueba"),
            ("03-07 10:30", "1"),
            ("03-07 10:45", "Calcio con vitamina D"),
            ("03-10 10:00", "pausa 1 semana"),
            ("03-18 12:00", "hecho"),
            ("03-25 21:00", "Gracias por todo"),
        ),
    ],
    key=lambda one: one.at,
)


def set_up(world: World) -> None:
    """The clinic, its people, and its patients."""
    world.change_clinic(world.clinic, phone="+16175550199", duty_email="duty@harbor.example")
    add_staff(world.store, world.clinic, email=CLINICIAN, role="clinician", now=world.clock.at)
    drafts = [world.draft(person.mrn, person.cells) for person in PEOPLE]
    assert world.import_drafts(drafts).created == len(PEOPLE), BY
