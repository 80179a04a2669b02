# SPDX-License-Identifier: Apache-2.0
"""Builds elements and links from the config: the only file that knows all of them."""

import asyncio
import gc
import itertools
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from zoneinfo import ZoneInfo

from dialtone.answer import AnswerServices
from dialtone.answer.element import CloseStream, OpenStream
from dialtone.codec import diameter, gtpc, nas, s1ap, sip
from dialtone.commands import Commands
from dialtone.config import MTU, Config
from dialtone.control import ControlServer
from dialtone.datapath import router as ipv6_router
from dialtone.datapath.answering import Answering
from dialtone.datapath.plane import UserPlane
from dialtone.diameter.effects import Start
from dialtone.diameter.link import NodeLink
from dialtone.diameter.node import POINT as DIAMETER_POINT
from dialtone.diameter.node import Node
from dialtone.diameter.transport import Transport
from dialtone.effects import InstallSas, KeepSas, RemoveSas, Save
from dialtone.element import Link
from dialtone.errors import LocalError
from dialtone.gtp.effects import Start as Supervise
from dialtone.gtp.link import GtpLink
from dialtone.gtp.paths import Paths
from dialtone.gtp.router import Router
from dialtone.hss.element import Hss
from dialtone.hss.store import Store
from dialtone.hss.writer import Writer
from dialtone.kernel import dns, net, nft
from dialtone.kernel.gm import GmIpsec
from dialtone.kernel.media import MediaSet
from dialtone.links.beside import Beside
from dialtone.links.memory import Memory, MemoryFlows
from dialtone.links.sctp import Sctp
from dialtone.links.sip import SipLink
from dialtone.links.sms import SmsLink
from dialtone.links.udp import Udp
from dialtone.loop import Loop
from dialtone.mme.element import Mme
from dialtone.mme.nas_link import NasLink
from dialtone.pcscf.element import Pcscf
from dialtone.pgw.element import Pgw
from dialtone.pgw.options import servers_of
from dialtone.requests import DIAMETER, GTPC
from dialtone.runtime import Runtime, epoch_clock
from dialtone.scscf.element import Scscf
from dialtone.sip.timers import RADIO
from dialtone.sip.transactions import SipPolicy, own_via
from dialtone.sms.element import Sms
from dialtone.sms.queue import Begin
from dialtone.sms.text import Texts
from dialtone.trace.bus import Bus

log = logging.getLogger("dialtone")

TUN = "ue0"
SGD_SECONDS = 75.0  # longer than the MME calls an idle phone and waits for its answer (TS 29.338, 6.3.3.6)


@dataclass(slots=True)
class Core:
    """The elements of one box in their loop."""

    config: Config
    loop: Loop
    mme: Mme
    pgw: Pgw
    hss: Hss
    pcscf: Pcscf
    scscf: Scscf
    sms: Sms
    answer: AnswerServices
    diameter: Node | None = None  # where peers outside are configured
    gtp: Paths | None = None  # likewise


def build(config: Config, loop: Loop, subscribers: Store, s1_mme: Link, *,
          random: Callable[[int], bytes] = os.urandom, wall: Callable[[], datetime] | None = None,
          inside: bool = False, recovery: int = 0, gm: Link | None = None) -> Core:
    """Elements and their reference points. `inside` says that the eNBs live in the same loop, over memory; `recovery`
    is our restart counter for GTP peers; `gm` is the way to the phones, over memory where it is not given."""
    zone = ZoneInfo(config.network.timezone)
    mme = Mme(config, random, wall or (lambda: datetime.now(zone)), recovery)
    pgw = Pgw(config, random, recovery)
    hss = Hss(config, subscribers, random)
    scscf = Scscf(config, random)
    hss.neighbours |= {mme.s6a.origin_host: mme.name, scscf.cx.origin_host: scscf.name}
    for element in (mme, pgw, hss, scscf):
        loop.add(element)
    loop.bind("mme", "S1-MME", s1ap, s1_mme, inside=inside)
    loop.stacks["mme", "NAS"] = NasLink()
    s6a: Link = Memory(loop, "S6a")
    node = diameter_node(config, loop, mme, pgw, hss, scscf, random) if config.diameter.wanted else None
    if node is not None:
        s6a = NodeLink(loop, "S6a", s6a)
    paths = bind_gtp(config, loop, random, recovery)
    tx = replace(DIAMETER, seconds=config.diameter.tx)
    for name in ("mme", "hss"):
        loop.bind(name, "S6a", diameter, s6a, inside=True, policy=tx)
    cx: Link = Memory(loop, "Cx")
    for name in ("scscf", "hss"):
        loop.bind(name, "Cx", diameter, cx if node is None else NodeLink(loop, "Cx", cx), inside=True, policy=tx)
    for point in ("Mw", "ISC"):
        loop.bind(scscf.name, point, sip, Memory(loop, point), inside=True, policy=SipPolicy(own_via(scscf.host)),
                  numbers=itertools.count(int.from_bytes(random(6))))
    pcscf = bind_pcscf(config, loop, subscribers, random, gm)
    rx: Link = Memory(loop, "Rx")
    if node is not None:
        rx = NodeLink(loop, "Rx", rx)
    answer = bind_answer(config, loop, scscf, random)
    for name in ("pgw", "pcscf"):
        loop.bind(name, "Rx", diameter, rx, inside=True, policy=tx)
    centre = sms_centre(config, loop, subscribers, mme, node, random)
    return Core(config, loop, mme, pgw, hss, pcscf, scscf, centre, answer, node, paths)


