"""Made-up values to try templates with: long where length matters, and every way a condition can turn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import product

from scheduler.ports import MessageValues

SAMPLE_CLINIC = "Maple Avenue Care Center"  # 24 characters, as long as a name may be in a full text
SAMPLE_ACTIVITY = "Walk for 10 minutes, twice today."  # where a language has no activities yet

TYPICAL = MessageValues(
    clinic=SAMPLE_CLINIC,
    clinic_phone="(617) 555-0123",
    first_name="Robin",
    page_url="https://remind.example/p/Zk3v9Qw7Lr2Tn8Xb5Yc1MdAs",
    unsubscribe_url="https://remind.example/u/Zk3v9Qw7Lr2Tn8Xb5Yc1Md",
    activity=SAMPLE_ACTIVITY,
    count=2,
    for_whom="A.M.",
    choices="F = A.M., G = A.S.",
    words="Please call us when you can.",
    topic="exercise",
    when="2026-09-30",
    days="mon wed fri",
)
WHENS = ("", "2026-09-30", "19:30")
DAYS = ("", "wed", "mon tue wed thu fri sat sun")
COUNTS = (0, 1, 2)


def variants(
    names: Collection[str], activities: Sequence[str], topics: Sequence[str] = ()
) -> Iterator[MessageValues]:
    """Sample values that make a difference to a template that mentions `names`.

    Every combination of counts and of empty values, and every one of `activities` with the typical others:
    no condition asks for a certain activity. Likewise every one of `topics`.
    """
    counts = COUNTS if "count" in names else (TYPICAL.count,)
    phones = (TYPICAL.clinic_phone, "") if "clinic_phone" in names else (TYPICAL.clinic_phone,)
    pages = (TYPICAL.page_url, "") if "page_url" in names else (TYPICAL.page_url,)
    longest = max(activities, key=len, default=SAMPLE_ACTIVITY)
    for count, phone, page in product(counts, phones, pages):
        yield replace(TYPICAL, count=count, clinic_phone=phone, page_url=page, activity=longest)
    for activity in activities if "activity" in names else ():
        yield replace(TYPICAL, activity=activity)
    for when in WHENS if "when" in names else ():
        yield replace(TYPICAL, when=when)
    for days in DAYS if "days" in names else ():
        yield replace(TYPICAL, days=days)
    for topic in topics if "topic" in names else ():
        yield replace(TYPICAL, topic=topic)
