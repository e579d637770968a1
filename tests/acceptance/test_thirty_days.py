"""Thirty days of a real-shaped clinic, with the command line, a Twilio-protocol server and an SMTP server.

The clinic is in New York, where clocks change on 8 March 2026. What is expected stands here by hand, from the table
of pathways in the documentation, not from the program.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.cli import ROOT, Cli, ReadyCli, fake_time_library
from tests.support.smtp_sink import SmtpSink
from tests.support.twilio_server import ACCOUNT, TOKEN, Accepted, TwilioServer

EXPORT = ROOT.parent / "shared" / "data" / "fhir-bulk-100" / "Patient.ndjson"
NEW_YORK = ZoneInfo("America/New_York")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
ENROLLED_ON = date(2026, 3, 2)  # a Monday; day 0
DAYS = 30
SENDER = "+16175550100"

# What a patient gets who never answers and takes every pathway, by day: (pathway, template). Day 6 is a Sunday.
# Exercise has the days that nothing else has; 13 activities and Sunday's weeks up to day 20, the 14th on day 21.
ACTIVITY_DAYS = (2, 4, 7, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 21)
SILENT = {
    1: ("vitamin_d", "ask"),
    3: ("dexa", "ask"),
    5: ("supplement", "ask"),
    8: ("vitamin_d", "again"),
    13: ("dexa", "again"),  # a Sunday: exercise gives way
    29: ("vitamin_d", "again"),
    **dict.fromkeys(ACTIVITY_DAYS, ("exercise", "activity")),
    6: ("exercise", "week"),
    20: ("exercise", "week"),
    22: ("exercise", "stepped_down"),
    30: ("exercise", "activity"),  # a week later would be day 29, which vitamin D has
}
MAILED = (  # mrn, name, language, timezone, contact time, pathways, exercise days, mobility
    ("M-1", "Ana Ruiz", "es-MX", "", "", "", "", "wheelchair"),
    ("M-2", "Bo Berg", "en", "America/Los_Angeles", "", "vitamin_d;dexa", "", "walking"),
    ("M-3", "Cy Chen", "", "America/New_York", "08:15", "exercise", "mon;wed;fri", "standing_frame"),
)
COLUMNS = ("mrn", "name", "language", "timezone", "contact_time", "pathways", "exercise_days", "mobility")


@dataclass(frozen=True, slots=True)
class Taken:
    """A text that the provider took, and the minute of the service's time at which it did."""

    tick: datetime
    message: Accepted

    @property
    def to(self) -> str:
        return self.message.form["To"]


@dataclass
class Month:
    """What is to be seen after thirty days."""

    texts: list[Taken] = field(default_factory=list)
    mails: list[tuple[datetime, str, str]] = field(default_factory=list)  # tick, recipient, Message-ID
    reports: list[dict[str, int]] = field(default_factory=list)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    patients: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def sent(self) -> dict[str, list[dict[str, Any]]]:
        """The ledger's sent messages by MRN, in order."""
        found = defaultdict(list)
        for row in self.ledger:
            if row["status"] == "sent":
                found[row["patient"]].append(row)
        return found

    def days_of(self, mrn: str) -> dict[int, tuple[str, str]]:
        """What the patient got, by day since enrolment in their own zone."""
        zone = ZoneInfo(self.patients[mrn]["timezone"])
        return {
            (local_time(row, zone).date() - ENROLLED_ON).days: (row["pathway"], row["template"])
            for row in self.sent[mrn]
        }


