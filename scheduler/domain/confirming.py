"""A number that has to be confirmed before anything clinical is texted to it. Pure.

Where a clinic wants this, a patient with consent to texts is first asked, in words that tell nobody anything, whether
we may text that number: at their next contact time, and once more three days later. After a week of silence a person
asks them. Until somebody at that number has said yes, nothing else goes there; e-mail goes on meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from scheduler.domain.contact import Change, Contact, Enrolled, PlannedMessage, TaskClosed, TaskOpened
from scheduler.domain.effects import sendable
from scheduler.domain.messages import MessageKind
from scheduler.domain.number_check import GIVEN_UP, MOST_ASKS, NumberCheck
from scheduler.domain.pathway import Pathway
from scheduler.domain.people import Channel
from scheduler.domain.reacting import Situation, reopen
from scheduler.domain.sending import CONFIRM_NUMBER, SERVICE_MESSAGES
from scheduler.domain.stepping import begin
from scheduler.domain.tasks import ServiceTask
from scheduler.domain.when import local_date
