"""Delivery over a text channel that a test scripts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from scheduler.ports import Clock
from scheduler.services.deliver import Delivery
from tests.support.scripted_sms import Scripted
from tests.support.worlds import World


class AtOnce(Executor):
    """Does what it is given before it says so: beside a clock that is scripted nothing may take time of its own."""

    def submit(self, task: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(task(*given, **named))
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            done.set_exception(error)
        return done


def delivery_of(
    world: World,
    sms: Scripted,
    *,
    clock: Clock | None = None,
    worker: str = "w",
    abreast: int = 1,
    beside: Executor | None = None,
) -> Delivery:
    """A worker of the installation that hands texts to `sms` and lives by its clock."""
    return Delivery(
        store=world.store,
        rules=world.rules,
        claiming=world.app._claiming,
        sms=sms,
        email=world.app.email_channel,
        clock=clock or world.clock,
        worker=worker,
        abreast=abreast,
        steady=sms.steady,
        beside=beside or AtOnce(),
    )
