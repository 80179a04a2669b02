# SPDX-License-Identifier: Apache-2.0
"""Schemathesis over the OpenAPI document, against a whole network: whatever is asked, never a defect, and every answer
is one that the document announces."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dialtone.api.app import create_app
from dialtone.api.visit import Appliance
from dialtone.control import Args
from dialtone.lab.sandbox import Sandbox

EXAMPLES = 12  # of each operation
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)

app = create_app(Path("/nowhere"))
box: Appliance = app.state.appliance
schema = schemathesis.openapi.from_dict(app.openapi())
schema.app = app


class Socket:
    """The control socket of core and phones, without a socket: what is no DialtoneError is a defect and shows."""

    def __init__(self, network: Sandbox) -> None:
        self.network = network

    async def call(self, do: str, timeout: float = 30.0, /, **args: Any) -> Any:
        read = do.partition(".")[2] in ("", "list", "get", "seen", "status", "enbs", "phones", "records")
        return await asyncio.to_thread(self.network._do, self.network._command, do, Args(args), not read)

    async def close(self) -> None:
        """There is nothing to close."""

    async def events(self, since: int, run: str) -> Any:
        """Nothing live: the trace is filled by the test."""
        yield "run"
        await asyncio.Event().wait()


@pytest.fixture(scope="module", autouse=True)
def network() -> Iterator[None]:
    network = Sandbox(seed=1)
    network.act("POST", "/sim/phones/001010000000001:attach", {}, None)
    box.core = box.sim = box.feed.core = Socket(network)  # type: ignore[assignment]
    box.feed._take("run")
    for event in network.events:
        box.feed._take(event)
    yield
    network.close()


# The live stream has no end; tests/unit/test_api_stream.py has it.
@schema.exclude(path_regex="/stream$").parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_request_finds_a_defect(case: schemathesis.Case) -> None:
    case.headers["Authorization"] = f"Bearer {box.access.teacher}"
    case.call_and_validate(checks=CHECKS)
