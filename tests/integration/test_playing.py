"""Letting the sample clinic's clock run fast: one runner at a time, paused by anybody, and nothing left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scheduler.bootstrap import App
from scheduler.clock import SystemClock
from scheduler.services.playing import Play, Player, read_play
from scheduler.services.sample import SAMPLE_CODE, load_sample
from scheduler.settings import load_settings
from tests.support.waiting import wait_until
from tests.support.web import SMTP, browser, form_token

NOTE = "clock_play"


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    """An installation with the sample clinic, enrolled but with no days behind it."""
    app = App(load_settings({"BONEWISE_DATABASE_URL": database_url, "BONEWISE_DATA_DIR": str(tmp_path / "var")}))
    app.initialise()
    load_sample(app.store, app.rules, is_simulated=True, now=app.clock.now())
    yield app
    app.close()


def player_of(app: App, *, length: timedelta, lasts: timedelta) -> Player:
    assert app.simulated_time is not None
    return Player(
        store=app.store,
        moves=app.simulated_time,
        clock=app.clock,
        wall=SystemClock(),
        length=length,
        lasts=lasts,
    )


def state(app: App, player: Player) -> Play | None:
    with app.store.reading() as unit:
        return player.state(unit)


def is_running(app: App, player: Player) -> bool:
    return player.is_running(state(app, player))


def ahead(app: App) -> timedelta:
    return app.clock.now() - datetime.now(UTC)


def test_a_run_comes_to_its_end_and_all_that_was_due_on_the_way_has_gone(app: App) -> None:
    player = player_of(app, length=timedelta(days=2), lasts=timedelta(seconds=1))
    began = app.clock.now()
    player.play()
    assert is_running(app, player)
    wait_until(lambda: state(app, player) is None, what="the end of the run", seconds=120)
    player.close()
    assert timedelta(days=2) <= app.clock.now() - began < timedelta(days=2, minutes=5)
    with app.store.reading() as unit:
        clinic = unit.installation.clinic(SAMPLE_CODE)
        assert clinic is not None
        sent = [one.sent_at for one in unit.ledger.entries(clinic.id) if one.sent_at]
        assert unit.patients.next_due() is None or unit.patients.next_due() > app.clock.now()  # type: ignore[operator]
    assert len(sent) >= 10
    assert len({at.replace(minute=0, second=0, microsecond=0) for at in sent}) > 3, "they went at their own hours"


def test_a_paused_clock_stands_and_goes_on_to_the_end_it_had(app: App) -> None:
    player = player_of(app, length=timedelta(days=3), lasts=timedelta(seconds=20))
    player.play()
    first = state(app, player)
    wait_until(lambda: ahead(app) > timedelta(hours=3), what="the clock to move")
    player.pause()
    assert not is_running(app, player)
    player.close()
    stood = ahead(app)
    assert first is not None
    again = player_of(app, length=timedelta(days=3), lasts=timedelta(seconds=1))
    again.play()
    resumed = state(app, again)
    assert resumed is not None
    assert (resumed.began, resumed.until) == (first.began, first.until)
    wait_until(lambda: state(app, again) is None, what="the end of the run", seconds=120)
    again.close()
    assert stood < ahead(app) < timedelta(days=3, minutes=5)


def test_play_pressed_twice_runs_once(app: App) -> None:
    player = player_of(app, length=timedelta(days=3), lasts=timedelta(seconds=60))
    other = player_of(app, length=timedelta(days=3), lasts=timedelta(seconds=60))
    player.play()
    before = state(app, player)
    other.play()
    player.play()
    after = state(app, player)
    assert before is not None
    assert after is not None
    assert (before.runner, before.until) == (after.runner, after.until)
    for one in (player, other):
        one.close()


def test_another_process_sees_the_run_and_can_pause_it(app: App) -> None:
    player = player_of(app, length=timedelta(days=3), lasts=timedelta(seconds=60))
    player.play()
    other = App(app.settings)
    assert other.player is not None
    assert is_running(other, other.player)
    other.player.pause()
    assert not is_running(app, player)
    other.close()
    player.close()


def test_closing_ends_the_run_at_once_and_leaves_it_paused(app: App) -> None:
    player = player_of(app, length=timedelta(days=300), lasts=timedelta(seconds=60))
    player.play()
    wait_until(lambda: ahead(app) > timedelta(hours=1), what="the clock to move")
    player.close()
    left = state(app, player)
    assert left is not None
    assert left.runner == ""
    player.play()
    assert not is_running(app, player)


def test_a_runner_without_a_sign_of_life_counts_as_paused(app: App) -> None:
    now = app.clock.now()
    dead = Play(
        began=now,
        until=now + timedelta(days=1),
        seen=datetime.now(UTC) - timedelta(minutes=1),
        runner="gone",
    )
    with app.store.writing() as unit:
        unit.installation.set_note(NOTE, dead.write())
    player = player_of(app, length=timedelta(days=1), lasts=timedelta(seconds=60))
    assert not is_running(app, player)
    player.play()
    assert is_running(app, player)
    player.close()


def test_a_run_is_kept_as_it_is() -> None:
    now = datetime(2026, 3, 2, 18, tzinfo=UTC)
    play = Play(began=now, until=now + timedelta(days=30), seen=now, runner="r")
    assert read_play(play.write()) == play
    assert read_play(None) is None
    assert read_play("") is None


# The buttons


def press(app: App, path: str, **fields: str) -> int:
    client = browser(app)
    token = form_token(client.get("/phones").text)
    answer = client.post(path, data={"form_token": token, "back": "phones", **fields})
    if answer.status_code == 303:
        assert answer.headers["location"] == "/phones"
    return answer.status_code


@pytest.mark.parametrize(("by", "hours"), [("hour", 1), ("part", 6), ("day", 24), ("week", 168)])
def test_the_clock_moves_by_the_step_that_was_pressed(app: App, by: str, hours: int) -> None:
    assert press(app, "/clock", by=by) == 303
    assert abs(ahead(app) - timedelta(hours=hours)) < timedelta(minutes=1)


@pytest.mark.parametrize("by", ["-1", "year", "", "<script>alert(1)</script>"])
def test_any_other_step_is_refused(app: App, by: str) -> None:
    assert press(app, "/clock", by=by) == 422
    assert ahead(app) < timedelta(minutes=1)


def test_play_and_pause_are_pressed_on_the_page(app: App) -> None:
    client = browser(app)
    page = client.get("/phones").text
    assert "Play a month" in page
    assert 'data-state="still"' in page
    assert press(app, "/clock/play") == 303
    page = client.get("/phones").text
    assert 'data-state="running"' in page
    assert "Day 1 of 30" in page
    assert 'http-equiv="refresh"' in page
    assert press(app, "/clock/pause") == 303
    page = client.get("/phones").text
    assert 'data-state="paused"' in page
    assert "Paused on day" in page
    assert 'http-equiv="refresh"' not in page


@pytest.mark.parametrize("path", ["/clock", "/clock/play", "/clock/pause"])
def test_without_our_forms_token_nothing_moves(app: App, path: str) -> None:
    client = browser(app)
    client.get("/phones")
    assert client.post(path, data={"form_token": "x"}).status_code == 403
    with app.store.reading() as unit:
        assert unit.installation.note(NOTE) is None


def test_where_mail_is_real_nothing_runs(sqlite_url: str, tmp_path: Path) -> None:
    settings = {"BONEWISE_DATABASE_URL": sqlite_url, "BONEWISE_DATA_DIR": str(tmp_path / "var"), **SMTP}
    app = App(load_settings(settings))
    app.initialise()
    assert app.player is None
    for path in ("/clock/play", "/clock/pause"):
        assert browser(app).post(path, data={"form_token": "x"}).status_code == 404
    assert "Play a month" not in browser(app).get("/phones").text
    app.close()
