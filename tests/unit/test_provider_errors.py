"""The provider error table: every code we know, safe answers for those we do not, faults by line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.channels.errors import (
    FaultyErrorTableError,
    SmtpStage,
    error_table_faults,
    load_error_table,
)
from scheduler.ports import ErrorClass

SHIPPED = Path(__file__).parents[2] / "config" / "provider_errors.yaml"
TABLE = load_error_table(SHIPPED)

P, S, C, T, A = (
    ErrorClass.PERMANENT,
    ErrorClass.STOPPED,
    ErrorClass.CONFIGURATION,
    ErrorClass.TRANSIENT,
    ErrorClass.AMBIGUOUS,
)
KNOWN = {
    P: [21211, 21614, 21635, 30005, 30006, 63003, 63024],
    S: [21610, 30004, 30640, 63014],
    C: [
        *(20003, 20005, 30002, 20404, 21408, 21602, 21603, 21606, 21661, 21601, 21608, 21612, 21617, 21660),
        *(30007, 30032, 30034, 30450, 35111, 35114, 35115, 35117, 90007, 63016, 63021, 11200, 11217, 11243),
    ],
    T: [20429, 21611, 30001, 30003, 30017, 30018, 30022, 30023, 30036, 30500, 30610, 63018, 63036],
    A: [20500, 30008],
}


@pytest.mark.parametrize(("error_class", "code"), [(c, code) for c, codes in KNOWN.items() for code in codes])
def test_each_known_twilio_code_is_listed_with_its_class(error_class: ErrorClass, code: int) -> None:
    assert str(code) in TABLE.twilio_codes
    assert TABLE.twilio(code) is error_class
    assert TABLE.twilio(str(code)) is error_class


@pytest.mark.parametrize("code", [None, "", 0, 99999, "21", "banana", "-1", 1000000])
def test_an_unknown_twilio_code_is_ambiguous(code: str | int | None) -> None:
    assert TABLE.twilio(code) is A


@pytest.mark.parametrize(
    ("status", "error_class"),
    [(401, C), (404, C), (429, T), (408, T), (418, A), (301, C), (500, A), (502, A), (503, A)],
)
def test_an_http_status_stands_in_for_a_missing_code(status: int, error_class: ErrorClass) -> None:
    assert TABLE.twilio(status) is error_class


@pytest.mark.parametrize(
    ("reply", "status", "error_class"),
    [
        (550, "5.1.1", P),
        (550, "5.7.1", C),
        (550, "5.7.515", C),  # by its family
        (554, "5.7.13", P),
        (552, "5.2.2", T),  # a full mailbox empties again, whatever its first digit
        (452, "4.2.2", T),
        (451, "4.3.99", T),
        (550, "5.0.0", P),  # says nothing, so the reply does
        (550, None, P),
        (450, None, T),
        (554, None, A),
        (554, "5.9.9", A),
    ],
)
def test_a_refused_recipient_is_judged_by_its_mail_status_then_by_the_reply(
    reply: int, status: str | None, error_class: ErrorClass
) -> None:
    assert TABLE.smtp(SmtpStage.RECIPIENT, reply, status) is error_class


@pytest.mark.parametrize("stage", [SmtpStage.CONNECT, SmtpStage.LOGIN, SmtpStage.SENDER])
def test_a_refusal_of_ourselves_never_marks_the_patients_address_as_bad(stage: SmtpStage) -> None:
    assert {TABLE.smtp(stage, reply, None) for reply in range(500, 600)} == {C}


@given(
    st.sampled_from(SmtpStage),
    st.integers(-1, 999),
    st.none() | st.text() | st.from_regex(r"\d\.\d{1,4}\.\d{1,4}"),
)
def test_looking_a_mail_reply_up_never_fails(stage: SmtpStage, reply: int, status: str | None) -> None:
    assert TABLE.smtp(stage, reply, status) in ErrorClass


@given(st.none() | st.integers() | st.text())
def test_looking_a_twilio_code_up_never_fails(code: str | int | None) -> None:
    assert TABLE.twilio(code) in ErrorClass


def test_the_shipped_table_is_without_faults() -> None:
    assert error_table_faults(SHIPPED) == []


def test_an_entry_explains_itself_and_says_what_to_do() -> None:
    entry = TABLE.twilio_entry(20003)
    assert "Twilio" in entry.meaning
    assert "TWILIO_AUTH_TOKEN" in entry.action


def shipped_with(tmp_path: Path, old: str, new: str) -> Path:
    text = SHIPPED.read_text("utf-8")
    assert old in text
    path = tmp_path / "errors.yaml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    return path


def line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text("utf-8").splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("old", "new", "marker", "words"),
    [
        ("  21610: {class: stopped", "  21610: {class: stoped", "  21610:", "unknown class 'stoped'"),
        ("  21610:", "  2161O:", "2161O", "five-digit"),
        ("  21614:", "  21211:", 'not a mobile number"}', "stands twice"),
        ('class: transient, meaning: "too many', 'meaning: "too many', "  20429:", "no class"),
        ("  5.1.1:", "  5.1:", "  5.1: ", "mail status"),
        ("  recipient:\n", "  receiver:\n", "  receiver:", "unknown stage 'receiver'"),
        ("\nhttp:\n", "\nweb:\n", "web:", "unknown section 'web'"),
        ('action: "goes the next day"', 'advice: "wait"', "advice:", "unknown field 'advice'"),
        ('meaning: "the message has no text"', "meaning: ''", "  21602:", "must be text"),
        (
            '{class: configuration, meaning: "the message has no text"}',
            "oops",
            "21602: oops",
            "'name: value'",
        ),
    ],
)
def test_a_fault_names_its_line_and_what_is_wrong(
    tmp_path: Path, old: str, new: str, marker: str, words: str
) -> None:
    path = shipped_with(tmp_path, old, new)
    found = [fault for fault in error_table_faults(path) if words in fault.message]
    assert [fault.line for fault in found] == [line_of(path, marker)]
    assert found[0].path == str(path)


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "errors.yaml"
    path.write_text("twilio:\n  1: {class: permanent, meaning: x}\n  21211: {class: bad, meaning: x}\nhttp: 3\n")
    faults = error_table_faults(path)
    assert {fault.line for fault in faults} >= {2, 3, 4}
    assert any("section smtp_status is missing" in fault.message for fault in faults)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"- a\n- b\n", "must have the sections"),
        (b"twilio: [1, 2\n", "not valid YAML"),
        (b"twilio: \xff\n", "not UTF-8"),
        (b"twilio: \x00\n", "not valid YAML"),
    ],
)
def test_a_file_that_is_no_table_at_all_is_one_clear_fault(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "errors.yaml"
    path.write_bytes(content)
    (fault,) = error_table_faults(path)
    assert words in fault.message


def test_a_missing_file_is_a_fault_with_a_remedy(tmp_path: Path) -> None:
    (fault,) = error_table_faults(tmp_path / "gone.yaml")
    assert "cannot be read" in fault.message
    assert "restore" in fault.message


def test_a_faulty_table_is_not_loaded(tmp_path: Path) -> None:
    path = shipped_with(tmp_path, "class: stopped", "class: halted")
    with pytest.raises(FaultyErrorTableError, match=r"errors\.yaml:\d+: .*halted") as caught:
        load_error_table(path)
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize("stage", SmtpStage)
def test_every_stage_has_an_answer_for_every_refusal(stage: SmtpStage) -> None:
    assert {"4xx", "5xx"} <= set(TABLE.smtp_replies[stage])
