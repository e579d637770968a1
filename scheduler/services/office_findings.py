"""What is wrong with how a clinic's own people are reached, and with the working days it counts in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from scheduler.domain.staff_mail import StaffMailKind
from scheduler.ports import Unit
from scheduler.services.findings import Finding, Topic

LOOKS_BACK = timedelta(days=7)

_CORRECT = "correct the address with `bonewise clinic set --clinic {code} {option} ADDRESS`"
_REMEDIES = {
    StaffMailKind.SAFETY: _CORRECT.replace("{option}", "--duty-email"),
    StaffMailKind.DIGEST: _CORRECT.replace("{option}", "--digest-to"),
    StaffMailKind.ACCOUNT: "`bonewise staff link --clinic {code} --email ADDRESS` prints a link to hand on",
}
_WORDS = {
    StaffMailKind.SAFETY: "safety alerts",
    StaffMailKind.DIGEST: "daily digests",
    StaffMailKind.ACCOUNT: "links to a new password",
}


def office_findings(unit: Unit, calendars: Collection[str], *, now: datetime) -> Iterator[Finding]:
    """Mails to staff of the last week that did not go or may not have gone, and calendars that are gone.

    `calendars` are the names of those that there are. `now` is UTC. All but alerts are a doubt: the worklist has what
    a digest tells, and a link is asked for again.
    """
    clinics = unit.installation.clinics()
    for (clinic_id, kind), count in sorted(unit.staff_mail.failed(now - LOOKS_BACK).items()):
        code = clinics[clinic_id].code
        yield Finding(
            topic=Topic.CLINIC,
            what=f"of the {_WORDS[kind]} to the people of {code} in the last week, {count} may not have arrived",
            where=f"clinic {code}",
            remedy=f"the log says why; {_REMEDIES[kind].format(code=code)}",
            is_doubt=kind is not StaffMailKind.SAFETY,
        )
    for clinic in clinics.values():
        if clinic.holidays is not None and clinic.holidays not in calendars:
            yield Finding(
                topic=Topic.CLINIC,
                what=f"{clinic.code} keeps the holidays of {clinic.holidays}, which config/holidays no longer has",
                where=f"clinic {clinic.code}",
                remedy=(
                    "put the file back, or choose another with "
                    f"`bonewise clinic set --clinic {clinic.code} --holidays NAME`; until then only weekends are free"
                ),
            )
