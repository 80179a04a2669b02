# SPDX-License-Identifier: Apache-2.0
"""The application: what its routes share, and its life."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request

from dialtone import __version__
from dialtone.api import problems
from dialtone.api.decoder import Decoder
from dialtone.api.feed import Feed
from dialtone.control import AsyncClient

PREFIX = "/api/v1"


@dataclass(slots=True)
class Appliance:
    """The other processes, and what this one keeps of them."""

    core: AsyncClient
    sim: AsyncClient
    feed: Feed
    decoder: Decoder


def appliance(request: Request) -> Appliance:
    """The dependency of every route."""
    found: Appliance = request.app.state.appliance
    return found


def create_app(run: Path, hosts: frozenset[str] = frozenset()) -> FastAPI:
    """The API over the sockets in directory `run`. `hosts`: names it answers to, all when empty."""
    from dialtone.api import ims, ipsec, network, profiles, radio, sim, sms, subscribers, trace

    core = AsyncClient(run / "core.sock")
    state = Appliance(core, AsyncClient(run / "sim.sock"), Feed(core), Decoder())

    @contextlib.asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(state.feed.follow())
        try:
            yield
        finally:
            following.cancel()
            await state.decoder.close()
            await state.core.close()
            await state.sim.close()

    app = FastAPI(title="Dialtone", version=__version__, lifespan=life, docs_url=None, redoc_url=None,
                  openapi_url=f"{PREFIX}/openapi.json")
    app.state.appliance = state
    problems.install(app, hosts)
    for part in (network, ims, radio, subscribers, profiles, trace, sim, ipsec, sms):
        app.include_router(part.router, prefix=PREFIX)
    return app
