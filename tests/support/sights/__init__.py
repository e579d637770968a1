"""Everything that there is to see: each page in each state that matters. The pictures and the browser tests go by it.

A new page is a new line in one of the files beside this one; `tests/unit/test_sights.py` says when one is missing.
"""

from __future__ import annotations

from tests.support.sights.doors import DOORS
from tests.support.sights.many import MANY
from tests.support.sights.office import OFFICE
from tests.support.sights.own_page import OWN_PAGE
from tests.support.sights.patients import PATIENTS
from tests.support.sights.sight import Clinic, Sight

SIGHTS: tuple[Sight, ...] = (*DOORS, *OFFICE, *PATIENTS, *MANY, *OWN_PAGE)

__all__ = ["DOORS", "MANY", "OFFICE", "OWN_PAGE", "PATIENTS", "SIGHTS", "Clinic", "Sight"]
