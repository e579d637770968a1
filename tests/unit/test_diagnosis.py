"""What the figures and the surroundings of an installation say is wrong: the thing, the place and the remedy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from scheduler.channels.errors import load_error_table
from scheduler.channels.refusals import meaning_of_refusal
from scheduler.domain.breaker import Breaker
from scheduler.domain.people import Channel
from scheduler.records import Clinic
from scheduler.services.diagnosis import NO_BEAT, QUEUE_LATE, SKEW, diagnose, in_words
from scheduler.services.findings import Finding, Topic
from scheduler.services.overview import LATE
from scheduler.services.surroundings import LEAST_SPACE, disk_findings, public_url_findings, zone_findings
from scheduler.services.vitals import Queue, Refused, Vitals
from scheduler.settings import load_settings

NOW = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
NOTHING = timedelta()
SECOND = timedelta(seconds=1)
CLINIC = Clinic(
    id=1,
    code="harbor",
    name="Harbor Clinic",
    message_name="Harbor Clinic",
    timezone="America/New_York",
    country="US",
    sms_from="+16175550100",
    email_from="care@harbor.example",
)
ERRORS = load_error_table(load_settings({}).config_dir / "provider_errors.yaml")
WELL = Vitals(
    at=NOW,
    clinics=(CLINIC,),
    due=0,
    due_for=NOTHING,
    waiting={},
    sending={},
    abandoned=0,
    unknown=0,
    for_person=0,
    refused=(),
    tasks=0,
    tasks_overdue=0,
    beat_for=SECOND,
    workers=1,
    ahead={},
    skew=NOTHING,
    zone_data="2026a",
)


def explain(one: Refused) -> tuple[str, str] | None:
    return meaning_of_refusal(ERRORS, one.channel, one.breaker.code, of_account=one.is_account)


def found(real: frozenset[Channel] = frozenset(Channel), **changed: Any) -> list[Finding]:
    """What is wrong with an installation that is well but for these figures."""
    return diagnose(replace(WELL, **changed), explain=explain, real=real)


def only(**changed: Any) -> Finding:
    (finding,) = found(**changed)
    return finding


def refused(channel: Channel, code: str | None, *, is_account: bool = True, clinics: tuple[str, ...] = ()) -> Refused:
    return Refused(
        channel=channel,
        is_account=is_account,
        clinics=clinics,
        breaker=Breaker(open_since=NOW - timedelta(hours=3), code=code),
        open_for=timedelta(hours=3),
    )


def test_nothing_is_wrong_with_an_installation_that_is_well() -> None:
    assert found() == []


# Workers and clocks


def test_a_service_that_never_ran_is_to_be_started() -> None:
    finding = only(beat_for=None, workers=0)
    assert finding.topic is Topic.WORKER
    assert "ever run" in finding.what
    assert "`bonewise serve`" in finding.remedy


def test_a_worker_that_went_silent_is_told_with_how_long_ago() -> None:
    assert found(beat_for=NO_BEAT) == []
    assert "sign of life for 3 hours" in only(beat_for=timedelta(hours=3)).what


@pytest.mark.parametrize(("skew", "side"), [(2 * SKEW, "ahead of"), (-2 * SKEW, "behind")])
def test_a_database_whose_clock_differs_is_named_with_its_side(skew: timedelta, side: str) -> None:
    finding = only(skew=skew)
    assert finding.what == f"the database's clock is 10 seconds {side} this machine's"
    assert "NTP" in finding.remedy


def test_clocks_that_differ_a_little_are_fine() -> None:
    assert found(skew=SKEW, ahead={"there:1": SKEW}) == []


def test_a_worker_whose_clock_is_ahead_is_named() -> None:
    finding = only(ahead={"there:1": timedelta(minutes=5)})
    assert (finding.topic, finding.where) == (Topic.CLOCK, "worker there:1")
    assert "5 minutes ahead" in finding.what


# Refusals


def test_a_refused_account_is_told_with_since_when_which_code_and_what_that_means() -> None:
    finding = only(refused=(refused(Channel.SMS, "20003"),))
    assert finding.topic is Topic.SENDER
    assert finding.where == "all clinics, texts"
    assert "for 3 hours, since 2026-03-03 12:00 UTC: code 20003, " in finding.what
    assert "did not accept the account SID" in finding.what
    assert "check TWILIO_ACCOUNT_SID" in finding.remedy
    assert "once it gets through" in finding.remedy


def test_a_refused_sender_is_told_by_its_clinics_and_not_by_its_number() -> None:
    finding = only(refused=(refused(Channel.SMS, "21606", is_account=False, clinics=("harbor", "river")),))
    assert finding.where == "clinic harbor, river"
    assert "6175550100" not in str(finding)


@pytest.mark.parametrize(
    ("code", "is_account", "words"),
    [
        ("535 5.7.8", True, "did not accept the user name and password"),
        ("535", True, "did not accept the user name and password"),
        ("550", False, "refuses our sender address"),
        ("550 5.1.8", False, "domain of our sender address does not exist"),
        ("tls", True, "encrypted connection to the provider failed"),
        ("no_starttls", True, "offers no encryption"),
        ("odd", True, "does not list"),
        ("timeout", True, "does not answer in time"),
        ("dns", True, "host name is not found"),
        (None, True, "gave no code"),
    ],
)
def test_what_a_mail_server_says_is_put_in_words(code: str | None, is_account: bool, words: str) -> None:
    finding = only(refused=(refused(Channel.EMAIL, code, is_account=is_account, clinics=("harbor",)),))
    assert words in finding.what
    assert finding.remedy


def test_a_code_of_twilio_that_is_not_listed_is_said_to_be_so() -> None:
    finding = only(refused=(refused(Channel.SMS, "99999"),))
    assert "does not list" in finding.what
    assert "the provider's own log" in finding.remedy


# What waits


def test_patients_who_are_due_for_long_say_that_nothing_plans() -> None:
    assert found(due=3, due_for=LATE) == []
    finding = only(due=3, due_for=timedelta(minutes=20))
    assert finding.what == "3 patients are due and not planned for, the first for 20 minutes"
    assert finding.topic is Topic.PLANNING


def test_messages_that_wait_for_long_say_that_delivery_does_not_keep_up() -> None:
    assert found(waiting={Channel.SMS: Queue(1, QUEUE_LATE)}) == []
    finding = only(waiting={Channel.SMS: Queue(1, timedelta(hours=2))})
    assert finding.what == "1 message is waiting to go as texts, the first for 2 hours"


def test_messages_that_wait_because_of_a_refusal_are_not_told_twice() -> None:
    findings = found(
        waiting={Channel.SMS: Queue(7, timedelta(hours=2)), Channel.EMAIL: Queue(1, timedelta(hours=2))},
        refused=(refused(Channel.SMS, "20003"),),
    )
    assert [finding.topic for finding in findings] == [Topic.SENDER, Topic.DELIVERY]
    assert "e-mail" in findings[1].where


def test_what_only_a_person_can_settle_is_never_to_be_sent_again() -> None:
    assert found(unknown=5) == [], "the provider is being asked"
    finding = only(unknown=5, for_person=2)
    assert "2 messages" in finding.what
    assert "never send again" in finding.remedy


def test_messages_of_a_dead_worker_are_told() -> None:
    assert only(abandoned=1).what == "a worker died while it handed over 1 message"


def test_overdue_tasks_are_told_and_are_no_fault_of_the_installation() -> None:
    finding = only(tasks=4, tasks_overdue=1)
    assert (finding.what, finding.is_doubt) == ("1 task is overdue", True)


# Clinics


def test_a_clinic_without_any_sender_reaches_nobody() -> None:
    mute = replace(CLINIC, sms_from=None, email_from=None)
    finding = only(clinics=(mute,), real=frozenset({Channel.SMS}))
    assert (finding.where, finding.is_doubt) == ("clinic harbor", False)
    assert "none of its patients can be reached" in finding.what
    remedy = "give it one with `bonewise clinic set --clinic harbor --sms-from NUMBER`, or --messaging-service"
    assert finding.remedy == remedy


def test_a_clinic_with_one_of_two_senders_may_be_meant_so() -> None:
    finding = only(clinics=(replace(CLINIC, email_from=None),))
    assert finding.is_doubt
    assert "--email-from" in finding.remedy


def test_a_messaging_service_is_a_sender() -> None:
    assert found(clinics=(replace(CLINIC, sms_from=None, messaging_service="MG" + "0" * 32),)) == []


def test_simulated_channels_need_no_sender() -> None:
    assert found(clinics=(replace(CLINIC, sms_from=None, email_from=None),), real=frozenset()) == []


# The public address

TWILIO_URL = "https://api.twilio.com"


def about(url: str, *, twilio_url: str | None = TWILIO_URL, mails_leave: bool = False) -> list[Finding]:
    return list(public_url_findings(url, twilio_url=twilio_url, mails_leave=mails_leave))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "http://localhost:8000",
        "https://192.168.1.20",
        "https://[::1]:8000",
        "https://0.0.0.0",
        "https://server",
        "https://bonewise.local",
    ],
)
def test_an_address_that_twilio_cannot_reach_loses_replies_and_receipts(url: str) -> None:
    (finding,) = about(url)
    assert finding.where == "BONEWISE_PUBLIC_URL"
    assert "replies and receipts do not arrive" in finding.what
    assert not finding.is_doubt


def test_an_address_that_twilio_refuses_or_that_is_not_encrypted_is_told() -> None:
    assert "underscore" in about("https://bone_wise.example.org")[0].what
    assert "not encrypted" in about("http://bonewise.example.org")[0].what


def test_a_public_encrypted_address_is_fine() -> None:
    assert about("https://bonewise.example.org") == []


def test_patients_have_to_reach_the_links_in_their_mails() -> None:
    (finding,) = about("http://127.0.0.1:8000", twilio_url=None, mails_leave=True)
    assert "cannot be reached by patients" in finding.what


@pytest.mark.parametrize("twilio_url", [None, "http://127.0.0.1:9999"])
def test_where_nothing_leaves_the_machine_any_address_will_do(twilio_url: str | None) -> None:
    assert about("http://127.0.0.1:8000", twilio_url=twilio_url) == []


# Disk and zones


def test_a_folder_that_is_full_or_cannot_be_written_to_is_told() -> None:
    assert list(disk_findings(folder="/srv", free=LEAST_SPACE, is_writable=True)) == []
    full, closed = (
        list(disk_findings(folder="/srv", free=LEAST_SPACE - 1, is_writable=True)),
        list(disk_findings(folder="/srv", free=LEAST_SPACE, is_writable=False)),
    )
    assert "only 199 MB" in full[0].what
    assert "cannot be written to" in closed[0].what
    assert {full[0].where, closed[0].where} == {"/srv"}


@pytest.mark.parametrize(
    ("today", "is_old"), [(date(2026, 12, 31), False), (date(2027, 6, 29), False), (date(2027, 7, 15), True)]
)
def test_zone_data_grows_old_half_a_year_after_its_year(today: date, is_old: bool) -> None:
    findings = list(zone_findings(installed="2026a", planned_with="2026a", today=today))
    assert [finding.topic for finding in findings] == [Topic.ZONES] * is_old


def test_contacts_worked_out_with_other_zone_data_are_a_doubt_until_the_next_tick() -> None:
    (finding,) = zone_findings(installed="2026b", planned_with="2026a", today=date(2026, 3, 3))
    assert finding.is_doubt
    assert "release 2026a" in finding.what
    assert list(zone_findings(installed="2026b", planned_with=None, today=date(2026, 3, 3))) == []


# Words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7199, "119 minutes"),
        (7200, "2 hours"),
        (1e6, "11 days"),
    ],
)
def test_lengths_of_time_are_said_as_people_do(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("sentence", "what", "remedy"),
    [
        ("the disk is full; free some space", "the disk is full", "free some space"),
        ("X is odd; did you mean Y?", "X is odd", "did you mean Y?"),
        ("it runs on sqlite:///...", "it runs on sqlite:///...", "look there"),
        ("one; two; three.", "one", "two; three"),
    ],
)
def test_a_finding_is_made_of_a_sentence_that_says_what_and_what_to_do(sentence: str, what: str, remedy: str) -> None:
    made = Finding.from_sentence(sentence, topic=Topic.DATABASE, where="here", remedy="look there")
    assert (made.what, made.remedy) == (what, remedy)


def test_a_finding_reads_as_place_thing_and_remedy() -> None:
    finding = Finding(topic=Topic.DISK, what="it is full", where="/srv", remedy="free some space")
    assert str(finding) == "/srv: it is full. Free some space."
