# SPDX-License-Identifier: Apache-2.0
"""The core process: the elements of wiring.py with their sockets, store, user plane, firewall and name server."""

import asyncio
import gc
import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

from dialtone import systemd
from dialtone.answer import AnswerServices
from dialtone.answer.element import CloseStream, OpenStream
from dialtone.codec import diameter, gtpc, nas, s1ap, sip
from dialtone.commands import Commands
from dialtone.config import MTU, Config
from dialtone.control import ControlServer
from dialtone.datapath.answering import Answering
from dialtone.datapath.plane import UserPlane
from dialtone.diameter.effects import Start
from dialtone.diameter.node import POINT as DIAMETER_POINT
from dialtone.diameter.node import Node
from dialtone.diameter.transport import Transport
from dialtone.effects import InstallSas, KeepSas, RemoveSas, Save
from dialtone.errors import LocalError
from dialtone.gtp.paths import Paths
from dialtone.hss.store import Store
from dialtone.hss.writer import Writer
from dialtone.kernel import dns, net, nft
from dialtone.kernel.gm import GmIpsec
from dialtone.kernel.media import MediaSet
from dialtone.links.sctp import Sctp
from dialtone.links.sip import SipLink
from dialtone.links.udp import Udp
from dialtone.loop import Loop
from dialtone.pcscf.element import Pcscf
from dialtone.runtime import Runtime, as_many_files_as_may_be, epoch_clock
from dialtone.trace.bus import Bus
from dialtone.wiring import Core, advertised, build, carry_gtp, carry_mw, gtp_router

log = logging.getLogger("dialtone")

TUN = "ue0"


async def connect_gm(core: Core, link: SipLink, addresses: Sequence[str], runtime: Runtime) -> GmIpsec | None:
    """Close the protected ports to plain text, then open all. Without IPsec in the kernel only the first one is opened:
    who may do without can register."""
    ims = core.config.ims
    ports: Sequence[int] = ims.ports
    ipsec: GmIpsec | None = None
    try:
        ipsec = GmIpsec(core.loop, core.pcscf.name, addresses, ims.ports[1:])
        runtime.at_close(ipsec.close)
        await ipsec.start()
    except LocalError as error:
        log.warning("no IPsec for phones: %s", error)
        ipsec, ports = None, ims.ports[:1]
        core.loop.performers |= {effect: partial(_without_ipsec, error) for effect in (InstallSas, KeepSas, RemoveSas)}
    for address in addresses:
        for port in ports:
            link.listen(address, port)
    runtime.at_close(link.close)
    return ipsec


def _without_ipsec(error: LocalError, effect: object, done: Callable[[Exception | None], None]) -> None:
    done(error)


def connect_diameter(config: Config, loop: Loop) -> Transport:
    """Listen for peers and connect to them. Raises LocalError."""
    transport = Transport(loop, config.diameter)
    loop.bind(Node.name, DIAMETER_POINT, diameter, transport)
    transport.listen()
    loop.tell(Node.name, Start())
    return transport


def connect_gtp(core: Core) -> Udp:
    """Open the UDP port of S11 and S5/S8. Raises LocalError."""
    udp = Udp(gtp_router(core), Paths.name, "S11")
    udp.listen(str(IPv4Address(core.config.control)), gtpc.PORT)
    carry_gtp(core, udp)
    return udp


def connect_mw(core: Core) -> list[SipLink]:
    """Let our S-CSCF meet P-CSCFs and application servers of other makers, our P-CSCF a core of another maker, as the
    configuration says. Raises LocalError."""
    ims, mw = core.config.ims, core.pcscf.core
    ends = [(core.scscf.name, ims.core, sip.PORT)] if ims.core else []
    ends += [(core.pcscf.name, mw.address, mw.port)] if mw.outside else []
    links = []
    for element, address, port in ends:
        link = SipLink(core.loop, element, "Mw")
        link.listen(address, port)
        carry_mw(core, element, link)
        links.append(link)
    return links


def durable(loop: Loop, writer: Writer) -> None:
    """Perform saves on the writer thread."""
    loop.performers[Save] = lambda effect, done: writer.submit(effect.writes, done)


def speak(loop: Loop) -> Answering:
    """Perform the streams of the answer services on sockets."""
    answering = Answering(lambda event: loop.tell(AnswerServices.name, event), os.urandom)

    def opened(effect: OpenStream, done: Callable[[Exception | None], None]) -> None:
        try:
            answering.open(effect)
        except LocalError as error:
            done(error)
        else:
            done(None)

    def closed(effect: CloseStream, done: Callable[[Exception | None], None]) -> None:
        answering.close(effect)
        done(None)

    loop.performers |= {OpenStream: opened, CloseStream: closed}
    return answering


def restarts(file: Path) -> int:
    """Count this start, from 0 to 255: the counter by which GTP peers know that we have forgotten (TS 23.007, 18)."""
    try:
        count = (int(file.read_text()) + 1) % 256
    except (OSError, ValueError):
        count = 0
    file.write_text(f"{count}\n")
    return count