def bind_answer(config: Config, loop: Loop, scscf: Scscf, random: Callable[[int], bytes]) -> AnswerServices:
    """Numbers that answer by themselves, behind the S-CSCF."""
    ims = config.apn.get("ims")
    networks = [pool for pool in (ims.pool, ims.pool6) if pool is not None] if ims else []
    services = AnswerServices(scscf.domain, ims.gateways if ims else (), networks, config.ims.answer_ports, random)
    loop.add(services)
    loop.bind(services.name, "ISC", sip, Memory(loop, "ISC"), inside=True,
              policy=SipPolicy(own_via(services.host), endpoint=True),
              numbers=itertools.count(int.from_bytes(random(6))))
    return services


def bind_pcscf(config: Config, loop: Loop, subscribers: Store, random: Callable[[int], bytes],
               gm: Link | None) -> Pcscf:
    """The P-CSCF between the phones and the S-CSCF. Its transactions are numbered from anywhere on, so that nobody who
    was here before a restart takes them for others."""

    def plain(impi: str) -> bool:
        subscriber = subscribers.get(subscribers.owner("impi", impi) or impi.partition("@")[0])
        return subscriber is not None and not subscriber.ipsec

    pcscf = Pcscf(config, random, plain)
    loop.add(pcscf)
    if gm is None:
        gm = MemoryFlows(loop, "Gm")
        gm.place(pcscf.name, *pcscf.addresses)
    for point, link, policy in (("Gm", gm, SipPolicy(pcscf.via, RADIO, reply=pcscf.reply)),
                                ("Mw", Memory(loop, "Mw"), SipPolicy(own_via(pcscf.host)))):
        loop.bind(pcscf.name, point, sip, link, inside=point == "Mw", policy=policy,
                  numbers=itertools.count(int.from_bytes(random(6))))
    return pcscf


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


def sms_centre(config: Config, loop: Loop, store: Store, mme: Mme, node: Node | None,
               random: Callable[[int], bytes]) -> Sms:
    """The SMS centre, SGd between it and the MME or peers outside, and CP messages on the MME's NAS."""
    centre = Sms(config, store, Texts(store.path), random)
    centre.neighbours[mme.s6a.origin_host] = mme.name
    loop.add(centre)
    sgd: Link = Memory(loop, "SGd")
    if node is not None:
        node.serve(diameter.SGD, "SGd", centre, mme)
        node.answer_to(centre.origin_host, centre.origin_realm)
        sgd = NodeLink(loop, "SGd", sgd)
    for name in (mme.name, centre.name):
        loop.bind(name, "SGd", diameter, sgd, inside=True, policy=replace(DIAMETER, seconds=SGD_SECONDS))
    loop.stacks[mme.name, "SMS"] = SmsLink(
        lambda data: nas.DownlinkNASTransport(nas_message_container=data), lambda ue: f"ue-{ue.imsi}")
    loop.bind(centre.name, "ISC", sip, Memory(loop, "ISC"), inside=True, policy=SipPolicy(own_via(centre.host)))
    loop.tell(centre.name, Begin())
    return centre


def diameter_node(config: Config, loop: Loop, mme: Mme, pgw: Pgw, hss: Hss, scscf: Scscf,
                  random: Callable[[int], bytes]) -> Node:
    """The node that carries S6a, Cx and Rx to peers outside, with the identity of the element that these peers meet."""
    own = config.diameter
    if own.hss:
        mme.s6a = replace(mme.s6a, element=own.hss)
    if own.cx or own.hss:
        scscf.cx = scscf.cx._replace(element=own.cx or own.hss)
    met = mme.s6a if own.hss else hss
    node = Node(own, own.host or met.origin_host, own.realm or met.origin_realm, own.listen or config.s1.address,
                random, loop.clock())
    node.serve(diameter.S6A, "S6a", hss, mme)
    node.serve(diameter.CX, "Cx", hss, scscf)
    node.serve(diameter.RX, "Rx", pgw)
    node.answer_to(hss.origin_host, hss.origin_realm)
    node.answer_to(hss.origin_host, config.network.plmn.ims_domain)  # where CSCFs look for it (TS 23.003, 13.2)
    node.answer_to(pgw.origin_host, pgw.origin_realm)
    node.answer_to(mme.s6a.origin_host, mme.s6a.origin_realm)
    node.answer_to(scscf.cx.origin_host, scscf.cx.origin_realm)
    loop.add(node)
    return node