def local_time(row: dict[str, Any], zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(row["sent_at"]).astimezone(zone)


def ticks() -> Iterator[datetime]:
    """When the service looks: at 09:35 in New York every day; on some days an hour before, on others later too."""
    for day in range(DAYS + 1):
        at = datetime.combine(ENROLLED_ON + timedelta(days=day), time(9, 35), NEW_YORK).astimezone(UTC)
        if day in (0, 1, 5, 6):
            yield at - timedelta(hours=1)  # on day 6, a Sunday, clocks have changed: not too early by the old ones
        yield at
        if day in (1, 3, 8, 13, 29):
            yield at + timedelta(hours=3)  # 09:35 in Los Angeles
        if day == 6:
            yield at + timedelta(hours=12)  # after everybody's window


def test_thirty_days_bring_every_patient_what_the_pathways_say_at_their_own_time(
    database_url: str, tmp_path: Path
) -> None:
    """One month, seen from every side. One test, so that the month is lived through once per database."""
    if not EXPORT.is_file():
        pytest.skip(f"needs the sample export {EXPORT.relative_to(ROOT.parent)}")
    if fake_time_library() is None:
        pytest.skip("needs libfaketime, which is installed on Linux only")
    month = lived_through(tmp_path, database_url)
    for check in CHECKS:
        check(month)


def lived_through(folder: Path, database_url: str) -> Month:
    month = Month()
    with TwilioServer() as twilio, SmtpSink() as sink:
        cli = Cli(
            folder,
            {
                "BONEWISE_DATABASE_URL": database_url,
                "BONEWISE_SMS": "twilio",
                "TWILIO_ACCOUNT_SID": ACCOUNT,
                "TWILIO_AUTH_TOKEN": TOKEN,
                "TWILIO_API_URL": twilio.url,
                "BONEWISE_EMAIL": "smtp",
                "BONEWISE_SMTP_URL": sink.url,
            },
        )
        with ReadyCli(cli) as ready:
            set_up(ready, folder)
            for at in ticks():
                texts, mails = len(twilio.messages), len(sink.mails)
                month.reports.append(ready("tick", at=at).json)
                month.texts += [Taken(at, message) for message in twilio.messages[texts:]]
                month.mails += [
                    (at, recipient, str(mail.message["Message-ID"]))
                    for mail in sink.mails[mails:]
                    for recipient in mail.recipients
                ]
            month.ledger = ready("messages", "--clinic", "main", "--json").json
            month.tasks = ready("tasks", "--clinic", "main", "--json").json
            month.patients = {row["mrn"]: row for row in ready("patients", "--clinic", "main", "--json").json}
    return month


def set_up(cli: ReadyCli, folder: Path) -> None:
    start = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
    cli("init", at=start)
    cli(
        *("clinic", "add", "--code", "main", "--name", "Harbor Clinic", "--timezone", "America/New_York"),
        *("--sms-from", SENDER, "--email-from", "care@harbor.example", "--phone", "617-555-0199"),
        at=start,
    )
    granted = ("--phone-check", "possible", "--grant-consent", "--json")
    report = cli("import", str(EXPORT), "--clinic", "main", *granted, at=start).json
    assert (report["created"], report["excluded"], report["rejected"]) == (100, 20, 0)
    with (folder / "mailed.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow((*COLUMNS, "email", "email_consent"))
        for row in MAILED:
            table.writerow((*row, f"{row[0].lower()}@patients.example", "yes"))
    assert cli("import", "mailed.csv", "--clinic", "main", "--json", at=start).json["created"] == len(MAILED)


def exported() -> list[dict[str, Any]]:
    with EXPORT.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def mrn_of(resource: dict[str, Any]) -> str:
    for identifier in resource["identifier"]:
        if any(coding["code"] == "MR" for coding in identifier.get("type", {}).get("coding", [])):
            return str(identifier["value"])
    return str(resource["id"])


def digits(number: str) -> str:
    return "".join(letter for letter in number if letter.isdigit())


# The sides, each named for what holds


def every_living_patient_gets_exactly_what_the_pathways_say_day_by_day(month: Month) -> None:
    living = [mrn_of(one) for one in exported() if "deceasedDateTime" not in one]
    assert len(living) == 100
    for mrn in living:
        assert month.days_of(mrn) == SILENT, mrn
        assert len(month.sent[mrn]) == len(SILENT), f"{mrn} has two messages on one day"


def the_deceased_are_neither_on_file_nor_ever_texted(month: Month) -> None:
    deceased = [one for one in exported() if "deceasedDateTime" in one]
    assert len(deceased) == 20
    numbers = {digits(contact["value"])[-10:] for one in deceased for contact in one["telecom"]}
    assert not numbers & {taken.to[-10:] for taken in month.texts}
    assert not {mrn_of(one) for one in deceased} & set(month.patients)


def every_message_goes_at_the_patients_own_time_on_both_sides_of_the_clock_change(month: Month) -> None:
    for mrn, rows in month.sent.items():
        patient = month.patients[mrn]
        wanted = max(time.fromisoformat(patient["contact_time"]), time(9))  # nobody is written to before nine
        for row in rows:
            at = local_time(row, ZoneInfo(patient["timezone"]))
            assert wanted <= at.time() < time(20), (mrn, row)
            assert row["due_date"] == at.date().isoformat(), (mrn, row)
            assert at.time() < time(9, 40), (mrn, row)  # nobody waits an hour for winter time


def the_provider_has_what_the_ledger_says_was_sent_and_nothing_twice(month: Month) -> None:
    texts = [row for rows in month.sent.values() for row in rows if row["channel"] == "sms"]
    taken = {one.message.sid: one for one in month.texts}
    assert len(taken) == len(month.texts) == len(texts)
    assert {row["provider_id"] for row in texts} == set(taken)
    for row in texts:
        one = taken[row["provider_id"]]
        assert one.message.form["Body"] == row["body"]
        assert one.message.form["From"] == SENDER
        assert one.to == month.patients[row["patient"]]["phone"]
        assert abs(datetime.fromisoformat(row["sent_at"]) - one.tick) < timedelta(minutes=4)
    assert len({(one.to, one.tick.astimezone(NEW_YORK).date()) for one in month.texts}) == len(month.texts)


def the_mailbox_has_what_the_ledger_says_was_mailed_and_nothing_twice(month: Month) -> None:
    mails = [row for rows in month.sent.values() for row in rows if row["channel"] == "email"]
    assert len(mails) == len(month.mails) == len({message_id for _, _, message_id in month.mails})
    assert sorted(month.patients[row["patient"]]["email"] for row in mails) == sorted(to for _, to, _ in month.mails)
    assert {row["provider_id"] for row in mails} == {message_id for _, _, message_id in month.mails}


def the_ledger_is_complete(month: Month) -> None:
    assert {row["status"] for row in month.ledger} == {"sent", "skipped"}
    for row in month.ledger:
        if row["status"] == "sent":
            assert row["attempts"] == 1
            assert row["body"].startswith("Harbor Clinic:") or row["channel"] == "email"
            assert row["sent_at"]
            assert row["reason"] is None
        else:
            assert (row["reason"], row["pathway"]) == ("budget", "exercise")
            assert row["provider_id"] is row["sent_at"] is row["body"] is None
    assert sum(report["sent"] for report in month.reports) == len(month.texts) + len(month.mails)
    for name in ("failed", "unknown", "expired", "retried", "rescued"):
        assert sum(report[name] for report in month.reports) == 0, name


def exercise_gives_way_on_the_days_of_the_others_and_the_ledger_says_so(month: Month) -> None:
    given_way = defaultdict(set)
    for row in month.ledger:
        if row["status"] == "skipped":
            given_way[row["patient"]].add((date.fromisoformat(row["due_date"]) - ENROLLED_ON).days)
    silent = [mrn for mrn in month.patients if mrn not in {row[0] for row in MAILED}]
    assert {frozenset(given_way[mrn]) for mrn in silent} == {frozenset({1, 3, 5, 8, 13, 29})}


def nobody_has_to_act_before_the_questions_have_been_put_again(month: Month) -> None:
    assert month.tasks == []  # the first, a call about the scan, would be on day 37: 24 after asking again


def mail_follows_the_patients_zone_hour_days_and_pathways(month: Month) -> None:
    assert month.days_of("M-1") == SILENT
    assert month.days_of("M-2") == {day: what for day, what in SILENT.items() if what[0] in ("vitamin_d", "dexa")}
    assert {row["sent_at"][11:16] for row in month.sent["M-2"]} == {"17:35", "16:35"}  # UTC, winter and summer
    three_a_week = [day for day in range(1, DAYS + 1) if day % 7 in (0, 2, 4)]
    assert month.days_of("M-3") == dict.fromkeys(three_a_week, ("exercise", "activity"))


def texts_speak_the_patients_language(month: Month) -> None:
    spanish = [mrn for mrn, patient in month.patients.items() if patient["language"] == "es"]
    english = next(mrn for mrn, patient in month.patients.items() if patient["language"] == "en-US")
    assert len(spanish) >= 1
    for mrn in spanish:
        pairs = zip(month.sent[mrn], month.sent[english], strict=True)
        assert all(theirs["body"] != ours["body"] for theirs, ours in pairs)
    assert "vitamina D" in month.sent["M-1"][0]["body"]
    assert "vitamina D" in month.sent[spanish[0]][0]["body"]


def the_first_text_says_how_to_stop_and_again_a_month_later_at_the_latest(month: Month) -> None:
    for mrn, rows in month.sent.items():
        if rows[0]["channel"] != "sms":
            continue
        with_stop = [date.fromisoformat(row["due_date"]) for row in rows if "STOP" in row["body"]]
        assert with_stop[0] == ENROLLED_ON + timedelta(days=1), mrn
        assert all(later - earlier <= timedelta(days=31) for earlier, later in itertools.pairwise(with_stop))


def activities_fit_the_patients_mobility_and_change_from_day_to_day(month: Month) -> None:
    for mrn, rows in month.sent.items():
        bodies = [row["body"] for row in rows if row["template"] == "activity"]
        assert all(today != tomorrow for today, tomorrow in itertools.pairwise(bodies)), mrn
    wheelchair = {row["body"] for row in month.sent["M-1"] if row["template"] == "activity"}
    assert len(wheelchair) >= 7


CHECKS = (
    every_living_patient_gets_exactly_what_the_pathways_say_day_by_day,
    the_deceased_are_neither_on_file_nor_ever_texted,
    every_message_goes_at_the_patients_own_time_on_both_sides_of_the_clock_change,
    the_provider_has_what_the_ledger_says_was_sent_and_nothing_twice,
    the_mailbox_has_what_the_ledger_says_was_mailed_and_nothing_twice,
    the_ledger_is_complete,
    exercise_gives_way_on_the_days_of_the_others_and_the_ledger_says_so,
    nobody_has_to_act_before_the_questions_have_been_put_again,
    mail_follows_the_patients_zone_hour_days_and_pathways,
    texts_speak_the_patients_language,
    the_first_text_says_how_to_stop_and_again_a_month_later_at_the_latest,
    activities_fit_the_patients_mobility_and_change_from_day_to_day,
)
