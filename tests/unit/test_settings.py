"""Settings: what holds without any, and one line for each that is missing, wrong or contradicts another."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.settings import NAMES, Settings, SettingsError, load_settings

TWILIO = {"BONEWISE_SMS": "twilio", "TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "token"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def faults_of(**environment: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environment)
    return caught.value.faults


def only_fault(**environment: str) -> str:
    (fault,) = faults_of(**environment)
    return fault


def test_nothing_needs_to_be_set() -> None:
    settings = load_settings({})
    assert settings.database_url == "sqlite:///var/bonewise.db"
    assert settings.keys_file == Path("var/keys")
    assert settings.secret_keys is None
    assert settings.public_url == "http://127.0.0.1:8000"
    assert (settings.sms, settings.email, settings.is_simulated) == ("simulated", "simulated", True)
    assert (settings.tick_seconds, settings.provider_timeout) == (1, 10)
    assert settings.twilio_api_url == "https://api.twilio.com"
    assert settings.notes == ()


def test_pathways_and_templates_are_found_from_any_folder() -> None:
    settings = load_settings({})
    assert (settings.config_dir / "pathways").is_dir()
    assert (settings.templates_dir / "messages").is_dir()


def test_a_config_folder_in_the_working_folder_comes_before_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "config" / "pathways").mkdir(parents=True)
    assert load_settings({}).config_dir == Path("config")


def test_the_data_folder_moves_database_and_keys_together() -> None:
    settings = load_settings({"BONEWISE_DATA_DIR": "/srv/bonewise"})
    assert settings.database_url == "sqlite:////srv/bonewise/bonewise.db"
    assert settings.keys_file == Path("/srv/bonewise/keys")


def test_a_tilde_in_a_folder_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/clinic")
    assert load_settings({"BONEWISE_DATA_DIR": "~/bonewise"}).data_dir == Path("/home/clinic/bonewise")


def test_a_tilde_of_nobody_is_a_fault() -> None:
    assert "there is no such user" in only_fault(BONEWISE_DATA_DIR="~nobody-of-this-name/x")


def test_an_empty_value_is_no_value() -> None:
    assert load_settings({"BONEWISE_SMS": " ", "BONEWISE_TICK_SECONDS": ""}) == load_settings({})


@pytest.mark.parametrize("name", ["BONEWISE_SMS", "BONEWISE_EMAIL"])
@pytest.mark.parametrize("value", ["Twilio", "SMTP", "yes", "simulated twilio"])
def test_a_channel_is_one_of_two_words(name: str, value: str) -> None:
    fault = only_fault(**{name: value})
    assert fault.startswith(f"{name} is {value!r}; write simulated or ")


@pytest.mark.parametrize(("name", "most"), [("BONEWISE_TICK_SECONDS", 3600), ("BONEWISE_PROVIDER_TIMEOUT", 20)])
@pytest.mark.parametrize("value", ["0", "-1", "abc", "nan", "inf", "1e9", "3601", "1 s"])
def test_seconds_are_a_number_above_0_and_not_too_many(name: str, most: int, value: str) -> None:
    expected = f"{name} is {value!r}; write a number of seconds above 0 and at most {most}"
    assert only_fault(**{name: value}) == expected


@pytest.mark.parametrize("value", ["0.2", "1", "60", "3600"])
def test_seconds_may_be_any_other_number(value: str) -> None:
    assert load_settings({"BONEWISE_TICK_SECONDS": value}).tick_seconds == float(value)


@pytest.mark.parametrize("name", ["BONEWISE_PUBLIC_URL", "TWILIO_API_URL"])
@pytest.mark.parametrize(
    "value",
    [
        "localhost",
        "localhost:8000",
        "ftp://host",
        "http://",
        "http://host:port",
        "http://host:99999",
        "http://a b",
        "https://host/?page=1",
        "https://host/#top",
        "https://user@host",
    ],
)
def test_an_address_is_http_or_https_with_a_host(name: str, value: str) -> None:
    fault = only_fault(**{name: value})
    assert fault.startswith(f"{name} is {value!r}; write an address such as http")


@pytest.mark.parametrize(("port", "leads_to"), [("8123", "8123"), ("", "8000"), ("abc", "8000"), ("99999", "8000")])
def test_without_an_address_links_lead_to_the_port_that_is_listened_on(port: str, leads_to: str) -> None:
    assert load_settings({"PORT": port}).public_url == f"http://127.0.0.1:{leads_to}"
    given = {"PORT": port, "BONEWISE_PUBLIC_URL": "https://care.example"}
    assert load_settings(given).public_url == "https://care.example"


def test_an_address_loses_the_slash_at_its_end() -> None:
    assert load_settings({"BONEWISE_PUBLIC_URL": "https://care.example/ms/"}).public_url == "https://care.example/ms"


@pytest.mark.parametrize(
    ("name", "holds"), [("BONEWISE_CONFIG_DIR", "pathways/"), ("BONEWISE_TEMPLATES_DIR", "messages/")]
)
def test_a_folder_that_is_not_there_is_named_with_what_it_should_hold(name: str, holds: str, tmp_path: Path) -> None:
    assert (
        only_fault(**{name: "/nowhere"})
        == f"{name} is '/nowhere', which is not there; name the folder that holds {holds}"
    )
    (tmp_path / "file").touch()
    assert "which is no folder" in only_fault(**{name: str(tmp_path / "file")})


@pytest.mark.parametrize(
    ("environment", "fault"),
    [
        (
            {"BONEWISE_SMS": "twilio", "TWILIO_AUTH_TOKEN": "x"},
            "TWILIO_ACCOUNT_SID is missing; BONEWISE_SMS=twilio needs it",
        ),
        (
            {**TWILIO, "TWILIO_ACCOUNT_SID": "SK1"},
            "TWILIO_ACCOUNT_SID is not the SID of an account; copy the one that begins with AC",
        ),
        ({**TWILIO, "TWILIO_API_KEY": "SK1"}, "TWILIO_API_SECRET is missing; TWILIO_API_KEY needs it"),
        ({**TWILIO, "TWILIO_API_SECRET": "s"}, "TWILIO_API_KEY is missing; TWILIO_API_SECRET needs it"),
        (
            {**TWILIO, "TWILIO_AUTH_TOKEN": ""},
            "TWILIO_AUTH_TOKEN is missing; BONEWISE_SMS=twilio needs it, or TWILIO_API_KEY and TWILIO_API_SECRET",
        ),
        (
            {"BONEWISE_EMAIL": "smtp"},
            "BONEWISE_SMTP_URL is missing; BONEWISE_EMAIL=smtp needs it, such as smtp://user:pass@host:587",
        ),
    ],
)
def test_what_a_channel_needs_and_lacks_is_named(environment: dict[str, str], fault: str) -> None:
    assert faults_of(**environment) == (fault,)


def test_a_channel_that_is_simulated_needs_nothing_of_a_provider() -> None:
    assert load_settings({"TWILIO_API_KEY": "SK1", "BONEWISE_SMTP_URL": "garbage"}).is_simulated


def test_every_fault_is_named_at_once() -> None:
    faults = faults_of(
        BONEWISE_SMS="twilio", BONEWISE_EMAIL="smtp", BONEWISE_TICK_SECONDS="x", BONEWISE_CONFIG_DIR="/no"
    )
    named = [fault.split()[0] for fault in faults]
    assert named == [
        "BONEWISE_CONFIG_DIR",
        "BONEWISE_TICK_SECONDS",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "BONEWISE_SMTP_URL",
    ]


def test_a_misspelt_setting_is_noted_with_the_one_meant() -> None:
    settings = load_settings({"BONEWISE_DATABSE_URL": "sqlite:///x.db", "BONEWISE_COLOUR": "green"})
    assert settings.notes == (
        "BONEWISE_COLOUR is not a setting and has no effect",
        "BONEWISE_DATABSE_URL is not a setting and has no effect; did you mean BONEWISE_DATABASE_URL?",
    )


def test_with_twilio_an_address_that_only_this_machine_reaches_is_noted() -> None:
    (note,) = load_settings(TWILIO).notes
    assert note.startswith("BONEWISE_PUBLIC_URL is http://127.0.0.1:8000, which Twilio cannot reach: ")
    assert load_settings({**TWILIO, "BONEWISE_PUBLIC_URL": "https://care.example"}).notes == ()
    assert load_settings({**TWILIO, "TWILIO_API_URL": "http://127.0.0.1:9999"}).notes == ()


def test_with_twilio_a_host_name_with_an_underscore_stops_the_start() -> None:
    address = "https://bone_wise.example.org/ms_clinic"
    with pytest.raises(SettingsError) as refused:
        load_settings({**TWILIO, "BONEWISE_PUBLIC_URL": address})
    (fault,) = refused.value.faults
    assert fault.startswith("BONEWISE_PUBLIC_URL has an underscore in its host name, bone_wise.example.org, ")
    assert load_settings({"BONEWISE_PUBLIC_URL": address}).public_url == address
    elsewhere = "https://bonewise.example.org/ms_clinic"
    assert load_settings({**TWILIO, "BONEWISE_PUBLIC_URL": elsewhere}).public_url == elsewhere


def test_with_an_api_key_alone_it_is_noted_that_callbacks_cannot_be_verified() -> None:
    keys = {"TWILIO_AUTH_TOKEN": "", "TWILIO_API_KEY": "SK1", "TWILIO_API_SECRET": "s"}
    (note,) = load_settings({**TWILIO, **keys, "BONEWISE_PUBLIC_URL": "https://care.example"}).notes
    assert note.startswith("without TWILIO_AUTH_TOKEN no callback")


def test_secrets_stay_out_of_the_text_of_the_settings() -> None:
    secrets = {
        "BONEWISE_SECRET_KEYS": "hidden-keys",
        "TWILIO_AUTH_TOKEN": "hidden-token",
        "TWILIO_API_SECRET": "hidden-secret",
        "BONEWISE_SMTP_URL": "smtp://user:hidden-password@host",
    }
    assert "hidden" not in repr(load_settings(secrets))


def test_the_list_of_names_is_the_list_of_fields() -> None:
    """A new setting has to be on the list, or it would be noted as misspelt."""
    ours = {name.removeprefix("BONEWISE_").lower() for name in NAMES}
    assert ours == {name for name in Settings.__slots__ if name != "notes"}


def test_a_dotenv_file_in_the_working_folder_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# ours\nexport BONEWISE_TICK_SECONDS=5\nBONEWISE_DATA_DIR='my data'\n")
    settings = load_settings()
    assert (settings.tick_seconds, settings.data_dir) == (5, Path("my data"))
    monkeypatch.setenv("BONEWISE_TICK_SECONDS", "7")
    assert load_settings().tick_seconds == 7


def test_an_empty_variable_does_not_hide_what_the_dotenv_file_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("BONEWISE_TICK_SECONDS=5\n")
    monkeypatch.setenv("BONEWISE_TICK_SECONDS", "")
    assert load_settings().tick_seconds == 5


def test_a_line_of_the_dotenv_file_that_is_no_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BONEWISE_SMS=simulated\n=x\nBONEWISE_EMAIL simulated\n")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.faults == (
        ".env:2: this is no setting; write NAME=value",
        ".env:3: this is no setting; write NAME=value",
    )


def test_a_dotenv_file_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"BONEWISE_SMS=\xff\xfe\n")
    with pytest.raises(SettingsError, match=r"\.env is not UTF-8 text; save it as UTF-8"):
        load_settings()


def test_a_dotenv_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfBONEWISE_TICK_SECONDS=5\r\n")
    assert load_settings().tick_seconds == 5


# Signing in by a provider

OIDC = {
    "BONEWISE_OIDC_ISSUER": "https://id.example/",
    "BONEWISE_OIDC_CLIENT_ID": "bonewise",
    "BONEWISE_OIDC_CLIENT_SECRET": "hidden-secret",
}


def test_without_its_settings_nobody_signs_in_by_a_provider() -> None:
    settings = load_settings({})
    assert (settings.oidc_issuer, settings.oidc_second_factor, settings.oidc_acr) == ("", "proven", ())


def test_a_provider_is_named_exactly_as_it_names_itself_slash_included() -> None:
    settings = load_settings({**OIDC, "BONEWISE_OIDC_ACR": "silver, gold", "BONEWISE_OIDC_CLINICS": "harbor lake"})
    assert settings.oidc_issuer == "https://id.example/"
    assert (settings.oidc_acr, settings.oidc_clinics) == (("silver", "gold"), ("harbor", "lake"))
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize("missing", OIDC)
def test_what_a_provider_needs_and_lacks_is_named(missing: str) -> None:
    there = "BONEWISE_OIDC_CLIENT_ID" if missing == "BONEWISE_OIDC_ISSUER" else "BONEWISE_OIDC_ISSUER"
    assert only_fault(**{**OIDC, missing: ""}) == f"{missing} is missing; {there} needs it"


@pytest.mark.parametrize(
    "value", ["id.example", "https://", "http://[bad", "https://id.example?x=1", "ftp://id.example"]
)
def test_a_provider_s_name_is_an_address(value: str) -> None:
    assert only_fault(**{**OIDC, "BONEWISE_OIDC_ISSUER": value}).startswith(
        f"BONEWISE_OIDC_ISSUER is {value!r}; write"
    )


def test_a_provider_elsewhere_is_reached_over_https_alone() -> None:
    fault = only_fault(**{**OIDC, "BONEWISE_OIDC_ISSUER": "http://id.example"})
    assert fault.endswith("write its https address: over http anybody could answer")
    assert load_settings({**OIDC, "BONEWISE_OIDC_ISSUER": "http://127.0.0.1:9000"}).oidc_issuer


@pytest.mark.parametrize("label", ["x" * 61, "Sign\x07in"])
def test_the_words_of_the_button_fit_on_it(label: str) -> None:
    assert only_fault(**{**OIDC, "BONEWISE_OIDC_LABEL": label}).startswith("BONEWISE_OIDC_LABEL is too long")
