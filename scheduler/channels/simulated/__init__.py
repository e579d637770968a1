"""Simulated phones and mailboxes: what is sent is kept and shown at `/phones`, and goes nowhere."""

from scheduler.channels.simulated.channel import TEST_NUMBERS, SimulatedEmail, SimulatedSms

__all__ = ["TEST_NUMBERS", "SimulatedEmail", "SimulatedSms"]
