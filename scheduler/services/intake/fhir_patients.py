"""Patients from a FHIR export (R4; what is read here is the same in R4B and R5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from scheduler.services.intake.draft import IntakeDefaults, Rejected, Row, RowError
from scheduler.services.intake.duplicates import first_of_its_mrn
from scheduler.services.intake.fhir_json import Broken, ResourceFile
from scheduler.services.intake.fhir_patient import row_from_patient


class FhirRows:
    """The Patients of one FHIR file. NDJSON is read line by line; a Bundle is held in memory.

    `lines` is known at once; `ignored` (resources that are no Patients, by type) and `notices` fill while
    reading.
    """

    def __init__(self, file: ResourceFile, defaults: IntakeDefaults, *, grant_consent: bool) -> None:
        self.lines = file.lines
        self.ignored: Counter[str] = Counter()
        self.notices = file.notices
        self._rows = self._parse(file, defaults, grant_consent=grant_consent)

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        return next(self._rows)

    def _parse(self, file: ResourceFile, defaults: IntakeDefaults, *, grant_consent: bool) -> Iterator[Row]:
        seen: dict[str, int] = {}
        for item in file:
            if isinstance(item, Broken):
                yield _rejected(item)
            elif item.resource["resourceType"] != "Patient":
                self.ignored[str(item.resource["resourceType"])[:64]] += 1
            else:
                row = row_from_patient(item, defaults=defaults, grant_consent=grant_consent)
                yield first_of_its_mrn(row, seen, column=f"{item.path}.identifier")


def read_fhir(path: Path, *, defaults: IntakeDefaults, grant_consent: bool) -> FhirRows:
    """Read the Patients of an NDJSON file, a Bundle of any type, or a single Patient; others are counted.

    Patients who died, are inactive or were merged into another record come as `Excluded`. Consent is None,
    or, with `grant_consent`, given today for each address. Raises `UnreadableFile` at once when the file is
    no FHIR; a broken line is a `Rejected`, and the lines after it still count.
    """
    return FhirRows(ResourceFile(path), defaults, grant_consent=grant_consent)


def _rejected(broken: Broken) -> Rejected:
    return Rejected(line=broken.line, errors=(RowError(broken.line, "", "", broken.reason),), raw=broken.text)
