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
    REPLY = "reply"  # the patient's own STOP or START, or their answer from a number that was to be confirmed
    UNSUBSCRIBE = "unsubscribe"  # the one-click link of an e-mail
    PAGE = "page"  # the patient's own page
    PROVIDER = "provider"  # the provider told us of an opt-out
    # Recorded by a member of staff, who was told
    PHONE = "phone"
    VOICEMAIL = "voicemail"
    IN_PERSON = "in_person"
    LETTER = "letter"
    FORM = "form"  # a signed form, on paper or a screen
    EMAIL = "email"  # a mail to the clinic's own people
    STAFF = "staff"  # in another way


TOLD_TO_STAFF = (
    ConsentSource.PHONE,
    ConsentSource.VOICEMAIL,
    ConsentSource.IN_PERSON,
    ConsentSource.LETTER,
    ConsentSource.FORM,
    ConsentSource.EMAIL,
    ConsentSource.STAFF,
)
"""The ways in which a member of staff can have learnt of a decision about consent."""


class StopScope(StrEnum):
    """What a STOP that names one topic ends. Any other STOP ends everything."""

    ALL = "all"  # everything all the same: a stop on one topic revokes the rest too (47 CFR 64.1200(a)(10))
    TOPIC = "topic"  # that pathway alone


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
