"""PostgreSQL is restarted under the workers' hands, in order and as in a crash by turns, while a thousand are due."""

from __future__ import annotations

import signal
from pathlib import Path

import psycopg
import pytest

from tests.support.cli import fake_time_library
from tests.support.mornings import WORKER, morning_over
from tests.support.postgres import PostgresUnavailableError, running_server
from tests.support.storms import Day, calm
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import wait_until

PATIENTS, PACE = 1_000, 80  # a second, so that it takes a while
BETWEEN = 120  # texts from one restart to the next
RESTARTS = (signal.SIGINT, signal.SIGQUIT, signal.SIGINT, signal.SIGQUIT)

pytestmark = pytest.mark.skipif(fake_time_library() is None, reason="needs libfaketime, which is for Linux")


def test_a_database_that_is_restarted_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    try:
        with running_server() as server, TwilioServer(latency=0.2) as twilio:
            url = server.create_database()
            with server.connect() as connection:  # what is committed has to outlive a crash
                name = psycopg.sql.Identifier(url.rpartition("/")[2])
                connection.execute(psycopg.sql.SQL("ALTER DATABASE {} SET synchronous_commit = on").format(name))
            with morning_over(twilio, database_url=url, folder=tmp_path, patients=PATIENTS, mps=PACE) as morning:
                day = Day()
                twilio.clock = lambda: day.now().timestamp()
                running = [morning.start(WORKER, at=day.now()) for _ in range(2)]
                for restart, how in enumerate(RESTARTS, start=1):
                    wait_until(lambda: len(twilio.messages) >= restart * BETWEEN, what="texts to go", seconds=60)  # noqa: B023
                    server.restart(how)
                wait_until(lambda: morning.standing()["planned"] == 0, what="everybody's turn", seconds=60)
                morning.stop(running, quietly=False)
                calm(morning, WORKER, processes=2, day=day)
    except PostgresUnavailableError as error:
        pytest.skip(str(error))