async def serve(config: Config, state: Path, run: Path, ready: Callable[[], None] = lambda: None) -> None:
    """Run the core until it is told to stop: store, SCTP, user plane, firewall, name server, control socket."""
    state.mkdir(parents=True, exist_ok=True)
    run.mkdir(parents=True, exist_ok=True)
    loop = Loop(epoch_clock(), Bus(config.trace.ring))
    async with Runtime(loop) as runtime:
        store = Store(state / "dialtone.db")
        runtime.at_close(store.close)
        writer = store.open_writer(runtime.from_thread)
        runtime.at_close(writer.close)
        durable(loop, writer)
        sctp = Sctp(loop, "mme", "S1-MME")
        gm = SipLink(loop, Pcscf.name, "Gm")
        core = build(config, loop, store, sctp, recovery=restarts(state / "restarts"), gm=gm)
        runtime.at_close(core.sms.box.close)
        plane = UserPlane(loop, config.s1.address, router=advertised(config), dscp=config.s1.dscp,
                          echo=config.s1.echo)
        runtime.at_close(plane.close)
        ims_gateways = await _phones_network(config, run, runtime, plane)
        plane.start()
        ipsec = await connect_gm(core, gm, ims_gateways, runtime)
        runtime.at_close(speak(loop).close_all)
        sctp.listen(config.s1.address, config.s1.port)
        runtime.at_close(sctp.close)
        if core.diameter is not None:
            runtime.at_close(connect_diameter(config, loop).farewell)
        if core.gtp is not None:
            runtime.at_close(connect_gtp(core).close)
        for link in connect_mw(core):
            runtime.at_close(link.close)
        commands = Commands(core, store, writer, plane.forwarder, ipsec).table()
        control = ControlServer(run / "core.sock", commands, loop.bus)
        await control.start()
        runtime.at_close(control.close)
        log.info("ready: %s, PLMN %s, S1-MME %s:%d", config.network.name, config.network.plmn,
                 config.s1.address, config.s1.port)
        ready()
        await warm_up()
        runtime.collect()
        alive = asyncio.create_task(systemd.watchdog())
        await runtime.stopped()
        alive.cancel()


async def warm_up() -> None:
    """Make the codecs' functions between other work, so that no phone waits for them."""
    for codec in (s1ap, nas, diameter, gtpc):
        for _ in codec.warm_up():
            await asyncio.sleep(0)
    gc.freeze()  # it stays for good: a collector that walks through it holds every phone up for a tenth of a second
    gc.set_threshold(700, 10, 1000)  # and one through the rest may wait for a quiet moment (`Runtime.collect`)


async def _phones_network(config: Config, run: Path, runtime: Runtime, plane: UserPlane) -> list[str]:
    """The phones' side of this machine: gateway addresses, forwarding, firewall, resolver. Returns the addresses of the
    P-CSCF."""
    ipv6 = net.has_ipv6()
    networks = {gateway: pool for apn in config.apn.values()
                for gateway, pool in ((apn.gateway, apn.pool), (apn.gateway6, apn.pool6))
                if gateway is not None and pool is not None and (gateway.version == 4 or ipv6)}
    gateways, pools = tuple(map(str, networks)), tuple(networks.values())
    uplink = net.uplink() if config.uplink.interface == "auto" else config.uplink.interface
    net.configure_tun(TUN, [f"{gateway}/{pool.prefixlen}" for gateway, pool in networks.items()], MTU)
    runtime.at_close(net.Forwarding().close)
    if (why := nft.missing()) is None:
        firewall = nft.Firewall()
        speech = range(config.ims.answer_port, config.ims.answer_ports.stop)
        firewall.apply(nft.Rules(TUN, pools, gateways, config.ims.ports, speech, uplink=uplink,
                                 masquerade=config.uplink.masquerade,
                                 masquerade6=config.uplink.masquerade6, mtu=MTU))
        runtime.at_close(firewall.close)
        plane.media = MediaSet().put
    else:  # user-mode Linux: the host's end of the tap filters and masquerades in our place
        log.warning("no firewall here: %s", why)
    ims = config.apn.get("ims")
    pcscf = [gateway for gateway in (ims.gateways if ims else gateways) if gateway in gateways]
    zones = dns.Zones.home(config.network.plmn, *pcscf, port=config.ims.port)
    forwarders = list(config.uplink.dns) or dns.system_resolvers()
    resolver = dns.Resolver(dns.config(gateways, pools, zones, forwarders), run)
    await resolver.start()
    runtime.at_close(resolver.close)
    return pcscf


def main(config: Config, state: Path, run: Path) -> None:
    """The core process."""
    logging.basicConfig(level=config.log.level.upper(), format="%(levelname)s %(name)s %(message)s")
    as_many_files_as_may_be()
    asyncio.run(serve(config, state, run, systemd.ready))
