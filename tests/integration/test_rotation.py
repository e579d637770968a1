"""Key rotation: what was sealed under an old key is sealed under the new one, and can still be found."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler.bootstrap import App
from scheduler.domain.people import Channel
from scheduler.records import Clinic
from scheduler.services.clinics import NewClinic, add_clinic
from scheduler.services.importing import import_rows
from scheduler.services.intake.assemble import draft_from_cells
from scheduler.services.intake.draft import IntakeDefaults, PhoneCheck
from scheduler.settings import load_settings
from scheduler.store.engine import reading
from scheduler.store.rotation import sealed_columns
from scheduler.store.tables import metadata, patients
from scheduler.store.vault import Vault, load, save

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> App:
    app = App(load_settings({"BONEWISE_DATABASE_URL": database_url, "BONEWISE_DATA_DIR": str(tmp_path / "var")}))
    app.initialise()
    return app


def enrol(app: App, count: int) -> Clinic:
    clinic = add_clinic(app.store, NewClinic(code="c", name="Clinic", timezone="America/New_York"), now=NOW).clinic
    defaults = IntakeDefaults(
        country="US", phone_check=PhoneCheck.POSSIBLE, pathway_names=frozenset(), today=date(2026, 3, 2)
    )
    rows = [
        draft_from_cells(
            {"mrn": f"m{n}", "name": f"Name {n}", "phone": f"+1617555{n:04}", "email": f"M{n}@example.org"},
            defaults=defaults,
        )
        for n in range(count)
    ]
    import_rows(app.store, app.rules, clinic, rows, now=NOW, by="test")
    return clinic


def restarted(app: App) -> App:
    return App(app.settings)


def test_everything_is_sealed_under_the_new_key_and_reads_as_before(app: App) -> None:
    clinic = enrol(app, 1200)
    with app.store.reading() as unit:
        before = unit.patients.of_clinic(clinic.id)
    changed = app.rotate_keys(lambda _: None)
    app.close()
    after = restarted(app)
    assert changed == 1200
    with after.store.reading() as unit:
        assert unit.patients.of_clinic(clinic.id) == before
    with reading(after.engine) as connection:
        sealed = [patients.c[name] for name in sealed_columns(patients)]
        blobs = [blob for row in connection.execute(select(*sealed)) for blob in row if blob is not None]
    assert blobs
    assert not any(after.vault.needs_rotation(blob) for blob in blobs)


def test_a_patient_is_found_by_number_and_address_without_the_old_key(app: App) -> None:
    clinic = enrol(app, 3)
    app.rotate_keys(lambda _: None)
    app.close()
    keys = app.settings.keys_file
    save(keys, load(keys).with_only_newest())
    after = restarted(app)
    with after.store.reading() as unit:
        by_phone = unit.patients.by_address(Channel.SMS, "+16175550001", clinic_id=clinic.id)
        by_email = unit.patients.by_address(Channel.EMAIL, "m2@example.org", clinic_id=clinic.id)
    assert [patient.mrn for patient in by_phone] == ["m1"]
    assert [patient.mrn for patient in by_email] == ["m2"]


def test_an_interrupted_rotation_reads_and_finishes_when_run_again(app: App) -> None:
    clinic = enrol(app, 1200)

    class PulledPlugError(Exception):
        pass

    def pull_the_plug(_: int) -> None:
        raise PulledPlugError

    with pytest.raises(PulledPlugError):
        app.rotate_keys(pull_the_plug)
    app.close()
    halfway = restarted(app)
    with halfway.store.reading() as unit:
        assert len(unit.patients.of_clinic(clinic.id)) == 1200
        assert unit.patients.by_address(Channel.SMS, "+16175550001") != []
        assert unit.patients.by_address(Channel.SMS, "+16175551199") != []
    assert halfway.rotate_keys(lambda _: None) == 1200


def test_rotating_with_nothing_old_changes_nothing(app: App) -> None:
    from scheduler.store.rotation import reseal

    enrol(app, 3)
    assert reseal(app.engine, app.vault) == 0


def test_every_place_that_holds_personal_text_is_a_sealed_column() -> None:
    """A new column for a name, number, address or text has to be `Sealed`, or it would stand in the clear."""
    personal = {"name", "birth_date", "phone", "email", "address", "sender", "body", "subject", "note", "named"}
    outside = {"clinics", "staff", "meta", "api_keys"}  # the clinic's own data, and what it calls a program
    clear = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        if table.name not in outside
        for column in table.c
        if column.name in personal and column.name not in sealed_columns(table)
    ]
    assert clear == ["simulated_inbox.sender"]  # the clinic's own number


def test_the_vault_of_another_installation_opens_nothing(app: App, tmp_path: Path) -> None:
    from scheduler.store.vault import KeyRing, SealBroken, make_key

    enrol(app, 1)
    stranger = Vault(KeyRing.parse(make_key()))
    with reading(app.engine) as connection:
        blob = connection.execute(select(patients.c.name)).scalar_one()
    with pytest.raises(SealBroken):
        stranger.open("patients.name", blob)
