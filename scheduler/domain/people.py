"""Patients as the rules see them: who they are to us, how they may be reached, and what they agreed to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """A way to reach a patient."""

    SMS = "sms"
    EMAIL = "email"


class Addressee(StrEnum):
    """Who a message is for, or who wrote one."""

    PATIENT = "patient"
    CARER = "carer"  # a contact person of the patient's, who agreed to it


class CarerMode(StrEnum):
    """What a carer gets."""

    INSTEAD = "instead"  # the patient's messages, in the patient's place
    BESIDE = "beside"  # a copy of each reminder that the patient gets


class Mobility(StrEnum):
    """How the patient moves; selects the exercise activities that fit. Set by the care team, never inferred."""

    WALKING = "walking"
    LIMITED = "limited"
    WHEELCHAIR = "wheelchair"
    STANDING_FRAME = "standing_frame"


class RiskFactor(StrEnum):
    """Bone-health risks recorded for a patient. They order work for staff and never appear in a message."""

    STEROIDS = "steroids"
    SSRI = "ssri"
    LOW_VITAMIN_D = "low_vitamin_d"
    CELIAC = "celiac"
    MENOPAUSE = "menopause"
    SMOKING = "smoking"
    UNDERWEIGHT = "underweight"
    ALCOHOL = "alcohol"
    SEDENTARY = "sedentary"
    FAMILY_HISTORY = "family_history"
    PRIOR_FRACTURE = "prior_fracture"
    FALLS = "falls"


class PatientStatus(StrEnum):
    """Whether the service may plan anything for a patient."""

    ACTIVE = "active"  # reminders are planned
    PAUSED = "paused"  # by staff; nothing is planned until the pause ends or is lifted
    STOPPED = "stopped"  # the patient said STOP on every channel; only a fresh START or consent brings them back
    UNREACHABLE = "unreachable"  # every number and address we hold is known bad; a task asks for a new one
    DECEASED = "deceased"  # nothing is ever sent again
    DISCHARGED = "discharged"  # left the clinic's care; nothing is sent


class ConsentSource(StrEnum):
    """How a consent record came about."""

    IMPORT = "import"  # a clinic's list said so
    STAFF = "staff"  # recorded by a member of staff
    REPLY = "reply"  # the patient's own STOP or START
    UNSUBSCRIBE = "unsubscribe"  # the one-click link of an e-mail
    PROVIDER = "provider"  # the provider told us of an opt-out


@dataclass(frozen=True, slots=True)
class Reach:
    """Which channels a patient can be reached on now: an address is known and consent is on record."""

    sms: bool
    email: bool

    def has(self, channel: Channel) -> bool:
        """Whether `channel` is open."""
        return self.sms if channel is Channel.SMS else self.email

    def choose(self, preferred: Channel) -> Channel | None:
        """The preferred channel when it is open, else the other, else None."""
        if self.has(preferred):
            return preferred
        return next((channel for channel in Channel if self.has(channel)), None)
