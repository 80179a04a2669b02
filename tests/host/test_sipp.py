# SPDX-License-Identifier: Apache-2.0
"""sipp registers with AKAv1-MD5, and calls sipp with a handset's SDP, through our P-CSCF and S-CSCF on sockets, with
our HSS behind: subscribers that may do without IPsec."""

import asyncio
from pathlib import Path

import pytest
import sipp
from ims_box import Addresses, Box, box, impi_of, number_of
from kamailio import DOMAIN

from dialtone.codec import sdp, sip
from dialtone.scscf.store import CallRecord, read_calls


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_registers_with_aka(tmp_path: Path, transport: str) -> None:
    """Nine phones, each with a socket of its own."""
    async def run() -> None:
        at, numbers = Addresses(), range(1, 10)
        async with box(tmp_path, at.config(), at, [], phones=9) as it:
            process = await sipp.run(tmp_path, "register", sipp.register(), at, at[101], "-t", f"{transport[0]}n",
                                     "-inf", str(sipp.users(tmp_path, *numbers)), "-m", "9", "-r", "9")
            await sipp.end(tmp_path, process)
            found = it.core.pcscf.registrations
            assert {key.impi for key in found} == {impi_of(number) for number in numbers}
            assert {each.plain.transport for each in found.values() if each.plain} == {transport}
            assert all(each.registered for each in found.values())
            assert set(it.core.scscf.users) == {impi_of(number) for number in numbers}
            assert it.names("Cx").count("Multimedia-Auth Request") == 9
            assert it.loop.counters.get("internal error", 0) == 0

    asyncio.run(run())


async def registered(it: Box, path: Path, number: int, transport: str) -> str:
    """A phone at the usual port; its address."""
    host = it.at[100 + number]
    process = await sipp.run(path, f"register{number}", sipp.register(), it.at, host, "-t", f"{transport[0]}1", "-p",
                             "5060", "-inf", str(sipp.users(path, number)), "-m", "1")
    await sipp.end(path, process)
    return host


def offers(it: Box) -> set[tuple[str, ...]]:
    """The codecs of the INVITEs that got to the phone called."""
    bodies = [sip.decode(event.data).body for event in it.loop.bus.ring
              if event.point == "Gm" and event.name == "INVITE" and event.src == "pcscf"]
    return {tuple(each.encoding for each in sdp.decode(body).media[0].rtpmaps.values()) for body in bodies}


@pytest.mark.parametrize(("transport", "hangs_up", "preconditions"), [
    ("udp", "caller", False), ("udp", "callee", True), ("tcp", "caller", True), ("tcp", "callee", False)])
def test_sipp_calls_sipp(tmp_path: Path, transport: str, hangs_up: str, preconditions: bool) -> None:
    async def run() -> None:
        at = Addresses()
        more, supported = (sipp.READY, "100rel, precondition, timer") if preconditions else ("", "timer")
        async with box(tmp_path, at.config(), at, []) as it:
            hosts = [await registered(it, tmp_path, number, transport) for number in (1, 2)]
            options = ("-t", f"{transport[0]}1", "-p", "5060", "-m", "2")
            answers = await sipp.run(tmp_path, "callee", sipp.callee(hangs_up=hangs_up == "callee", more=more), at,
                                     hosts[1], *options)
            await asyncio.sleep(0.5)
            calling = sipp.caller(1, 2, hangs_up=hangs_up == "caller", more=more, supported=supported)
            calls = await sipp.run(tmp_path, "caller", calling, at, hosts[0], *options, "-r", "2")
            await sipp.end(tmp_path, calls)
            await sipp.end(tmp_path, answers)
            await it.until(lambda: len(records(it)) == 2)
            for record in records(it):
                assert (record.caller, record.called) == (f"sip:{number_of(1)}@{DOMAIN}", number_of(2))
                assert (record.status, record.answered > 0, record.seconds >= 0.15) == (200, True, True)
            assert offers(it) == {("AMR-WB", "AMR-WB", "AMR", "AMR", "TELEPHONE-EVENT", "TELEPHONE-EVENT")}
            assert it.core.pcscf.passing == {}
            assert it.core.scscf.calls == {}
            assert it.loop.counters.get("internal error", 0) == 0

    asyncio.run(run())


def records(it: Box) -> list[CallRecord]:
    return it.store.read(lambda db: read_calls(db, 10))
