"""Delivery over a text channel that a test scripts."""

from __future__ import annotations

from scheduler.services.deliver import Delivery
from tests.support.scripted_sms import Scripted
from tests.support.worlds import World


def delivery_of(world: World, sms: Scripted) -> Delivery:
    """A worker of the installation that hands texts to `sms` and lives by its clock."""
    return Delivery(
        store=world.store,
        rules=world.rules,
        claiming=world.app._claiming,
        sms=sms,
        email=world.app.email_channel,
        clock=world.clock,
        worker="w",
        steady=sms.steady,
    )
