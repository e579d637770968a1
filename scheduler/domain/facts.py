"""What can be recorded about a patient, and what pathways may therefore listen for under `facts`."""

from __future__ import annotations

from enum import StrEnum


class FactKind(StrEnum):
    """Something that staff, a CSV file, FHIR or a reply records about a patient."""

    VITAMIN_D_RESULT = "vitamin_d_result"  # a final vitamin D level
    DEXA_RESULT = "dexa_result"  # the report of a bone-density scan
    DEXA_DONE = "dexa_done"  # the scan was done; its report is not in yet
    STEROID_COURSE = "steroid_course"
    SUPPLEMENT_NAMED = "supplement_named"  # the patient named what they take, as in SUPP MAGNESIUM
    CLEARED = "cleared"  # a clinician's decisions on a supplement
    NOT_CLEARED = "not_cleared"
    COME_IN = "come_in"
