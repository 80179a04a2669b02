# SPDX-License-Identifier: Apache-2.0
"""`dialtone sim run`: simulated eNBs and phones in a process of their own.

An SCTP association and a GTP-U socket for each eNB, a network namespace for each phone (and one for the eNBs, with
`--namespace`), a control socket `sim.sock` beside the core's.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import click

from dialtone.control import ControlServer
from dialtone.datapath.phones import Phones
from dialtone.datapath.radio import RadioUserPlane
from dialtone.ids import Plmn
from dialtone.lab_kernel.namespaces import Namespace, create
from dialtone.links.sctp import Sctp
from dialtone.loop import Loop
from dialtone.runtime import Runtime, as_many_files_as_may_be, epoch_clock
from dialtone.sim.attach import AttachCommand
from dialtone.sim.commands import Commands
from dialtone.sim.config import SimConfig, load, neighbours, sample_phones, with_ims
from dialtone.sim.detach import DetachCommand
from dialtone.sim.enb import Enb, EnbConfig
from dialtone.sim.ims.client import ImsClient, clients
from dialtone.sim.ims.registration import DeregisterCommand
from dialtone.sim.ims.sockets import ImsSockets
from dialtone.sim.network import Bearers, add_enb, add_phone
from dialtone.sim.phone import Phone
from dialtone.sim.service import UplinkWaiting
from dialtone.sim.states import IS_REGISTERED, RadioState
from dialtone.sim.ue_context import InactivityCommand
from dialtone.trace.bus import Bus

log = logging.getLogger("dialtone.sim")

RECONNECT_SECONDS = 1.0
FAREWELL_SECONDS = 1.0
INACTIVITY_TICK = 0.5
MOST_PHONES = 1000  # each has a namespace and a device of its own, and in IMS some ten open files


def namespace_of(imsi: str) -> str:
    """A phone's network namespace."""
    return f"dt-ue-{imsi}"


async def serve(config: SimConfig, run: Path, *, attach: bool = False,
                ready: Callable[[], None] = lambda: None) -> None:
    """Run until told to stop; then every phone is switched off and every namespace removed."""
    run.mkdir(parents=True, exist_ok=True)
    loop = Loop(epoch_clock(), Bus())
    async with Runtime(loop) as runtime:
        devices = Phones(lambda imsi: loop.tell(f"ue-{imsi}", UplinkWaiting()))
        planes: dict[str, RadioUserPlane] = {}
        bearers = Bearers(loop, planes, namespace_of, devices)
        added = [_add(loop, runtime, planes, devices, f"enb{number}", enb)
                 for number, enb in enumerate(config.enbs, 1)]
        enbs = [enb for enb, _ in added]
        phones = []
        for phone in config.phones:
            enb = next((enb for enb in enbs if enb.config.enb_name == phone.enb), enbs[0])
            phones.append(add_phone(loop, Phone(phone.usim, enb.cell, phone.handset)))
        clients = _ims_clients(loop, runtime, config, {phone.imsi: phone for phone in phones}, planes)
        for each in phones:
            # In a thread: pyroute2 drives an event loop of its own, which cannot be inside ours.
            runtime.at_close((await asyncio.to_thread(create, namespace_of(each.imsi))).remove)
        runtime.at_close(lambda: _farewell(loop, enbs, phones, clients))
        for enb, sctp in added:
            sctp.connect(config.mme_address, config.mme_port, local=str(enb.config.address), name="mme",
                         retry=RECONNECT_SECONDS)
        commands = Commands(loop, enbs, phones, bearers, namespace_of, run, clients)
        runtime.at_close(commands.close)
        control = ControlServer(run / "sim.sock", commands.table(), loop.bus)
        await control.start()
        runtime.at_close(control.close)
        watch = asyncio.ensure_future(_inactivity(loop, enbs, devices))
        runtime.at_close(lambda: _stop(watch))
        log.info("ready: %s, %d phones", ", ".join(f"eNB {enb.enb_name} at {enb.address}" for enb in config.enbs),
                 len(phones))
        if attach:
            for each in phones:
                loop.tell(each.name, AttachCommand())
        ready()
        await runtime.stopped()


def _add(loop: Loop, runtime: Runtime, planes: dict[str, RadioUserPlane], devices: Phones, name: str,
         config: EnbConfig) -> tuple[Enb, Sctp]:
    """An eNB with its SCTP link and its GTP-U socket."""
    enb = Enb(name, config)
    sctp = Sctp(loop, name, "S1-MME")
    runtime.at_close(sctp.close)
    add_enb(loop, enb, sctp)
    if config.namespace:
        sctp.within = Namespace(config.namespace).enter
    with sctp.within():
        plane = planes[name] = RadioUserPlane(str(config.address), devices)
    runtime.at_close(plane.close)
    plane.start()
    return enb, sctp


