"""Keys of other programs: an admin makes them and ends them, under the clinic's settings."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from scheduler.domain.api_keys import Scope
from scheduler.services.accounts.api_keys import ApiKeyError, make_key, revoke_key
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here
from scheduler.web.staff.session import Admin, wall_time
from scheduler.web.staff.settings import Wrong, settings_page

router = APIRouter(prefix="/settings/keys")

_LAST_ID = 2**31 - 1


@router.post("")
def add(request: Request, site: Here, who: Admin, fields: OwnLongFields) -> Response:
    """Make a key, and show it this once."""
    name, scopes = fields.get("name", ""), [scope for scope in Scope if f"scope:{scope}" in fields]
    try:
        made, key = make_key(
            site.app.store, who.clinic, name=name, scopes=scopes, by=who.account.email, now=wall_time()
        )
    except ApiKeyError as error:
        field = "key_name" if "name" in str(error) else "scopes"
        return settings_page(request, site, who, wrong=Wrong("keys", field, str(error), {"key_name": name}))
    return settings_page(request, site, who, new_key=(made.name, key))


@router.post("/{key_id}/revoke")
def revoke(request: Request, site: Here, who: Admin, key_id: int, fields: OwnLongFields) -> Response:
    """End a key."""
    found = None
    if 0 < key_id <= _LAST_ID:
        found = revoke_key(site.app.store, who.clinic, key_id, by=who.account.email, now=wall_time())
    if found is None:
        raise HTTPException(404, "This clinic has no such key.")
    return settings_page(request, site, who, said=f"The key of {found.name} is revoked: it opens nothing any more.")
