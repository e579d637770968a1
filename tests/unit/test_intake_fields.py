"""Single values of an intake: what is understood, and what is refused with which remedy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.calendar import Weekday
from scheduler.domain.people import Channel, Mobility, RiskFactor
from scheduler.services.intake.draft import FieldError, PhoneCheck
from scheduler.services.intake.emails import parse_email
from scheduler.services.intake.fields import (
    parse_birth_date,
    parse_channel,
    parse_exercise_days,
    parse_mobility,
    parse_pathways,
    parse_risk_factors,
    parse_time,
    parse_timezone,
    parse_yes_no,
)
from scheduler.services.intake.languages import parse_language
from scheduler.services.intake.names import PAGES, parse_mrn, parse_name
from scheduler.services.intake.phones import Phone, parse_phone

TODAY = date(2026, 11, 22)


def reason(parse: Callable[[str], object], text: str) -> str:
    with pytest.raises(FieldError) as caught:
        parse(text)
    return str(caught.value)


def valid(text: str) -> Phone:
    return parse_phone(text, country="US", check=PhoneCheck.VALID)


def possible(text: str) -> Phone:
    return parse_phone(text, country="US", check=PhoneCheck.POSSIBLE)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("(212) 736-5000", "+12127365000"),
        ("1 212 736 5000", "+12127365000"),
        ("+1.212.736.5000", "+12127365000"),
        ("212–736–5000", "+12127365000"),
        ("\u202a+1 212-736-5000\u202c", "+12127365000"),
        ("+44 7911 123456", "+447911123456"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
    ],
)
def test_a_phone_number_becomes_e164_however_it_is_written(text: str, number: str) -> None:
    assert valid(text) == Phone(number, landline=False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("212-736-5000 ext. 12", "extension"),
        ("212-736-5000 x12", "extension"),
        ("2127365000#12", "extension"),
        ("1-800-FLOWERS", "letters"),
        ("cell 212-736-5000", "letters"),
        ("123", "too short"),
        ("736-5000", "no area code"),
        ("212-736-5000, 212-736-5001", "more than one"),
        ("212-736-5000 / 212-736-5001", "one number only"),
        ("+12127365000123456", "one number only"),
        ("+999 123 4567", "country code"),
        ("07911 123456", "country code"),
        ("1.21274E+10", "spreadsheet has shortened"),
        ("=1+2", "not a phone number"),
        ("-", "not a phone number"),
    ],
)
@pytest.mark.parametrize("parse", [valid, possible])
def test_what_is_no_whole_phone_number_is_refused_under_either_check(
    parse: Callable[[str], Phone], text: str, why: str
) -> None:
    assert why in reason(parse, text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("555-907-9875", "no such phone number"),
        ("1-800-356-9377", "toll-free"),
        ("+1 900 555 1234", "premium-rate"),
    ],
)
def test_a_number_that_nobody_can_have_is_refused_only_when_validity_is_asked_for(text: str, why: str) -> None:
    assert why in reason(valid, text)
    assert possible(text).number.startswith("+1")


def test_without_a_country_only_numbers_with_a_country_code_are_understood() -> None:
    assert parse_phone("+12127365000", country="", check=PhoneCheck.VALID).number == "+12127365000"
    for check in PhoneCheck:
        message = reason(lambda text: parse_phone(text, country="", check=check), "212-736-5000")  # noqa: B023
        assert "with + and the code" in message


def test_a_landline_is_known_for_what_it_is_where_the_numbering_plan_tells() -> None:
    assert valid("+44 20 7946 0958").landline
    assert not valid("212-736-5000").landline  # the American plan does not tell


@given(
    digits=st.from_regex(r"[0-9]{9,12}", fullmatch=True),
    style=st.sampled_from(["{}", "+{}", "1 {}", "+1 ({})"]),
)
def test_the_short_way_to_american_numbers_agrees_with_the_library(digits: str, style: str) -> None:
    text = style.format(digits)
    try:
        expected = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        expected = None
    length_reason = phonenumbers.is_possible_number_with_reason(expected) if expected else None
    try:
        got = possible(text).number
    except FieldError:
        got = None
    if expected and length_reason == phonenumbers.ValidationResult.IS_POSSIBLE:
        assert got == phonenumbers.format_number(expected, phonenumbers.PhoneNumberFormat.E164)
    else:
        assert got is None


@given(st.integers(2_000_000_000, 9_999_999_999), st.sampled_from(["US", "CA", "PR", "AG", "DO", "JM"]))
def test_the_short_way_judges_validity_as_the_library_does(number: int, country: str) -> None:
    expected = phonenumbers.is_valid_number(phonenumbers.parse(str(number), country))
    try:
        parse_phone(str(number), country=country, check=PhoneCheck.VALID)
        refused = ""
    except FieldError as error:
        refused = str(error)
    assert ("no such phone number" not in refused) == expected


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ann.Lee@Example.ORG", "Ann.Lee@example.org"),
        ("o'neil+ms@sub.example.co.uk", "o'neil+ms@sub.example.co.uk"),
        ("zoe@bücher.example", "zoe@xn--bcher-kva.example"),
    ],
)
def test_an_email_address_keeps_its_local_part_and_gets_a_lower_case_domain(text: str, address: str) -> None:
    assert parse_email(text) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ann", "no @"),
        ("ann at example.org", "a space"),
        ("ann lee@example.org", "a space"),
        ("ann@example", "no dot"),
        ("ann@@example.org", "one @ too many"),
        ("a@example.org;b@example.org", "more than one"),
        ("Ann <ann@example.org>", "address only"),
        (".ann@example.org", "not an e-mail"),
        ("ann..lee@example.org", "not an e-mail"),
        ("ann@-example.org", "not an e-mail"),
        ("ann@10.0.0.1", "not an e-mail"),
        ("=cmd|x@example.org", "not an e-mail"),
        ("añn@example.org", "before the @"),
        ("a" * 65 + "@example.org", "too long"),
        ("a@" + "b." * 130 + "org", "too long"),
    ],
)
def test_what_is_no_email_address_is_refused(text: str, why: str) -> None:
    assert why in reason(parse_email, text)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("es-mx", "es-MX"),
        ("EN", "en"),
        ("es_MX", "es-MX"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("eng", "en"),
        ("spa-US", "es-US"),
        ("haw", "haw"),
    ],
)
def test_a_language_tag_gets_its_usual_form(text: str, tag: str) -> None:
    assert parse_language(text) == tag


def test_a_language_written_as_a_word_is_refused_with_the_tag_to_write() -> None:
    assert 'write "en"' in reason(parse_language, "English")
    assert 'write "es"' in reason(parse_language, "español")


@pytest.mark.parametrize("text", ["klingon", "e", "en-", "en us", "../en", "1", "en-u", "en-US-x"])
def test_what_is_no_language_tag_is_refused(text: str) -> None:
    assert "not a language tag" in reason(parse_language, text)


@pytest.mark.parametrize(("text", "wall"), [("09:30", time(9, 30)), ("9:30", time(9, 30)), ("14:05:00", time(14, 5))])
def test_a_contact_time_is_hours_and_minutes_of_a_24_hour_clock(text: str, wall: time) -> None:
    assert parse_time(text) == wall


@pytest.mark.parametrize("text", ["25:00", "9", "9:30 AM", "09.30", "0930", "12:60", "24:00", "٠٩:٣٠", "09:30:15"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    assert "HH:MM" in reason(parse_time, text) or "no such time" in reason(parse_time, text)


@pytest.mark.parametrize("text", ["31/12/1970", "1970-1-1", "19700101", "1970-W01-1", "1970-02-30", "1970-00-01"])
def test_only_iso_dates_that_exist_are_dates(text: str) -> None:
    assert "YYYY-MM-DD" in reason(lambda value: parse_birth_date(value, TODAY), text)


def test_a_birth_date_lies_between_120_years_ago_and_today() -> None:
    assert parse_birth_date("2026-11-22", TODAY) == TODAY
    assert "future" in reason(lambda value: parse_birth_date(value, TODAY), "2026-11-23")
    assert "120 years" in reason(lambda value: parse_birth_date(value, TODAY), "1905-12-31")


def test_a_time_zone_is_an_iana_name_and_no_abbreviation() -> None:
    assert parse_timezone("America/New_York") == "America/New_York"
    assert "America/New_York" in reason(parse_timezone, "EST")
    for text in ("Mars/Olympus", "../etc/passwd", "+05:00"):
        assert reason(parse_timezone, text)


def test_consent_is_yes_or_no_and_never_guessed() -> None:
    assert parse_yes_no("YES") is True
    assert parse_yes_no("no") is False
    for text in ("y", "1", "true", "maybe", "si"):
        assert "yes or no" in reason(parse_yes_no, text)


def test_names_of_choices_are_understood_in_any_case_and_spacing() -> None:
    assert parse_channel("SMS") is Channel.SMS
    assert parse_mobility("Standing Frame") is Mobility.STANDING_FRAME
    assert parse_risk_factors("Low vitamin D; SSRI;ssri;") == (RiskFactor.LOW_VITAMIN_D, RiskFactor.SSRI)


def test_a_wrong_choice_is_refused_with_the_right_ones_and_the_nearest() -> None:
    message = reason(parse_mobility, "wheel chair")
    assert "walking, limited, wheelchair, standing_frame" in message
    assert 'did you mean "wheelchair"?' in message
    assert "separate several with ;" in reason(parse_risk_factors, "steroids,ssri")


def test_exercise_days_are_short_or_full_names() -> None:
    assert parse_exercise_days("Mon; wednesday;FRI") == {Weekday.MON, Weekday.WED, Weekday.FRI}
    assert "mon;tue" in reason(parse_exercise_days, "mon,wed")


def test_pathways_are_those_that_exist_each_once_in_the_order_given() -> None:
    known = frozenset({"dexa", "vitamin_d"})
    assert parse_pathways("vitamin_d;DEXA;dexa", known) == ("vitamin_d", "dexa")
    assert 'did you mean "dexa"?' in reason(lambda text: parse_pathways(text, known), "dexxa")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Ann Lee ", "Ann Lee"),
        ("Ann\u00a0Lee", "Ann Lee"),
        ("Zoe\u0308", "Zoë"),
        ("'t Hooft", "'t Hooft"),
        ('William "Bill" Hart', 'William "Bill" Hart'),
        ("می\u200cنا", "می\u200cنا"),
    ],
)
def test_a_name_is_trimmed_and_composed_and_otherwise_left_alone(text: str, name: str) -> None:
    assert parse_name(text) == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("=cmd|'/c calc'!A1", "formula"),
        ("+Ann", "formula"),
        ("@SUM(A1)", "formula"),
        ("-Ann", "formula"),
        ("'=Ann", "formula"),
        ("Ann\nLee", "line break"),
        ("Ann\x07Lee", "invisible"),
        ("Ann\u202eLee", "invisible"),
        ("Ann\ud800", "invisible"),
        ('Ann "Lee', "quotation mark"),
        ("12345", "no letters"),
        ("A" * 201, "longer than 200"),
    ],
)
def test_a_name_that_could_do_harm_or_hides_something_is_refused(text: str, why: str) -> None:
    assert why in reason(parse_name, text)


def test_a_record_number_is_at_most_64_characters_and_no_mangled_number() -> None:
    assert parse_mrn(" 00123 ") == "00123"
    assert "longer than 64" in reason(parse_mrn, "9" * 65)
    assert "spreadsheet" in reason(parse_mrn, "1.23457E+11")
    assert "formula" in reason(parse_mrn, "=1+1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a/b", "slash or a backslash"),
        ("a\\b", "slash or a backslash"),
        (".", "only dots"),
        (" .. ", "only dots"),
        *((page, f'called "{page}"') for page in sorted(PAGES)),
    ],
)
def test_a_record_number_that_no_page_could_be_opened_for_is_refused(text: str, says: str) -> None:
    assert says in reason(parse_mrn, text)


@pytest.mark.parametrize("text", ["a.b", "..a", "NEW", "new-1", "a-b", "a b?#%2F"])
def test_other_record_numbers_have_a_page(text: str) -> None:
    assert parse_mrn(text) == text


@given(st.text())
def test_no_text_at_all_makes_a_field_fail_in_another_way_than_by_refusing(text: str) -> None:
    for parse in (
        parse_mrn,
        parse_name,
        parse_email,
        parse_language,
        parse_time,
        parse_timezone,
        valid,
        possible,
    ):
        try:
            parse(text)
        except FieldError as error:
            assert str(error)
