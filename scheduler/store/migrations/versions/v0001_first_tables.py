"""The first tables.

Types and names are written out, never taken from the tables of today: a migration says what it did then.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
SEALED = sa.LargeBinary()
LIVE_REMINDER = "kind = 'reminder' AND retry_of IS NULL AND status NOT IN ('skipped', 'expired', 'not_sent')"
WAITING_REPLY = "look_at IS NOT NULL"
IN_TROUBLE = "status IN ('failed', 'undelivered', 'unknown', 'not_sent', 'expired')"
NOT_ACTIVE = "status <> 'active'"
COPY = "kind = 'copy'"
PRESENT = "removed_at IS NULL"


def upgrade() -> None:
    _create_clinics()
    _create_batches()
    _create_heartbeats()
    _create_lanes()
    _create_meta()
    _create_simulated_inbox()
    _create_audit()
    _create_patients()
    _create_patient_pages()
    _create_staff()
    _create_staff_links()
    _create_staff_sessions()
    _create_clearances()
    _create_consents()
    _create_enrolments()
    _create_replies()
    _create_carers()
    _create_carer_consents()
    _create_orphan_texts()
    _create_results()
    _create_tasks()
    _create_task_events()
    _create_staff_mail()
    _create_messages()
    _create_attempts()
    _create_reports()
    _create_api_keys()
    _create_staff_drafts()
    _create_written_messages()
    _create_patient_notes()
    _create_consent_wordings()
    _create_uploads()
    _create_bulk_changes()


def _create_clinics() -> None:
    op.create_table(
        "clinics",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("message_name", sa.String(40), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("phone", sa.String(32)),
        sa.Column("sms_from", sa.String(32)),
        sa.Column("messaging_service", sa.String(34)),
        sa.Column("email_from", sa.String(254)),
        sa.Column("messages_per_second", sa.Float(), nullable=True),
        sa.Column("window_start", sa.Time(), nullable=False),
        sa.Column("window_end", sa.Time(), nullable=False),
        sa.Column("contact_time", sa.Time(), nullable=False),
        sa.Column("daily_budget", sa.SmallInteger(), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("holidays", sa.String(32)),
        sa.Column("closed_days", sa.Text(), nullable=False),
        sa.Column("digest_to", sa.String(254)),
        sa.Column("digest_at", sa.Time(), nullable=False),
        sa.Column("digest_due_at", INSTANT),
        sa.Column("duty_email", sa.String(254)),
        sa.Column("name_on_shared", sa.Boolean(), nullable=False),
        sa.Column("stop_scope", sa.String(8), nullable=False),
        sa.Column("confirm_numbers", sa.Boolean(), nullable=False),
        sa.Column("pathways", sa.Text()),
        sa.Column("reported_at", INSTANT, nullable=False),
        sa.Column("replan_after", sa.String(64)),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clinics"),
        sa.UniqueConstraint("code", name="uq_clinics_code"),
    )
    op.create_index(
        "ix_clinics_digest_due_at",
        "clinics",
        ["digest_due_at"],
        postgresql_where=sa.text("digest_due_at IS NOT NULL"),
        sqlite_where=sa.text("digest_due_at IS NOT NULL"),
    )


def _create_batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("worker", sa.String(64), nullable=False),
        sa.Column("lease_until", INSTANT, nullable=False),
        sa.Column("message_ids", sa.LargeBinary(), nullable=False),
        sa.Column("handed", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )


def _create_heartbeats() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("worker", sa.String(64), nullable=False),
        sa.Column("beat_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("worker", name="pk_heartbeats"),
    )


def _create_lanes() -> None:
    op.create_table(
        "lanes",
        sa.Column("key", sa.String(320), nullable=False),
        sa.Column("holder", sa.String(64), nullable=True),
        sa.Column("held_until", INSTANT, nullable=True),
        sa.Column("quiet_until", INSTANT, nullable=True),
        sa.Column("open_since", INSTANT, nullable=True),
        sa.Column("code", sa.String(32), nullable=True),
        sa.Column("probe_at", INSTANT, nullable=True),
        sa.Column("probes", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_lanes"),
    )


def _create_meta() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
    )


def _create_simulated_inbox() -> None:
    op.create_table(
        "simulated_inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("address", SEALED, nullable=False),
        sa.Column("sender", sa.String(254), nullable=False),
        sa.Column("subject", SEALED),
        sa.Column("body", SEALED, nullable=False),
        sa.Column("html", SEALED),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_simulated_inbox"),
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(254), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("patient_id", sa.Uuid()),
        sa.Column("detail", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_audit_clinic_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_clinic_id_at", "audit", ["clinic_id", "at"])
    op.create_index("ix_audit_clinic_id_actor_at", "audit", ["clinic_id", "actor", "at"])
    op.create_index("ix_audit_clinic_id_action_at", "audit", ["clinic_id", "action", "at"])
    op.create_index(
        "ix_audit_clinic_id_patient_id_at",
        "audit",
        ["clinic_id", "patient_id", "at"],
        postgresql_where=sa.text("patient_id IS NOT NULL"),
        sqlite_where=sa.text("patient_id IS NOT NULL"),
    )


def _create_patients() -> None:
    op.create_table(
        "patients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("mrn", sa.String(64), nullable=False),
        sa.Column("name", SEALED, nullable=False),
        sa.Column("birth_date", SEALED),
        sa.Column("phone", SEALED),
        sa.Column("phone_index", sa.LargeBinary(16)),
        sa.Column("email", SEALED),
        sa.Column("email_index", sa.LargeBinary(16)),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("contact_time", sa.Time()),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("mobility", sa.String(16), nullable=False),
        sa.Column("exercise_days", sa.SmallInteger(), nullable=False),
        sa.Column("risk_factors", sa.String(255), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("paused_until", sa.Date()),
        sa.Column("sms_consent", sa.Boolean(), nullable=False),
        sa.Column("email_consent", sa.Boolean(), nullable=False),
        sa.Column("phone_bad", sa.Boolean(), nullable=False),
        sa.Column("email_bad", sa.Boolean(), nullable=False),
        sa.Column("carer_mode", sa.String(8)),
        sa.Column("carer_channel", sa.String(8)),
        sa.Column("next_contact_at", INSTANT),
        sa.Column("contacted_on", sa.Date()),
        sa.Column("contacts_that_day", sa.SmallInteger(), nullable=False),
        sa.Column("stop_line_on", sa.Date()),
        sa.Column("confirmed_index", sa.LargeBinary(16)),
        sa.Column("confirm_asks", sa.SmallInteger(), nullable=False),
        sa.Column("confirm_asked_on", sa.Date()),
        sa.Column("is_discreet", sa.Boolean(), nullable=False),
        sa.Column("page_key", sa.LargeBinary(8)),
        sa.Column("source", SEALED),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_patients_clinic_id"),
        sa.PrimaryKeyConstraint("id", name="pk_patients"),
        sa.UniqueConstraint("clinic_id", "mrn", name="uq_patients_clinic_id_mrn"),
    )
    op.create_index("ix_patients_clinic_id_updated_at", "patients", ["clinic_id", "updated_at"])
    op.create_index(
        "ix_patients_not_active",
        "patients",
        ["clinic_id", "status"],
        postgresql_where=sa.text(NOT_ACTIVE),
        sqlite_where=sa.text(NOT_ACTIVE),
    )
    op.create_index("ix_patients_email_index_clinic_id", "patients", ["email_index", "clinic_id"])
    op.create_index("ix_patients_phone_index_clinic_id", "patients", ["phone_index", "clinic_id"])
    op.create_index(
        "ix_patients_due",
        "patients",
        ["next_contact_at", "clinic_id", "channel"],
        postgresql_where=sa.text("next_contact_at IS NOT NULL"),
        sqlite_where=sa.text("next_contact_at IS NOT NULL"),
    )
    op.create_index(
        "uq_patients_page_key",
        "patients",
        ["page_key"],
        unique=True,
        postgresql_where=sa.text("page_key IS NOT NULL"),
        sqlite_where=sa.text("page_key IS NOT NULL"),
    )


def _create_patient_pages() -> None:
    op.create_table(
        "patient_pages",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("locked_until", INSTANT),
        sa.Column("paused_on", sa.Date()),
        sa.Column("paused_until", sa.Date()),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_patient_pages_clinic_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_patient_pages_patient_id"),
        sa.PrimaryKeyConstraint("patient_id", name="pk_patient_pages"),
    )


def _create_staff() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("password", sa.String(255)),
        sa.Column("second_factor", sa.LargeBinary()),
        sa.Column("code_step", sa.Integer(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("locked_until", INSTANT),
        sa.Column("left_at", INSTANT),
        sa.Column("identity", SEALED),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_staff_clinic_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("clinic_id", "email", name="uq_staff_clinic_id_email"),
    )
    op.create_index("ix_staff_email", "staff", ["email"])


def _create_staff_links() -> None:
    op.create_table(
        "staff_links",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_staff_links_clinic_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_staff_links_staff_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_staff_links"),
    )
    op.create_index("ix_staff_links_staff_id", "staff_links", ["staff_id"])


def _create_staff_sessions() -> None:
    op.create_table(
        "staff_sessions",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_staff_sessions_clinic_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_staff_sessions_staff_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_staff_sessions"),
    )
    op.create_index("ix_staff_sessions_staff_id", "staff_sessions", ["staff_id"])


def _create_clearances() -> None:
    op.create_table(
        "clearances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("named", SEALED, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("decision", sa.String(16)),
        sa.Column("decided_at", INSTANT),
        sa.Column("decided_by", sa.String(254)),
        sa.Column("signed_with", sa.String(16)),
        sa.Column("shown", SEALED),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_clearances_clinic_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_clearances_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_clearances"),
    )
    op.create_index("ix_clearances_patient_id", "clearances", ["patient_id"])


def _create_consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("topic", sa.String(32)),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(254), nullable=False),
        sa.Column("wording", sa.String(64)),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_consents_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_patient_id", "consents", ["patient_id"])
    op.create_table(
        "bad_addresses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("address", SEALED, nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("marked_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_bad_addresses_clinic_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_bad_addresses_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bad_addresses"),
    )
    op.create_index("ix_bad_addresses_patient_id", "bad_addresses", ["patient_id"])


def _create_enrolments() -> None:
    op.create_table(
        "enrolments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("pathway", sa.String(32), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("timer_on", sa.Date()),
        sa.Column("silence_from", sa.Date(), nullable=False),
        sa.Column("fired", sa.SmallInteger(), nullable=False),
        sa.Column("sent_count", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("week_of", sa.Date()),
        sa.Column("done_count", sa.SmallInteger(), nullable=False),
        sa.Column("done_on", sa.Date()),
        sa.Column("paused_until", sa.Date()),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("rest_months", sa.SmallInteger()),
        sa.Column("is_stopped", sa.Boolean(), nullable=False),
        sa.Column("contact_time", sa.Time()),
        sa.Column("enrolled_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_enrolments_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_enrolments"),
        sa.UniqueConstraint("patient_id", "pathway", name="uq_enrolments_patient_id_pathway"),
    )
    op.create_index("ix_enrolments_clinic_id_pathway_step", "enrolments", ["clinic_id", "pathway", "step"])


def _create_replies() -> None:
    op.create_table(
        "replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid()),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("sender", SEALED, nullable=False),
        sa.Column("sender_index", sa.LargeBinary(16), nullable=False),
        sa.Column("body", SEALED, nullable=False),
        sa.Column("provider_id", sa.String(255)),
        sa.Column("media", sa.SmallInteger(), nullable=False),
        sa.Column("written_by", sa.String(8), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("candidates", sa.Text()),
        sa.Column("thread", SEALED),
        sa.Column("opt_out", sa.String(8)),
        sa.Column("look_at", INSTANT),
        sa.Column("meaning", sa.String(16)),
        sa.Column("pathway", sa.String(32)),
        sa.Column("answer", sa.String(32)),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_replies_clinic_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_replies_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_replies"),
        sa.UniqueConstraint("clinic_id", "provider_id", name="uq_replies_clinic_id_provider_id"),
    )
    op.create_index("ix_replies_clinic_id_received_at", "replies", ["clinic_id", "received_at"])
    op.create_index("ix_replies_patient_id", "replies", ["patient_id"])
    op.create_index(
        "ix_replies_held",
        "replies",
        ["sender_index"],
        postgresql_where=sa.text("candidates IS NOT NULL"),
        sqlite_where=sa.text("candidates IS NOT NULL"),
    )
    for name, columns in (
        ("ix_replies_waiting", ["look_at"]),
        ("ix_replies_waiting_of", ["patient_id", "received_at"]),
    ):
        op.create_index(
            name,
            "replies",
            columns,
            postgresql_where=sa.text(WAITING_REPLY),
            sqlite_where=sa.text(WAITING_REPLY),
        )


def _create_carers() -> None:
    op.create_table(
        "carers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("name", SEALED, nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("phone", SEALED),
        sa.Column("phone_index", sa.LargeBinary(16)),
        sa.Column("email", SEALED),
        sa.Column("email_index", sa.LargeBinary(16)),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("is_bad", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("removed_at", INSTANT),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_carers_clinic_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_carers_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_carers"),
    )
    op.create_index(
        "uq_carers_patient_id",
        "carers",
        ["patient_id"],
        unique=True,
        postgresql_where=sa.text(PRESENT),
        sqlite_where=sa.text(PRESENT),
    )
    op.create_index("ix_carers_phone_index_clinic_id", "carers", ["phone_index", "clinic_id"])
    op.create_index("ix_carers_email_index_clinic_id", "carers", ["email_index", "clinic_id"])


def _create_carer_consents() -> None:
    op.create_table(
        "carer_consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("carer_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(254), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_carer_consents_clinic_id"),
        sa.ForeignKeyConstraint(["carer_id"], ["carers.id"], name="fk_carer_consents_carer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_carer_consents"),
    )
    op.create_index("ix_carer_consents_carer_id", "carer_consents", ["carer_id"])


def _create_orphan_texts() -> None:
    op.create_table(
        "orphan_texts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("sender", SEALED, nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("body", SEALED, nullable=False),
        sa.Column("media", sa.SmallInteger(), nullable=False),
        sa.Column("provider_id", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_orphan_texts"),
        sa.UniqueConstraint("provider_id", name="uq_orphan_texts_provider_id"),
    )


def _create_written_messages() -> None:
    op.create_table(
        "written_messages",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("words", SEALED, nullable=False),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("written_by", sa.String(254), nullable=False),
        sa.Column("once", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_written_messages_message_id"),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_written_messages_clinic_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_written_messages_patient_id"),
        sa.PrimaryKeyConstraint("message_id", name="pk_written_messages"),
        sa.UniqueConstraint("clinic_id", "once", name="uq_written_messages_clinic_id_once"),
    )
    op.create_index("ix_written_messages_patient_id", "written_messages", ["patient_id"])


def _create_patient_notes() -> None:
    op.create_table(
        "patient_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("noted_at", INSTANT, nullable=False),
        sa.Column("noted_by", sa.String(254), nullable=False),
        sa.Column("words", SEALED, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_patient_notes_clinic_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_patient_notes_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_patient_notes"),
    )
    op.create_index("ix_patient_notes_patient_id", "patient_notes", ["patient_id"])


def _create_results() -> None:
    op.create_table(
        "results",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("value", SEALED),
        sa.Column("unit", sa.String(32)),
        sa.Column("next_months", sa.SmallInteger()),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.String(254), nullable=False),
        sa.Column("moved", sa.Text()),
        sa.Column("voided_at", INSTANT),
        sa.Column("voided_by", sa.String(254)),
        sa.Column("void_reason", SEALED),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_results_clinic_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_results_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_results"),
    )
    op.create_index("ix_results_patient_id", "results", ["patient_id"])


def _create_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid()),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("cause", sa.String(120), nullable=False),
        sa.Column("priority", sa.String(8), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("overdue_at", INSTANT),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("assignee", sa.String(254)),
        sa.Column("note", SEALED),
        sa.Column("closed_at", INSTANT),
        sa.Column("closed_by", sa.String(254)),
        sa.Column("resolution", sa.String(16)),
        sa.Column("resolution_words", SEALED),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_tasks_clinic_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_tasks_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_patient_id", "tasks", ["patient_id"])
    op.create_index("ix_tasks_clinic_id_opened_at", "tasks", ["clinic_id", "opened_at"])
    op.create_index("ix_tasks_clinic_id_closed_at", "tasks", ["clinic_id", "closed_at"])
    op.create_index(
        "ix_tasks_overdue",
        "tasks",
        ["overdue_at"],
        postgresql_where=sa.text("status = 'open' AND overdue_at IS NOT NULL"),
        sqlite_where=sa.text("status = 'open' AND overdue_at IS NOT NULL"),
    )
    op.create_index(
        "uq_tasks_open_cause",
        "tasks",
        ["clinic_id", "cause"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
        sqlite_where=sa.text("status = 'open'"),
    )


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_id", sa.Uuid()),
        sa.Column("recipient", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("pathway", sa.String(32), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("fired", sa.SmallInteger(), nullable=False),
        sa.Column("template", sa.String(32), nullable=False),
        sa.Column("activity_turn", sa.Integer(), nullable=False),
        sa.Column("count", sa.SmallInteger(), nullable=False),
        sa.Column("stop_line", sa.Boolean(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.Column("send_from", INSTANT, nullable=False),
        sa.Column("send_until", INSTANT, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("provider_id", sa.String(255)),
        sa.Column("sent_at", INSTANT),
        sa.Column("subject", SEALED),
        sa.Column("body", SEALED),
        sa.Column("language", sa.String(16)),
        sa.Column("segments", sa.SmallInteger()),
        sa.Column("pathway_version", sa.String(16), nullable=False),
        sa.Column("template_version", sa.String(16)),
        sa.Column("retry_of", sa.Uuid()),
        sa.Column("answers", sa.Uuid()),
        sa.Column("ask_at", INSTANT),
        sa.Column("asks", sa.SmallInteger()),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_messages_patient_id"),
        sa.ForeignKeyConstraint(["retry_of"], ["messages.id"], name="fk_messages_retry_of"),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
    )
    op.create_index("ix_messages_of_day", "messages", ["clinic_id", "planned_at", "send_from", "channel", "status"])
    op.create_index(
        "ix_messages_in_trouble",
        "messages",
        ["clinic_id", "planned_at"],
        postgresql_where=sa.text(IN_TROUBLE),
        sqlite_where=sa.text(IN_TROUBLE),
    )
    op.create_index("ix_messages_patient_id_planned_at", "messages", ["patient_id", "planned_at"])
    op.create_index(
        "ix_messages_provider_id",
        "messages",
        ["provider_id"],
        postgresql_where=sa.text("provider_id IS NOT NULL"),
        sqlite_where=sa.text("provider_id IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_ready",
        "messages",
        ["channel", "kind", "send_from"],
        postgresql_where=sa.text("status = 'planned'"),
        sqlite_where=sa.text("status = 'planned'"),
    )
    op.create_index(
        "uq_messages_reminder",
        "messages",
        ["enrolment_id", "cycle", "step", "due_date"],
        unique=True,
        postgresql_where=sa.text(LIVE_REMINDER),
        sqlite_where=sa.text(LIVE_REMINDER),
    )
    op.create_index(
        "uq_messages_copy",
        "messages",
        ["enrolment_id", "cycle", "step", "due_date"],
        unique=True,
        postgresql_where=sa.text(COPY),
        sqlite_where=sa.text(COPY),
    )
    op.create_index(
        "uq_messages_retry_of",
        "messages",
        ["retry_of"],
        unique=True,
        postgresql_where=sa.text("retry_of IS NOT NULL"),
        sqlite_where=sa.text("retry_of IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_unknown",
        "messages",
        ["ask_at", "status"],
        postgresql_where=sa.text("status = 'unknown'"),
        sqlite_where=sa.text("status = 'unknown'"),
    )


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("address", SEALED, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.Column("outcome", sa.String(16)),
        sa.Column("code", sa.String(32)),
        sa.Column("detail", sa.String(255)),
        sa.Column("provider_id", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.UniqueConstraint("message_id", "number", name="uq_attempts_message_id_number"),
    )
    op.create_index(
        "ix_attempts_provider_id",
        "attempts",
        ["provider_id"],
        postgresql_where=sa.text("provider_id IS NOT NULL"),
        sqlite_where=sa.text("provider_id IS NOT NULL"),
    )


def _create_task_events() -> None:
    op.create_table(
        "task_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(254), nullable=False),
        sa.Column("step", sa.String(12), nullable=False),
        sa.Column("detail", sa.String(254)),
        sa.Column("words", SEALED),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_task_events_clinic_id"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_task_events_task_id"),
        sa.PrimaryKeyConstraint("id", name="pk_task_events"),
    )
    op.create_index("ix_task_events_task_id", "task_events", ["task_id"])


def _create_staff_mail() -> None:
    op.create_table(
        "staff_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("cause", sa.String(80), nullable=False),
        sa.Column("address", SEALED, nullable=False),
        sa.Column("subject", SEALED, nullable=False),
        sa.Column("body", SEALED, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.Column("send_from", INSTANT, nullable=False),
        sa.Column("send_until", INSTANT),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("attempt_id", sa.Uuid()),
        sa.Column("is_again", sa.Boolean(), nullable=False),
        sa.Column("lease_until", INSTANT),
        sa.Column("worker", sa.String(64)),
        sa.Column("sent_at", INSTANT),
        sa.Column("provider_id", sa.String(255)),
        sa.Column("code", sa.String(32)),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_staff_mail_clinic_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_mail"),
        sa.UniqueConstraint("clinic_id", "cause", name="uq_staff_mail_clinic_id_cause"),
    )
    op.create_index(
        "ix_staff_mail_ready",
        "staff_mail",
        ["send_from"],
        postgresql_where=sa.text("status = 'planned'"),
        sqlite_where=sa.text("status = 'planned'"),
    )
    op.create_index(
        "ix_staff_mail_leased",
        "staff_mail",
        ["lease_until"],
        postgresql_where=sa.text("status = 'sending'"),
        sqlite_where=sa.text("status = 'sending'"),
    )


def _create_reports() -> None:
    op.create_table(
        "report_days",
        sa.Column("clinic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("measure", sa.String(12), nullable=False),
        sa.Column("about", sa.String(32), nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_report_days_clinic_id"),
        sa.PrimaryKeyConstraint("clinic_id", "day", "measure", "about", "key", name="pk_report_days"),
    )
    op.create_table(
        "report_rounds",
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("pathway", sa.String(32), nullable=False),
        sa.Column("began_on", sa.Date(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("arrived_on", sa.Date()),
        sa.Column("answered_at", INSTANT),
        sa.Column("settled_at", INSTANT),
        sa.Column("result_days", sa.Integer()),
        sa.PrimaryKeyConstraint("enrolment_id", "cycle", name="pk_report_rounds"),
    )
    op.create_index("ix_report_rounds_clinic_id_began_on", "report_rounds", ["clinic_id", "began_on"])
    op.create_index("ix_report_rounds_patient_id", "report_rounds", ["patient_id"])


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("prefix", sa.String(12), nullable=False),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.String(254), nullable=False),
        sa.Column("used_on", sa.Date()),
        sa.Column("revoked_at", INSTANT),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_api_keys_clinic_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
    )
    op.create_index("ix_api_keys_clinic_id", "api_keys", ["clinic_id"])


def _create_staff_drafts() -> None:
    op.create_table(
        "staff_drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("form", SEALED, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_staff_drafts_clinic_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_staff_drafts_staff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_drafts"),
    )
    op.create_index("ix_staff_drafts_staff_id", "staff_drafts", ["staff_id"])


def _create_consent_wordings() -> None:
    op.create_table(
        "consent_wordings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_consent_wordings_clinic_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consent_wordings"),
        sa.UniqueConstraint("clinic_id", "mark", name="uq_consent_wordings_clinic_id_mark"),
    )


def _create_uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(64), nullable=False),
        sa.Column("name", SEALED, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sent_by", sa.String(254), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("options", SEALED),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("excluded", sa.Integer(), nullable=False),
        sa.Column("problems", SEALED),
        sa.Column("fault", SEALED),
        sa.Column("worker", sa.String(64)),
        sa.Column("beat_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_uploads_clinic_id"),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_clinic_id_sent_at", "uploads", ["clinic_id", "sent_at"])
    op.create_table(
        "upload_columns",
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("headings", SEALED, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_upload_columns_clinic_id"),
        sa.PrimaryKeyConstraint("clinic_id", name="pk_upload_columns"),
    )


def _create_bulk_changes() -> None:
    op.create_table(
        "bulk_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("pathway", sa.String(32)),
        sa.Column("until", sa.Date()),
        sa.Column("made_by", sa.String(254), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT),
        sa.Column("undone_at", INSTANT),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name="fk_bulk_changes_clinic_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_changes"),
    )
    op.create_index("ix_bulk_changes_clinic_id_made_at", "bulk_changes", ["clinic_id", "made_at"])
    op.create_table(
        "bulk_members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("bulk_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("fate", sa.String(12), nullable=False),
        sa.Column("why", sa.String(120)),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.String(64)),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulk_changes.id"], name="fk_bulk_members_bulk_id"),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name="fk_bulk_members_patient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_members"),
    )
    op.create_index("ix_bulk_members_bulk_id", "bulk_members", ["bulk_id"])
    op.create_index("ix_bulk_members_patient_id", "bulk_members", ["patient_id"])
