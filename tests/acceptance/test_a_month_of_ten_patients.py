"""A month of ten patients, each with a way of their own, over simulated phones and over the providers' protocols.

Both come to the same ledger, replies, tasks and consents, and what each patient reads stands in `threads/`, for
people to read. After a change of words or rules, `python -m tests.support.month_threads` writes the threads anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.support.month_script import PEOPLE
from tests.support.month_threads import THREADS, Month, live
from tests.support.month_ways import protocols, simulated

NAMES = sorted({person.thread for person in PEOPLE})


@pytest.fixture(scope="module")
def on_simulated_phones(tmp_path_factory: pytest.TempPathFactory) -> Month:
    folder = tmp_path_factory.mktemp("simulated")
    return live(simulated, database_url=f"sqlite:///{folder}/month.db", folder=folder)


@pytest.fixture(scope="module")
def over_the_protocols(tmp_path_factory: pytest.TempPathFactory) -> Month:
    folder = tmp_path_factory.mktemp("protocols")
    return live(protocols, database_url=f"sqlite:///{folder}/month.db", folder=folder)


@pytest.mark.parametrize("name", NAMES)
def test_each_patient_reads_what_was_read_and_found_good(on_simulated_phones: Month, name: str) -> None:
    kept = (THREADS / f"{name}.txt").read_text(encoding="utf-8")
    assert on_simulated_phones.threads[name].splitlines() == kept.splitlines(), f"read threads/{name}.txt again"


def test_there_is_no_thread_of_a_patient_who_is_not_there() -> None:
    assert sorted(path.stem for path in THREADS.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_over_the_protocols_they_read_the_same(
    on_simulated_phones: Month, over_the_protocols: Month, name: str
) -> None:
    assert over_the_protocols.threads[name].splitlines() == on_simulated_phones.threads[name].splitlines()


@pytest.mark.parametrize("record", ["ledger", "replies", "tasks", "consents", "staff_mail"])
def test_the_clinic_has_the_same_on_record(
    on_simulated_phones: Month, over_the_protocols: Month, record: str
) -> None:
    ours: Sequence[object] = getattr(on_simulated_phones, record)
    theirs: Sequence[object] = getattr(over_the_protocols, record)
    assert ours, "the month leaves something of each"
    for one, other in zip(ours, theirs, strict=False):
        assert one == other
    assert len(ours) == len(theirs)
