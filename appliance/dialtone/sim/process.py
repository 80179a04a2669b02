# SPDX-License-Identifier: Apache-2.0
"""`dialtone sim run`: the simulated eNB and phones in a process of their own.

Own SCTP association, own GTP-U socket, a network namespace for each phone (and one for the eNB, with
`--namespace`), a control socket `sim.sock` beside the core's.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import click

from dialtone.control import ControlServer
from dialtone.datapath.radio import RadioUserPlane
from dialtone.ids import Plmn
from dialtone.lab_kernel.namespaces import Namespace, create
from dialtone.links.sctp import Sctp
from dialtone.loop import Loop
from dialtone.runtime import Runtime, epoch_clock
from dialtone.sim.attach import AttachCommand
from dialtone.sim.commands import Commands
from dialtone.sim.config import SimConfig, load, sample_phones
from dialtone.sim.detach import DetachCommand
from dialtone.sim.enb import Enb
from dialtone.sim.network import Bearers, add_enb, add_phone
from dialtone.sim.phone import Phone
from dialtone.sim.states import IS_REGISTERED
from dialtone.trace.bus import Bus

log = logging.getLogger("dialtone.sim")

RECONNECT_SECONDS = 1.0
FAREWELL_SECONDS = 1.0


def namespace_of(imsi: str) -> str:
    """A phone's network namespace."""
    return f"dt-ue-{imsi}"


async def serve(config: SimConfig, run: Path, *, attach: bool = False,
                ready: Callable[[], None] = lambda: None) -> None:
    """Run until told to stop; then every phone is switched off and every namespace removed."""
    run.mkdir(parents=True, exist_ok=True)
    loop = Loop(epoch_clock(), Bus())
    async with Runtime(loop) as runtime:
        enb = Enb("enb1", config.enb)
        sctp = Sctp(loop, enb.name, "S1-MME")
        runtime.at_close(sctp.close)
        add_enb(loop, enb, sctp)
        plane = RadioUserPlane(str(config.enb.address))
        runtime.at_close(plane.close)
        bearers = Bearers(loop, plane, namespace_of)
        phones = [add_phone(loop, Phone(phone.usim, enb.cell, phone.handset)) for phone in config.phones]
        for phone in phones:
            # In a thread: pyroute2 drives an event loop of its own, which cannot be inside ours.
            runtime.at_close((await asyncio.to_thread(create, namespace_of(phone.imsi))).remove)
        runtime.at_close(lambda: _farewell(loop, enb, phones))
        plane.start()
        sctp.connect(config.mme_address, config.mme_port, local=str(config.enb.address), name="mme",
                     retry=RECONNECT_SECONDS)
        commands = Commands(loop, enb, phones, bearers, namespace_of, run)
        runtime.at_close(commands.close)
        control = ControlServer(run / "sim.sock", commands.table(), loop.bus)
        await control.start()
        runtime.at_close(control.close)
        log.info("ready: eNB %s at %s, %d phones", config.enb.enb_name, config.enb.address, len(phones))
        if attach:
            for phone in phones:
                loop.tell(phone.name, AttachCommand())
        ready()
        await runtime.stopped()


async def _farewell(loop: Loop, enb: Enb, phones: list[Phone]) -> None:
    """Switch every phone off, and wait a moment for the network to let go."""
    for phone in phones:
        if phone.emm in IS_REGISTERED:
            loop.tell(phone.name, DetachCommand(switch_off=True))
    waited = 0.0
    while enb.ues and waited < FAREWELL_SECONDS:
        await asyncio.sleep(0.02)
        waited += 0.02


@click.command("run")
@click.option("--config", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A TOML file with [mme], [enb] and [[phone]].")
@click.option("--phones", type=click.IntRange(1, 250), help="So many phones with test cards.")
@click.option("--plmn", help="PLMN of the eNB and of the test cards, as 001/01.")
@click.option("--tac", type=click.IntRange(1, 0xFFFD), help="Tracking area code of the eNB.")
@click.option("--mme", help="Address of the MME.")
@click.option("--address", help="Address of the eNB: S1-MME and S1-U.")
@click.option("--namespace", help="Network namespace of the eNB, which exists; this one if not given.")
@click.option("--run", type=click.Path(file_okay=False, path_type=Path), default=Path("/run/dialtone"),
              show_default=True, help="Where the control socket goes.")
@click.option("--attach/--no-attach", default=False, help="Attach every phone at once.")
def sim_run(path: Path | None, phones: int | None, plmn: str | None, tac: int | None, mme: str | None,
            address: str | None, namespace: str | None, run: Path, attach: bool) -> None:
    """Run a simulated eNB with phones until SIGTERM.

    \b
    [mme]
    address = "10.0.1.133"
    [enb]
    address = "10.0.1.134"
    plmn = "001/01"
    tac = 1
    [[phone]]
    imsi = "001010000000001"
    k = "465b5ce8b199b49faa5f0a2ee238a6bc"
    opc = "cd63cb71954a9f4e48a5994e37a02baf"
    """
    logging.basicConfig(level="INFO", format="%(levelname)s %(name)s %(message)s")
    config = _chosen(load(path) if path else SimConfig(), phones, plmn, tac, mme, address)
    with Namespace(namespace).enter() if namespace else contextlib.nullcontext():
        asyncio.run(serve(config, run, attach=attach))


def _chosen(config: SimConfig, phones: int | None, plmn: str | None, tac: int | None, mme: str | None,
            address: str | None) -> SimConfig:
    """The options on top of the file."""
    enb = config.enb
    if plmn or tac:
        home = Plmn.from_text(plmn) if plmn else enb.tai.plmn
        enb = replace(enb, areas=((tac or enb.tai.tac, (home,)),))
    if address:
        enb = replace(enb, address=IPv4Address(address))
    if phones or plmn:
        config = replace(config, phones=sample_phones(phones or len(config.phones), enb.tai.plmn))
    return replace(config, enb=enb, mme_address=str(IPv4Address(mme)) if mme else config.mme_address)