def _ims_clients(loop: Loop, runtime: Runtime, config: SimConfig, phones: dict[str, Phone],
                 planes: dict[str, RadioUserPlane]) -> dict[str, ImsClient]:
    """The IMS clients of the phones that have one."""
    def prefix_of(imsi: str, ebi: int) -> bytes:
        return next(filter(None, (plane.forwarder.prefix(imsi, ebi) for plane in planes.values())), b"")

    sockets = ImsSockets(loop, namespace_of, prefix_of)
    runtime.at_close(sockets.close)
    found = {}
    for phone in config.phones:
        if phone.handset.ims:
            both = clients(phone.usim, os.urandom, phone.ims, phone.isim, phone.handset.ims,
                           phones[phone.usim.imsi].texts)
            found[phone.usim.imsi], _ = map(sockets.add, both)
    return found


def _stop(task: asyncio.Future[None]) -> None:
    task.cancel()


async def _inactivity(loop: Loop, enbs: list[Enb], devices: Phones) -> None:
    """Each eNB lets go of phones that have been quiet for as long as it bears."""
    while True:
        await asyncio.sleep(INACTIVITY_TICK)
        now = time.monotonic()
        for enb in enbs:
            for name, ue in enb.by_phone.items():
                quiet = now - devices.busy.get(ue.label, now)
                if enb.config.inactivity and ue.state == RadioState.CONTEXT and quiet > enb.config.inactivity:
                    loop.tell(enb.name, InactivityCommand(name))


async def _farewell(loop: Loop, enbs: list[Enb], phones: list[Phone], clients: dict[str, ImsClient]) -> None:
    """Switch every phone off, and wait a moment for the network to let go; those in IMS leave that first."""
    for phone in phones:
        if phone.emm in IS_REGISTERED:
            off = DetachCommand(switch_off=True)
            client = clients.get(phone.imsi)
            if client is not None and client.registered:
                loop.tell(client.name, DeregisterCommand(off))
            else:
                loop.tell(phone.name, off)
    waited = 0.0
    while any(enb.ues for enb in enbs) and waited < FAREWELL_SECONDS:
        await asyncio.sleep(0.02)
        waited += 0.02


@click.command("run")
@click.option("--config", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A TOML file with [mme], [[enb]] and [[phone]].")
@click.option("--enbs", type=click.IntRange(1, 32), help="So many eNBs, at addresses that follow each other.")
@click.option("--phones", type=click.IntRange(1, MOST_PHONES), help="So many phones with test cards.")
@click.option("--plmn", help="PLMN of the eNB and of the test cards, as 001/01.")
@click.option("--tac", type=click.IntRange(1, 0xFFFD), help="Tracking area code of the eNB.")
@click.option("--mme", help="Address of the MME.")
@click.option("--address", help="Address of the eNB: S1-MME and S1-U.")
@click.option("--namespace", help="Network namespace of the eNB, which exists; this one if not given.")
@click.option("--run", type=click.Path(file_okay=False, path_type=Path), default=Path("/run/dialtone"),
              show_default=True, help="Where the control socket goes.")
@click.option("--ims/--no-ims", default=False, help="Test cards come with an IMS client: they register, text and call.")
@click.option("--attach/--no-attach", default=False, help="Attach every phone at once.")
def sim_run(path: Path | None, enbs: int | None, phones: int | None, plmn: str | None, tac: int | None, mme: str | None,
            address: str | None, namespace: str | None, run: Path, ims: bool, attach: bool) -> None:
    """Run simulated eNBs with phones until SIGTERM.

    \b
    [mme]
    address = "10.0.1.133"
    [[enb]]
    address = "10.0.1.134"
    plmn = "001/01"
    tac = 1
    [[phone]]
    imsi = "001010000000001"
    k = "465b5ce8b199b49faa5f0a2ee238a6bc"
    opc = "cd63cb71954a9f4e48a5994e37a02baf"
    ims = {transport = "tcp", mechanisms = ["hmac-md5-96/null"], preconditions = false, rings = 3}
    """
    logging.basicConfig(level="INFO", format="%(levelname)s %(name)s %(message)s")
    config = _chosen(load(path) if path else SimConfig(), enbs, phones, plmn, tac, mme, address)
    if ims:
        config = with_ims(config)
    with Namespace(namespace).enter() if namespace else contextlib.nullcontext():
        as_many_files_as_may_be()
        asyncio.run(serve(config, run, attach=attach))


def _chosen(config: SimConfig, enbs: int | None, phones: int | None, plmn: str | None, tac: int | None,
            mme: str | None, address: str | None) -> SimConfig:
    """The options on top of the file."""
    first = config.enbs[0]
    if plmn or tac:
        home = Plmn.from_text(plmn) if plmn else first.tai.plmn
        first = replace(first, areas=((tac or first.tai.tac, (home,)),))
    if address:
        first = replace(first, address=IPv4Address(address))
    all_of_them = neighbours(first, enbs) if enbs else (first, *config.enbs[1:])
    if phones or plmn:
        config = replace(config, phones=sample_phones(phones or len(config.phones), first.tai.plmn))
    return replace(config, enbs=all_of_them, mme_address=str(IPv4Address(mme)) if mme else config.mme_address)
