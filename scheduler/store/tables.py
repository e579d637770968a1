"""The tables, once, for SQLite and PostgreSQL alike. Migrations build them; a test holds the two together.

Every table of the service's own carries `clinic_id`, and every query names it (the planner and the workers
serve all clinics, and say so). `meta`, `heartbeats`, `lanes`, `orphan_texts` and `simulated_inbox` stand outside:
they belong to the installation. Columns of type `Sealed` hold ciphertext made by the vault, which calls them
`table.column`; `*_index` columns hold keyed blind indexes of the same value.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TextClause,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)

from scheduler.store.types import Instant, Sealed

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_CONDITION = "condition"  # of a partial index; see `for_migrations`

# A reminder that was skipped, expired or proven unsent leaves its day free for another try. A second try at one that
# did not arrive is unique by the message it takes over from.
_LIVE_REMINDER = text("kind = 'reminder' AND retry_of IS NULL AND status NOT IN ('skipped', 'expired', 'not_sent')")
_COPY = text("kind = 'copy'")  # for a carer: one of each reminder, whatever becomes of either
# Literal, and the same in the queries: else neither database knows that the index serves them.
IN_TROUBLE = text("messages.status IN ('failed', 'undelivered', 'unknown', 'not_sent', 'expired')")
NOT_ACTIVE = text("patients.status <> 'active'")
_WAITING_REPLY = text("look_at IS NOT NULL")
_PRESENT = text("removed_at IS NULL")


def _bare(condition: TextClause) -> TextClause:
    """The condition without the name of its table, as an index has it."""
    return text(str(condition).partition(".")[2])


def _clinic() -> Column[Any]:
    return Column("clinic_id", Integer, ForeignKey("clinics.id"), nullable=False)


def _its_clinic() -> Column[Any]:
    """Of rows that are written by the hundred. What they belong to vouches for the clinic; asking the clinic's own
    row as well would cost more than the row, and on PostgreSQL have all workers lock that one."""
    return Column("clinic_id", Integer, nullable=False)


def _patient(*, nullable: bool = False) -> Column[Any]:
    return Column("patient_id", Uuid, ForeignKey("patients.id"), nullable=nullable)


meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", String(255), nullable=False),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("worker", String(64), primary_key=True),
    Column("beat_at", Instant, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("worker", String(64), nullable=False),
    Column("lease_until", Instant, nullable=False),  # later the worker is taken for dead
    Column("message_ids", LargeBinary, nullable=False),  # in `sending`, as they are handed over; 16 bytes each
    Column("handed", SmallInteger, nullable=False),  # the first so many may be with the provider
)

lanes = Table(
    "lanes",
    metadata,
    Column("key", String(320), primary_key=True),  # the channel, alone or with one of its senders
    Column("holder", String(64)),  # the worker that alone serves a sender with a pace
    Column("held_until", Instant),
    Column("quiet_until", Instant),  # nothing is sent before
    Column("open_since", Instant),  # the breaker; null: closed
    Column("code", String(32)),
    Column("probe_at", Instant),
    Column("probes", SmallInteger, nullable=False),
)

clinics = Table(
    "clinics",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(32), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("message_name", String(40), nullable=False),  # the neutral name that opens every message
    Column("timezone", String(64), nullable=False),
    Column("country", String(2), nullable=False),  # ISO 3166; default region of phone numbers
    Column("language", String(16), nullable=False),
    Column("phone", String(32)),
    Column("sms_from", String(32)),
    Column("messaging_service", String(34)),
    Column("email_from", String(254)),
    Column("messages_per_second", Float),  # null: as fast as the provider takes them
    Column("window_start", Time, nullable=False),
    Column("window_end", Time, nullable=False),
    Column("contact_time", Time, nullable=False),
    Column("daily_budget", SmallInteger, nullable=False),
    Column("is_sample", Boolean, nullable=False),
    Column("holidays", String(32)),  # the calendar it keeps; null: weekends alone are free
    Column("closed_days", Text, nullable=False),  # beside those: dates with ; between them
    Column("digest_to", String(254)),
    Column("digest_at", Time, nullable=False),  # local wall time
    Column("digest_due_at", Instant),  # when the next digest is due; null: none is wanted
    Column("duty_email", String(254)),
    Column("name_on_shared", Boolean, nullable=False),  # first names may stand on a number that several share
    Column("stop_scope", String(8), nullable=False),  # what a STOP that names one topic ends: all, topic
    Column("confirm_numbers", Boolean, nullable=False),  # nothing clinical goes to a number before it is confirmed
    Column("pathways", Text),  # that new patients begin, with ; between them; null: those the installation has on
    Column("reported_at", Instant, nullable=False),  # when its reports were last counted
    Column("replan_after", String(64)),  # the MRN up to which all have been planned anew; null: that is not asked for
    Column("created_at", Instant, nullable=False),
    Index(
        "ix_clinics_digest_due_at",
        "digest_due_at",
        info={_CONDITION: text("digest_due_at IS NOT NULL")},
    ),
)

staff = Table(
    "staff",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    Column("email", String(254), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("password", String(255)),  # its hash; null: not chosen yet
    Column("second_factor", Sealed),
    Column("code_step", Integer, nullable=False),  # of the last one-time code that was taken
    Column("failures", SmallInteger, nullable=False),
    Column("locked_until", Instant),
    Column("left_at", Instant),  # since when they may not sign in
    Column("identity", Sealed),  # at an OpenID Connect provider
    UniqueConstraint("clinic_id", "email"),
    Index("ix_staff_email", "email"),
)

staff_links = Table(
    "staff_links",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    _clinic(),
    Column("staff_id", Integer, ForeignKey("staff.id"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("ix_staff_links_staff_id", "staff_id"),
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    _clinic(),
    Column("staff_id", Integer, ForeignKey("staff.id"), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("is_whole", Boolean, nullable=False),
    Index("ix_staff_sessions_staff_id", "staff_id"),
)

patients = Table(
    "patients",
    metadata,
    Column("id", Uuid, primary_key=True),
    _clinic(),
    Column("mrn", String(64), nullable=False),
    Column("name", Sealed, nullable=False),
    Column("birth_date", Sealed),
    Column("phone", Sealed),
    Column("phone_index", LargeBinary(16)),
    Column("email", Sealed),
    Column("email_index", LargeBinary(16)),
    Column("language", String(16), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("contact_time", Time),  # null: the clinic's
    Column("channel", String(8), nullable=False),
    Column("mobility", String(16), nullable=False),
    Column("exercise_days", SmallInteger, nullable=False),  # bit 0 is Monday
    Column("risk_factors", String(255), nullable=False),
    Column("status", String(16), nullable=False),
    Column("paused_until", Date),
    Column("sms_consent", Boolean, nullable=False),  # the latest consent record, kept here for the planner
    Column("email_consent", Boolean, nullable=False),
    Column("phone_bad", Boolean, nullable=False),  # this number does not work, or is somebody else's
    Column("email_bad", Boolean, nullable=False),
    Column("carer_mode", String(8)),  # of a carer who may be written to, kept here for the planner; null: none
    Column("carer_channel", String(8)),
    Column("next_contact_at", Instant),  # the one instant the planner looks at; null: nothing to plan
    Column("contacted_on", Date),  # the last local date that had a reminder
    Column("contacts_that_day", SmallInteger, nullable=False),
    Column("stop_line_on", Date),  # the last local date whose text said how to stop
    Column("confirmed_index", LargeBinary(16)),  # of the number that was confirmed: any other is not
    Column("confirm_asks", SmallInteger, nullable=False),  # how often the number now on file has been asked about
    Column("confirm_asked_on", Date),  # the local date of the last time
    Column("is_discreet", Boolean, nullable=False),  # messages say only that there is one, and where to read it
    Column("page_key", LargeBinary(8)),  # what links to their own page lead by; another one ends them all
    Column("source", Sealed),  # the import row as last read, so that a later file changes only what it changed
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("clinic_id", "mrn"),
    Index(
        "ix_patients_due",
        "next_contact_at",
        "clinic_id",  # this and the channel, so that those who are due are counted in the index alone
        "channel",
        info={_CONDITION: text("next_contact_at IS NOT NULL")},
    ),
    Index("ix_patients_clinic_id_updated_at", "clinic_id", "updated_at"),
    Index("ix_patients_not_active", "clinic_id", "status", info={_CONDITION: _bare(NOT_ACTIVE)}),
    # The address first: whose it is may have to be found before the clinic is known.
    Index("ix_patients_phone_index_clinic_id", "phone_index", "clinic_id"),
    Index("ix_patients_email_index_clinic_id", "email_index", "clinic_id"),
    Index("uq_patients_page_key", "page_key", unique=True, info={_CONDITION: text("page_key IS NOT NULL")}),
)

patient_pages = Table(
    "patient_pages",
    metadata,
    Column("patient_id", Uuid, ForeignKey("patients.id"), primary_key=True),
    _clinic(),
    Column("failures", SmallInteger, nullable=False),  # wrong years of birth in a row
    Column("locked_until", Instant),
    Column("paused_on", Date),  # when the patient paused all reminders there, local; null: they have not
    Column("paused_until", Date),
)

consents = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True),
    _its_clinic(),
    _patient(),
    Column("channel", String(8), nullable=False),
    Column("topic", String(32)),  # the one pathway that it is about; null: all
    Column("granted", Boolean, nullable=False),
    Column("source", String(16), nullable=False),
    Column("given_on", Date, nullable=False),  # the date the patient decided, which may precede the record
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", String(254), nullable=False),
    Column("wording", String(64)),  # the version of the wording that the patient agreed to
    Index("ix_consents_patient_id", "patient_id"),
)

bad_addresses = Table(
    "bad_addresses",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    _patient(),
    Column("channel", String(8), nullable=False),
    Column("address", Sealed, nullable=False),  # nothing goes there until staff say that it is right
    Column("why", String(16), nullable=False),
    Column("marked_at", Instant, nullable=False),
    Index("ix_bad_addresses_patient_id", "patient_id"),
)

enrolments = Table(
    "enrolments",
    metadata,
    Column("id", Uuid, primary_key=True),
    _its_clinic(),
    _patient(),
    Column("pathway", String(32), nullable=False),
    Column("step", String(32), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("entered_on", Date, nullable=False),
    Column("timer_on", Date),
    Column("silence_from", Date, nullable=False),
    Column("fired", SmallInteger, nullable=False),
    Column("sent_count", Integer, nullable=False),
    Column("unanswered", Integer, nullable=False),
    Column("week_of", Date),
    Column("done_count", SmallInteger, nullable=False),
    Column("done_on", Date),
    Column("paused_until", Date),
    Column("is_paused", Boolean, nullable=False),
    Column("rest_months", SmallInteger),
    Column("is_stopped", Boolean, nullable=False),  # the patient wants no more of it
    Column("contact_time", Time),  # null: the patient's
    Column("enrolled_on", Date, nullable=False),
    UniqueConstraint("patient_id", "pathway"),
    Index("ix_enrolments_clinic_id_pathway_step", "clinic_id", "pathway", "step"),  # who stands where
)

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    _its_clinic(),
    _patient(),
    Column("enrolment_id", Uuid),  # no foreign key: it is read in this transaction, under the patient's lock
    Column("recipient", String(8), nullable=False),  # the patient or their carer
    Column("kind", String(8), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("pathway", String(32), nullable=False),
    Column("step", String(32), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("fired", SmallInteger, nullable=False),
    Column("template", String(32), nullable=False),
    Column("activity_turn", Integer, nullable=False),
    Column("count", SmallInteger, nullable=False),
    Column("stop_line", Boolean, nullable=False),
    Column("due_date", Date, nullable=False),  # local date of the patient
    Column("planned_at", Instant, nullable=False),
    Column("send_from", Instant, nullable=False),  # not before; a retry moves it
    Column("send_until", Instant, nullable=False),  # end of the contact window (exclusive)
    Column("status", String(12), nullable=False),
    Column("reason", String(64)),
    Column("attempts", SmallInteger, nullable=False),
    Column("provider_id", String(255)),
    Column("sent_at", Instant),
    Column("subject", Sealed),
    Column("body", Sealed),
    Column("language", String(16)),
    Column("segments", SmallInteger),
    Column("pathway_version", String(16), nullable=False),
    Column("template_version", String(16)),
    Column("retry_of", Uuid, ForeignKey("messages.id")),  # the message that did not arrive and has this second try
    Column("answers", Uuid),  # the e-mail that it answers; null for texts
    Column("ask_at", Instant),  # with status unknown: when to ask the provider next; null: nobody asks
    Column("asks", SmallInteger),  # how often it has been asked; null: not yet
    Index(
        "ix_messages_ready",
        "channel",
        "kind",
        "send_from",
        info={_CONDITION: text("status = 'planned'")},
    ),
    Index(
        "ix_messages_unknown",
        "ask_at",
        "status",  # so that SQLite, too, counts them in this index
        info={_CONDITION: text("status = 'unknown'")},
    ),
    Index("ix_messages_patient_id_planned_at", "patient_id", "planned_at"),
    # All that a day's messages are counted by, so that they are counted in the index alone.
    Index("ix_messages_of_day", "clinic_id", "planned_at", "send_from", "channel", "status"),
    Index("ix_messages_in_trouble", "clinic_id", "planned_at", info={_CONDITION: _bare(IN_TROUBLE)}),
    Index(
        "ix_messages_provider_id",
        "provider_id",
        info={_CONDITION: text("provider_id IS NOT NULL")},
    ),
    Index(
        "uq_messages_reminder",
        "enrolment_id",
        "cycle",
        "step",
        "due_date",
        unique=True,
        info={_CONDITION: _LIVE_REMINDER},
    ),
    Index(
        "uq_messages_copy",
        "enrolment_id",
        "cycle",
        "step",
        "due_date",
        unique=True,
        info={_CONDITION: _COPY},
    ),
    Index(
        "uq_messages_retry_of",
        "retry_of",
        unique=True,
        info={_CONDITION: text("retry_of IS NOT NULL")},
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Uuid, primary_key=True),
    _its_clinic(),
    Column("message_id", Uuid, nullable=False),  # no foreign key: the transaction that adds it holds the message
    Column("number", SmallInteger, nullable=False),
    Column("channel", String(8), nullable=False),
    Column("address", Sealed, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("outcome", String(16)),
    Column("code", String(32)),
    Column("detail", String(255)),
    Column("provider_id", String(255)),  # as a receipt or the provider's list told it, when its answer had not
    UniqueConstraint("message_id", "number"),
    Index(
        "ix_attempts_provider_id",
        "provider_id",
        info={_CONDITION: text("provider_id IS NOT NULL")},
    ),
)

written_messages = Table(
    "written_messages",
    metadata,
    Column("message_id", Uuid, ForeignKey("messages.id"), primary_key=True),
    _clinic(),
    _patient(),
    Column("words", Sealed, nullable=False),  # as typed; the clinic's name and how to stop come with the template
    Column("written_at", Instant, nullable=False),
    Column("written_by", String(254), nullable=False),  # e-mail address of a member of staff
    Column("once", String(64), nullable=False),  # of the form: sent twice, it is one message
    UniqueConstraint("clinic_id", "once"),
    Index("ix_written_messages_patient_id", "patient_id"),
)

replies = Table(
    "replies",
    metadata,
    Column("id", Uuid, primary_key=True),
    _clinic(),
    _patient(nullable=True),
    Column("received_at", Instant, nullable=False),
    Column("channel", String(8), nullable=False),
    Column("sender", Sealed, nullable=False),
    Column("sender_index", LargeBinary(16), nullable=False),
    Column("body", Sealed, nullable=False),
    Column("provider_id", String(255)),
    Column("media", SmallInteger, nullable=False),  # how many pictures and files came with it
    Column("written_by", String(8), nullable=False),  # the patient or their carer
    Column("is_shared", Boolean, nullable=False),  # several people have its number or address
    Column("candidates", Text),  # held until somebody says whose it is: ids with ; between them
    Column("thread", Sealed),  # of an e-mail: its Message-ID, after those of the mails that led to it
    Column("opt_out", String(8)),  # what the provider made of it by itself
    Column("look_at", Instant),  # when to understand it; null: there is nothing more to do
    Column("meaning", String(16)),
    Column("pathway", String(32)),
    Column("answer", String(32)),
    UniqueConstraint("clinic_id", "provider_id"),
    Index("ix_replies_clinic_id_received_at", "clinic_id", "received_at"),
    Index("ix_replies_patient_id", "patient_id"),
    Index("ix_replies_held", "sender_index", info={_CONDITION: text("candidates IS NOT NULL")}),
    Index(
        "ix_replies_waiting",
        "look_at",
        info={_CONDITION: _WAITING_REPLY},
    ),
    Index(
        "ix_replies_waiting_of",
        "patient_id",
        "received_at",
        info={_CONDITION: _WAITING_REPLY},
    ),
)

carers = Table(
    "carers",
    metadata,
    Column("id", Uuid, primary_key=True),
    _clinic(),
    _patient(),
    Column("name", Sealed, nullable=False),
    Column("channel", String(8), nullable=False),
    Column("phone", Sealed),
    Column("phone_index", LargeBinary(16)),  # made as the index of a patient's number, to be compared with it
    Column("email", Sealed),
    Column("email_index", LargeBinary(16)),
    Column("language", String(16), nullable=False),
    Column("mode", String(8), nullable=False),
    Column("consent", Boolean, nullable=False),  # the latest consent record
    Column("is_bad", Boolean, nullable=False),  # the number or address will never work
    Column("created_at", Instant, nullable=False),
    Column("removed_at", Instant),  # kept for the record of consent; null: present
    Index("uq_carers_patient_id", "patient_id", unique=True, info={_CONDITION: _PRESENT}),
    Index("ix_carers_phone_index_clinic_id", "phone_index", "clinic_id"),
    Index("ix_carers_email_index_clinic_id", "email_index", "clinic_id"),
)

carer_consents = Table(
    "carer_consents",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    Column("carer_id", Uuid, ForeignKey("carers.id"), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("source", String(16), nullable=False),
    Column("given_on", Date, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", String(254), nullable=False),
    Index("ix_carer_consents_carer_id", "carer_id"),
)

orphan_texts = Table(
    "orphan_texts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("received_at", Instant, nullable=False),
    Column("sender", Sealed, nullable=False),
    Column("recipient", String(64), nullable=False),  # our own number or service, as the provider names it
    Column("body", Sealed, nullable=False),
    Column("media", SmallInteger, nullable=False),
    Column("provider_id", String(255), nullable=False, unique=True),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    _patient(nullable=True),
    Column("kind", String(32), nullable=False),
    Column("cause", String(120), nullable=False),  # one open task per clinic and cause
    Column("priority", String(8), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("due", Date, nullable=False),  # local date of the clinic
    Column("overdue_at", Instant),  # when it becomes urgent; null: it has, for this reason
    Column("status", String(12), nullable=False),
    Column("assignee", String(254)),  # e-mail address of a member of staff
    Column("note", Sealed),
    Column("closed_at", Instant),
    Column("closed_by", String(254)),
    Column("resolution", String(16)),
    Column("resolution_words", Sealed),
    Index(
        "uq_tasks_open_cause",
        "clinic_id",
        "cause",
        unique=True,
        info={_CONDITION: text("status = 'open'")},
    ),
    Index(
        "ix_tasks_overdue",
        "overdue_at",
        info={_CONDITION: text("status = 'open' AND overdue_at IS NOT NULL")},
    ),
    Index("ix_tasks_patient_id", "patient_id"),
    Index("ix_tasks_clinic_id_opened_at", "clinic_id", "opened_at"),
    Index("ix_tasks_clinic_id_closed_at", "clinic_id", "closed_at"),
)

task_events = Table(
    "task_events",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    Column("task_id", Integer, ForeignKey("tasks.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(254), nullable=False),
    Column("step", String(12), nullable=False),  # that it was opened stands in the task itself
    Column("detail", String(254)),  # an assignee, a resolution, a date
    Column("words", Sealed),
    Index("ix_task_events_task_id", "task_id"),
)

staff_mail = Table(
    "staff_mail",
    metadata,
    Column("id", Uuid, primary_key=True),
    _clinic(),
    Column("kind", String(12), nullable=False),
    Column("cause", String(80), nullable=False),  # one mail per clinic and cause, whatever becomes of it
    Column("address", Sealed, nullable=False),
    Column("subject", Sealed, nullable=False),
    Column("body", Sealed, nullable=False),
    Column("status", String(12), nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("send_from", Instant, nullable=False),  # not before; a retry moves it
    Column("send_until", Instant),  # exclusive; null: as long as it takes
    Column("attempts", SmallInteger, nullable=False),
    Column("attempt_id", Uuid),
    Column("is_again", Boolean, nullable=False),  # of unknown fate once, and sent once more
    Column("lease_until", Instant),
    Column("worker", String(64)),
    Column("sent_at", Instant),
    Column("provider_id", String(255)),
    Column("code", String(32)),
    UniqueConstraint("clinic_id", "cause"),
    Index(
        "ix_staff_mail_ready",
        "send_from",
        info={_CONDITION: text("status = 'planned'")},
    ),
    Index(
        "ix_staff_mail_leased",
        "lease_until",
        info={_CONDITION: text("status = 'sending'")},
    ),
)

results = Table(
    "results",
    metadata,
    Column("id", Uuid, primary_key=True),
    _clinic(),
    _patient(),
    Column("kind", String(32), nullable=False),
    Column("taken_on", Date, nullable=False),
    Column("value", Sealed),
    Column("unit", String(32)),
    Column("next_months", SmallInteger),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", String(254), nullable=False),
    Column("moved", Text),  # where it led the patient's pathways, as JSON: so that a mistake can be taken back
    Column("voided_at", Instant),  # recorded by mistake; null: it stands
    Column("voided_by", String(254)),
    Column("void_reason", Sealed),
    Index("ix_results_patient_id", "patient_id"),
)

clearances = Table(
    "clearances",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    _patient(),
    Column("named", Sealed, nullable=False),  # in the patient's own words
    Column("opened_at", Instant, nullable=False),
    Column("decision", String(16)),
    Column("decided_at", Instant),
    Column("decided_by", String(254)),
    Column("signed_with", String(16)),  # what whoever decided proved themselves by; null: at the command line
    Column("shown", Sealed),  # what they had before them, the words to the patient included
    Index("ix_clearances_patient_id", "patient_id"),
)

patient_notes = Table(
    "patient_notes",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    _patient(),
    Column("noted_at", Instant, nullable=False),
    Column("noted_by", String(254), nullable=False),  # e-mail address of a member of staff
    Column("words", Sealed, nullable=False),
    Index("ix_patient_notes_patient_id", "patient_id"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    Column("at", Instant, nullable=False),
    Column("actor", String(254), nullable=False),
    Column("action", String(64), nullable=False),
    Column("patient_id", Uuid),
    Column("detail", String(255), nullable=False),  # never a name, number, address or body
    # One for each way to filter it. All are newest first, so that a page is read and not the clinic's whole trail.
    Index("ix_audit_clinic_id_at", "clinic_id", "at"),
    Index("ix_audit_clinic_id_actor_at", "clinic_id", "actor", "at"),
    Index("ix_audit_clinic_id_action_at", "clinic_id", "action", "at"),
    Index(
        "ix_audit_clinic_id_patient_id_at",
        "clinic_id",
        "patient_id",
        "at",
        info={_CONDITION: text("patient_id IS NOT NULL")},
    ),
)

# What the reports are read from: the ledger is too long to be counted while somebody waits.
report_days = Table(
    "report_days",
    metadata,
    Column("clinic_id", Integer, ForeignKey("clinics.id"), primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),  # of the clinic
    Column("measure", String(12), primary_key=True),
    Column("about", String(32), primary_key=True),  # a pathway, a channel or a kind of task
    Column("key", String(32), primary_key=True),  # what is counted apart: a code, days; or nothing
    Column("count", Integer, nullable=False),
)

report_rounds = Table(
    "report_rounds",
    metadata,
    Column("enrolment_id", Uuid, primary_key=True),
    Column("cycle", Integer, primary_key=True),
    _its_clinic(),
    Column("patient_id", Uuid, nullable=False),
    Column("pathway", String(32), nullable=False),
    Column("began_on", Date, nullable=False),  # the clinic's day of the first message that went
    Column("asked_at", Instant, nullable=False),
    Column("arrived_on", Date),
    Column("answered_at", Instant),
    Column("settled_at", Instant),
    Column("result_days", Integer),  # from its first day to that of the result
    Index("ix_report_rounds_clinic_id_began_on", "clinic_id", "began_on"),
    Index("ix_report_rounds_patient_id", "patient_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    Column("name", String(60), nullable=False),
    Column("prefix", String(12), nullable=False),  # what a key begins with: enough to tell it from others
    Column("digest", LargeBinary(16), nullable=False, unique=True),  # keyed, so that no list of keys can be tried
    Column("scopes", String(64), nullable=False),  # with ; between them
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(254), nullable=False),
    Column("used_on", Date),  # the last day, UTC
    Column("revoked_at", Instant),
    Index("ix_api_keys_clinic_id", "clinic_id"),
)

staff_drafts = Table(
    "staff_drafts",
    metadata,
    Column("id", Uuid, primary_key=True),
    _clinic(),
    Column("staff_id", Integer, ForeignKey("staff.id"), nullable=False),
    Column("form", Sealed, nullable=False),  # what was typed, and where it was to go
    Column("expires_at", Instant, nullable=False),
    Index("ix_staff_drafts_staff_id", "staff_id"),
)

simulated_inbox = Table(
    "simulated_inbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", String(8), nullable=False),
    Column("address", Sealed, nullable=False),
    Column("sender", String(254), nullable=False),
    Column("subject", Sealed),
    Column("body", Sealed, nullable=False),
    Column("html", Sealed),
    Column("at", Instant, nullable=False),
)


consent_wordings = Table(
    "consent_wordings",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    Column("mark", String(64), nullable=False),  # what `consents.wording` names them by
    Column("words", Text, nullable=False),
    Column("first_at", Instant, nullable=False),
    UniqueConstraint("clinic_id", "mark"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    Column("file", String(64), nullable=False),  # its name in the folder of uploads
    Column("name", Sealed, nullable=False),  # as whoever sent it calls it
    Column("kind", String(8), nullable=False),
    Column("size", Integer, nullable=False),  # bytes
    Column("sent_by", String(254), nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("state", String(12), nullable=False),
    Column("options", Sealed),  # which heading is which column, as JSON
    Column("lines", Integer, nullable=False),
    Column("done", Integer, nullable=False),  # rows
    Column("created", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("excluded", Integer, nullable=False),
    Column("problems", Sealed),  # the first of them, as JSON; forgotten with the file
    Column("fault", Sealed),  # why it ended early
    Column("worker", String(64)),
    Column("beat_at", Instant),
    Column("ended_at", Instant),
    Index("ix_uploads_clinic_id_sent_at", "clinic_id", "sent_at"),
)

upload_columns = Table(
    "upload_columns",
    metadata,
    Column("clinic_id", Integer, ForeignKey("clinics.id"), primary_key=True),
    Column("headings", Sealed, nullable=False),  # what the clinic's lists call our columns, as JSON
)

bulk_changes = Table(
    "bulk_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    _clinic(),
    Column("action", String(16), nullable=False),
    Column("pathway", String(32)),
    Column("until", Date),
    Column("made_by", String(254), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("undone_at", Instant),
    Index("ix_bulk_changes_clinic_id_made_at", "clinic_id", "made_at"),
)

bulk_members = Table(
    "bulk_members",
    metadata,
    Column("id", Integer, primary_key=True),
    _its_clinic(),
    Column("bulk_id", Integer, ForeignKey("bulk_changes.id"), nullable=False),
    _patient(),
    Column("fate", String(12), nullable=False),
    Column("why", String(120)),  # it was left alone
    Column("before", Text),  # what there was, as JSON, until it can no longer be undone
    Column("after", String(64)),  # a digest of what there was then
    Index("ix_bulk_members_bulk_id", "bulk_id"),
    Index("ix_bulk_members_patient_id", "patient_id"),
)


def for_migrations() -> MetaData:
    """All tables, with the conditions of their partial indexes.

    Only migrations ask for those: giving an index what belongs to a dialect imports that dialect, and a command
    that has nothing to do should not wait for two.
    """
    for table in metadata.tables.values():
        for index in table.indexes:
            if _CONDITION in index.info:
                for dialect in ("postgresql", "sqlite"):
                    index.dialect_kwargs[f"{dialect}_where"] = index.info[_CONDITION]
    return metadata
