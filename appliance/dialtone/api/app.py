# SPDX-License-Identifier: Apache-2.0
"""The application: its parts, its life, and the document that describes it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from dialtone import __version__
from dialtone.api import (
    classes,
    ims,
    ipsec,
    machine,
    metrics,
    network,
    pages,
    problems,
    profiles,
    radio,
    sim,
    sms,
    subscribers,
    trace,
)
from dialtone.api.access import Access, Role
from dialtone.api.classroom import Classroom
from dialtone.api.decoder import Decoder
from dialtone.api.feed import Feed
from dialtone.api.visit import Appliance
from dialtone.control import AsyncClient

PREFIX = "/api/v1"
_PARTS = (network, ims, radio, subscribers, profiles, trace, sim, ipsec, sms, classes, machine)
ROUTERS: tuple[tuple[str, APIRouter], ...] = (*((PREFIX, part.router) for part in _PARTS), ("", metrics.router),
                                             ("", pages.router))
"""Where each part stands."""


def create_app(run: Path, hosts: frozenset[str] = frozenset(), state: Path | None = None, *,
               power: bool = False, notebooks: str = "") -> FastAPI:
    """The API over the sockets in directory `run`. `hosts`: names it answers to, all when empty. Tokens and answers
    are kept in directory `state`, or in memory without one. `power`: the teacher may switch the machine off;
    `notebooks` is the URL of JupyterLab."""
    core = AsyncClient(run / "core.sock")
    box = Appliance(core, AsyncClient(run / "sim.sock"), Feed(core), Decoder(),
                    Access(state and state / "access.json"), Classroom(state and state / "answers.json"),
                    str(run / "api.sock"), power, notebooks)

    @contextlib.asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(box.feed.follow())
        try:
            yield
        finally:
            following.cancel()
            await box.decoder.close()
            await box.core.close()
            await box.sim.close()

    app = FastAPI(title="Dialtone", version=__version__, lifespan=life, docs_url=None, redoc_url=None,
                  openapi_url="/openapi.json", description=__doc__)
    app.state.appliance = box
    problems.install(app, hosts)
    for prefix, router in ROUTERS:
        app.include_router(router, prefix=prefix)
    described = app.openapi
    app.openapi = lambda: app.openapi_schema or _complete(described())  # type: ignore[method-assign]
    return app


def routes() -> Iterator[tuple[str, str, APIRoute]]:
    """Method, path and route of everything that is served."""
    for prefix, router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in sorted(route.methods or ()):
                yield method, prefix + route.path, route


def role_of(route: APIRoute) -> Role:
    """Whom a route is for, as the type of its argument `its` says. Raises LookupError for one that does not say it."""
    found = [role for need in route.dependant.dependencies if (role := getattr(need.call, "role", None)) is not None]
    if len(found) != 1:
        raise LookupError(f"{route.path} does not say whom it is for")
    return Role(found[0])


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    """Add what FastAPI does not know: errors are problems, and each route has a role."""
    parts = document["components"]
    parts["schemas"] = {name: one for name, one in parts["schemas"].items() if "ValidationError" not in name}
    parts["schemas"]["Problem"] = problems.Problem.model_json_schema()
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer",
                                          "description": "The teacher's token, the class code, or a session."}}
    error = {"description": "What is wrong, and a remedy",
             "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for method, path, route in routes():
        if not route.include_in_schema:
            continue
        operation, role = document["paths"][path][method.lower()], role_of(route)
        operation["x-role"] = role.name.lower()
        operation["security"] = [] if role is Role.ANYBODY else [{"token": []}]
        operation["responses"].pop("422", None)
        operation["responses"] |= {"4XX": error, "503": error}
    return document
