"""The entries of the audit trail in plain words. An action without words here is shown as it is stored."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "patient viewed": "Looked at a patient",
    "patient enrolled": "Enrolled a patient",
    "patient updated": "Changed a patient's record",
    "patient erased": "Erased a patient",
    "patient taken off": "Took a patient off all reminders",
    "reminders changed": "Changed a patient's reminders",
    "result recorded": "Recorded a result",
    "result voided": "Voided a result that was recorded by mistake",
    "supplement decided": "Signed a decision on a supplement",
    "consent granted": "Recorded consent",
    "consent revoked": "Recorded that consent was taken back",
    "carer's consent granted": "Recorded a contact person's consent",
    "carer's consent revoked": "Recorded that a contact person took consent back",
    "contact times changed": "Changed when a patient is written to",
    "number confirmed": "Said that a number or address is right",
    "task changed": "Worked on a task",
    "carer set": "Named a contact person",
    "carer removed": "Removed a contact person",
    "number suspended": "Stopped using a number or address",
    "clinic added": "Added the clinic",
    "clinic changed": "Changed a setting of the clinic",
    "staff added": "Invited somebody to work here",
    "staff role changed": "Gave somebody another role",
    "staff left": "Signed somebody out for good",
    "link made": "Made a link to a new password",
    "password chosen": "Chose a new password",
    "second factor removed": "Removed somebody's second factor",
    "password accepted": "Gave the right password, before the code",
    "signed in": "Signed in",
    "identity accepted": "Was recognised by the clinic’s sign-in, before the code",
    "identity bound": "Signed in by the clinic’s sign-in for the first time",
    "identity forgotten": "Let somebody sign in by another account of the clinic’s sign-in",
    "sign-in refused": "Was not let in by the clinic’s sign-in",
    "second factor set up": "Set up codes from an app",
    "signed out": "Signed out",
    "signed out everywhere": "Signed out everywhere",
    "account locked": "Was locked out after wrong tries",
    "API key made": "Made an API key",
    "API key revoked": "Revoked an API key",
    "audit viewed": "Looked at this trail",
    "audit exported": "Downloaded this trail",
    "test mail sent": "Sent a test mail",
    "test text sent": "Sent a test text",
}


def in_words(action: str) -> str:
    """What somebody did."""
    return WORDS.get(action) or action[:1].upper() + action[1:]