def connect_diameter(config: Config, loop: Loop) -> Transport:
    """Listen for peers and connect to them. Raises LocalError."""
    transport = Transport(loop, config.diameter)
    loop.bind(Node.name, DIAMETER_POINT, diameter, transport)
    transport.listen()
    loop.tell(Node.name, Start())
    return transport


def bind_gtp(config: Config, loop: Loop, random: Callable[[int], bytes], recovery: int) -> Paths | None:
    """S11 between our elements, and with peers outside where there are any; the paths to these."""
    own = config.gtp
    policy = replace(GTPC, seconds=own.t3, repeats=own.n3)
    # Elements that share an address number their requests together. The count starts anywhere: a peer must not take
    # what we ask after a restart for a repetition of what we asked before.
    numbers = itertools.count(int.from_bytes(random(3)))
    link: Link = Memory(loop, "S11")
    users = [("mme", "S11"), ("pgw", "S11"), ("pgw", "S5/S8")]
    paths = None
    if own.wanted:
        paths = Paths(own, recovery, loop.clock())
        link = GtpLink(loop, paths, link)
        loop.add(paths)
        users.append((paths.name, "S11"))
    for name, point in users:
        loop.bind(name, point, gtpc, link, inside=True, policy=policy, numbers=numbers)
    return paths


def connect_gtp(core: Core) -> Udp:
    """Open the UDP port of S11 and S5/S8. Raises LocalError."""
    udp = Udp(gtp_router(core), Paths.name, "S11")
    udp.listen(str(IPv4Address(core.config.control)), gtpc.PORT)
    carry_gtp(core, udp)
    return udp


def gtp_router(core: Core) -> Router:
    """What a link to GTP peers delivers to."""
    assert core.gtp is not None
    return Router(core.loop, core.gtp, core.mme, core.pgw)


def carry_gtp(core: Core, outside: Link) -> None:
    """Reach GTP peers by this link, and ask them whether they are there."""
    link = core.loop.ports[Paths.name, "S11"].link
    assert isinstance(link, GtpLink)
    link.outside = outside
    core.loop.tell(Paths.name, Supervise())


def connect_mw(core: Core) -> SipLink:
    """Listen for P-CSCFs and application servers of other makers. Raises LocalError."""
    link = SipLink(core.loop, core.scscf.name, "Mw")
    link.listen(core.config.ims.core, sip.PORT)
    carry_mw(core, link)
    return link


def carry_mw(core: Core, outside: Link) -> None:
    """Reach them by this link."""
    port = core.loop.ports[core.scscf.name, "Mw"]
    port.link = Beside(port.link, outside)


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
        if config.ims.core:
            runtime.at_close(connect_mw(core).close)
        commands = Commands(core, store, writer, plane.forwarder, ipsec).table()
        control = ControlServer(run / "core.sock", commands, loop.bus)
        await control.start()
        runtime.at_close(control.close)
        log.info("ready: %s, PLMN %s, S1-MME %s:%d", config.network.name, config.network.plmn,
                 config.s1.address, config.s1.port)
        ready()
        await warm_up()
        await runtime.stopped()


async def warm_up() -> None:
    """Make the codecs' functions between other work, so that no phone waits for them."""
    for codec in (s1ap, nas, diameter, gtpc):
        for _ in codec.warm_up():
            await asyncio.sleep(0)
    gc.freeze()  # it stays for good: a collector that walks through it holds every phone up for a tenth of a second


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


def advertised(config: Config) -> ipv6_router.Router:
    """What the phones' links are told of the IPv6 network of their APN."""
    servers = [(apn.pool6, tuple(server.packed for server in servers_of(apn)[1]))
               for apn in config.apn.values() if apn.pool6 is not None]
    return ipv6_router.Router(MTU, servers)


def main(config: Config, state: Path, run: Path) -> None:
    """The core process."""
    logging.basicConfig(level=config.log.level.upper(), format="%(levelname)s %(name)s %(message)s")
    asyncio.run(serve(config, state, run))
