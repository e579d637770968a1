"""Several ticks at the same time on one database: every message goes, and goes once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from tests.support.clinics import DUE, clinic_over, number_of
from tests.support.twilio_server import TwilioServer

PATIENTS = 450  # more than two batches of either kind
PROCESSES = 3


def test_three_ticks_at_once_send_every_text_exactly_once(database_url: str, tmp_path: Path) -> None:
    with (
        TwilioServer() as twilio,
        clinic_over(twilio.url, database_url=database_url, folder=tmp_path, patients=PATIENTS) as run,
    ):
        twilio.latency = 0.02
        ticks = [run.fresh.start("tick", at=DUE) for _ in range(PROCESSES)]
        ended = [(*tick.communicate(timeout=120), tick.returncode) for tick in ticks]
        assert [(error, code) for _, error, code in ended] == [("", 0)] * PROCESSES
        reports = [json.loads(out) for out, _, _ in ended]
        assert sum(report["planned"] for report in reports) == PATIENTS
        assert sum(report["sent"] for report in reports) == PATIENTS

        everybody = {number_of(n): 1 for n in range(1, PATIENTS + 1)}
        assert Counter(one.form["To"] for one in twilio.messages) == everybody
        rows = run.listed("messages")
        sent = [row for row in rows if row["status"] == "sent"]
        assert {row["provider_id"] for row in sent} == {one.sid for one in twilio.messages}
        assert {row["status"] for row in rows if row["pathway"] == "vitamin_d"} == {"sent"}
        assert {row["attempts"] for row in sent} == {1}
