"""Who may use the REST interface: a program that shows a key of a clinic (RFC 6750)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request

from scheduler.domain.api_keys import Scope
from scheduler.services.accounts.api_keys import Program, program_of
from scheduler.web.site import Here
from scheduler.web.staff.session import wall_time

_NO_KEY = "Send a key of the clinic's as `Authorization: Bearer bw_…`. An admin makes keys under Settings."
_BAD_KEY = "This key is not known, or it has been revoked. An admin makes another under Settings."


class KeyFor:
    """Asks for a program whose key has this scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: Request, site: Here) -> Program:
        """Who calls. Raises 401 without a valid key, and 403 for one that is for other things."""
        kind, _, key = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not key.strip():
            raise HTTPException(401, _NO_KEY, headers={"WWW-Authenticate": "Bearer"})
        found = program_of(site.app.store, key.strip(), now=wall_time())
        if found is None:
            raise HTTPException(401, _BAD_KEY, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if self.scope not in found.key.scopes:
            needs = f'Bearer error="insufficient_scope", scope="{self.scope}"'
            raise HTTPException(
                403, f"This key may not {self.scope}: make one with that scope.", headers={"WWW-Authenticate": needs}
            )
        return found


READS = KeyFor(Scope.READ)
ReadingProgram = Annotated[Program, Depends(READS)]


def is_for_programs(call: object) -> bool:
    """Whether a dependency lets in nobody but programs with a key."""
    return isinstance(call, KeyFor)
