"""What the clinic's pathways are called on a patient's page."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.web.patient.visit import Visit
from scheduler.web.site import Site
from scheduler.web.tongues import N_

# Those that come with the service; one of a clinic's own has the title that the clinic gave it.
_TITLES: Mapping[str, str] = {
    "vitamin_d": N_("Vitamin D check"),
    "dexa": N_("Bone-density scan"),
    "exercise": N_("Daily movement"),
    "supplement": N_("Vitamins and supplements"),
    "falls": N_("Falls"),
    "nutrition": N_("Food ideas"),
}


def title_of(site: Site, visit: Visit, pathway: str) -> str:
    """The title in the language of the page."""
    if pathway in _TITLES:
        return visit.saying.one(_TITLES[pathway])
    found = site.app.rules.pathways.get(pathway)
    return found.title if found is not None else pathway
