"""The people of the sample clinic. All are invented, and so are their numbers (555-01xx) and addresses (.example)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time


@dataclass(frozen=True, slots=True)
class Said:
    """What a patient wrote, so many days after enrolment, at their local time."""

    day: int
    at: time
    text: str


@dataclass(frozen=True, slots=True)
class SamplePatient:
    """A row as a clinic's CSV would have it, enrolled `days_ago`, and what the patient has answered since."""

    days_ago: int
    cells: dict[str, str]
    said: tuple[Said, ...] = field(default=())


def _texted(phone: str, **cells: str) -> dict[str, str]:
    return {"phone": phone, "channel": "sms", "sms_consent": "yes", **cells}


def _mailed(email: str, **cells: str) -> dict[str, str]:
    return {"email": email, "channel": "email", "email_consent": "yes", **cells}


SAMPLE_PATIENTS = (
    SamplePatient(
        6,
        _texted(
            "+16175550121",
            mrn="HC-1001",
            name="Ruth Adler",
            birth_date="1961-05-14",
            risk_factors="menopause;low_vitamin_d",
        ),
        (
            Said(1, time(9, 52), "2"),
            Said(2, time(17, 5), "DONE"),
            Said(3, time(11, 20), "3"),
            Said(4, time(10, 14), "Done!"),
            Said(5, time(9, 44), "1"),
            Said(5, time(9, 47), "Calcium tablets"),
            Said(6, time(9, 58), "DONE"),
        ),
    ),
    SamplePatient(
        6,
        _texted(
            "+17875550122",
            mrn="HC-1002",
            name="Luis Ortega Rivera",
            birth_date="1958-09-02",
            language="es",
            timezone="America/Puerto_Rico",
            contact_time="10:00",
            mobility="limited",
            risk_factors="steroids",
        ),
        (
            Said(1, time(10, 31), "1"),
            Said(2, time(12, 3), "HECHO"),
            Said(3, time(10, 12), "2"),
            Said(4, time(18, 40), "hecho"),
            Said(5, time(10, 26), "2"),
            Said(6, time(11, 5), "hecho"),
        ),
    ),
    SamplePatient(
        5,
        _mailed(
            "marcus.webb@mail.example",
            mrn="HC-1003",
            name="Marcus Webb",
            timezone="America/Chicago",
            contact_time="12:15",
            mobility="wheelchair",
            risk_factors="prior_fracture;ssri",
        ),
        (Said(1, time(13, 2), "3"), Said(2, time(19, 30), "DONE"), Said(3, time(12, 50), "1")),
    ),
    SamplePatient(
        5,
        _texted(
            "+13035550124",
            mrn="HC-1004",
            name="Joan Whitcomb",
            birth_date="1964-07-30",
            timezone="America/Denver",
            contact_time="15:30",
            mobility="standing_frame",
            exercise_days="mon;wed;fri;sun",
        ),
        (Said(1, time(15, 58), "2"), Said(2, time(16, 10), "What does this cost me?")),
    ),
    SamplePatient(
        4,
        _texted(
            "+12135550125",
            mrn="HC-1005",
            name="Guadalupe Navarro",
            birth_date="1972-12-12",
            language="es-MX",
            timezone="America/Los_Angeles",
            contact_time="09:00",
            risk_factors="family_history",
        ),
        (Said(1, time(9, 21), "3"), Said(2, time(20, 15), "hecho"), Said(3, time(9, 35), "1")),
    ),
    SamplePatient(
        4,
        _texted(
            "+16025550126", mrn="HC-1006", name="Dale Hutchins", timezone="America/Phoenix", contact_time="08:15"
        ),
        (Said(1, time(9, 40), "1"), Said(2, time(9, 2), "PAUSE 2 WEEKS")),
    ),
    SamplePatient(
        4,
        _mailed(
            "keola.akana@mail.example",
            mrn="HC-1007",
            name="Keola Akana",
            timezone="Pacific/Honolulu",
            contact_time="10:30",
        ),
        (Said(1, time(11, 15), "2"), Said(2, time(17, 0), "DONE")),
    ),
    SamplePatient(
        3,
        _texted(
            "+16175550128",
            mrn="HC-1008",
            name="Priya Raman",
            mobility="limited",
            contact_time="18:30",
            risk_factors="celiac;underweight",
        ),
        (Said(1, time(18, 55), "1"), Said(2, time(19, 20), "DONE")),
    ),
    SamplePatient(3, {"phone": "+16175550129", "mrn": "HC-1009", "name": "Walter Nowak", "channel": "sms"}),
    SamplePatient(
        3,
        _mailed(
            "ines.calderon@correo.example",
            mrn="HC-1010",
            name="Inés Calderón",
            language="es",
            timezone="America/New_York",
            contact_time="11:45",
            mobility="wheelchair",
        ),
        (Said(1, time(12, 30), "2"),),
    ),
    SamplePatient(
        2,
        _texted(
            "+13125550131",
            mrn="HC-1011",
            name="Bernice Tolliver",
            timezone="America/Chicago",
            contact_time="14:00",
            exercise_days="tue;thu;sat",
            risk_factors="falls;smoking",
        ),
        (Said(1, time(14, 9), "STOP"), Said(1, time(14, 30), "START")),
    ),
    SamplePatient(
        1,
        _texted(
            "+15055550132",
            mrn="HC-1012",
            name="Samuel Begay",
            timezone="America/Denver",
            contact_time="19:00",
            mobility="standing_frame",
            email="samuel.begay@mail.example",
            email_consent="yes",
        ),
    ),
)
