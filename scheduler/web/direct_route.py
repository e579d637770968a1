"""A route for what comes in by the hundred a second: working out what to inject costs more than the work itself."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute


class DirectRoute(APIRoute):
    """Its endpoint is a coroutine function that takes the request and nothing else, and so is who may use it.

    Declared like any other route, with its access as a dependency; that is asked first, and nothing is injected.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What FastAPI calls with each request."""
        endpoint = self.endpoint
        access = [dependency.call for dependency in self.dependant.dependencies if dependency.call is not None]

        async def handle(request: Request) -> Response:
            for admit in access:
                await admit(request)
            response: Response = await endpoint(request)
            return response

        return handle
