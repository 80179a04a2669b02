# SPDX-License-Identifier: Apache-2.0
"""Elements, links and their reference points from the config, into one loop: nothing here knows sockets or a kernel.

The appliance (app.py) puts sockets and the kernel beside it; a network in one process (inside.py) needs neither.
"""

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from dialtone.answer import AnswerServices
from dialtone.codec import diameter, gtpc, nas, s1ap, sip
from dialtone.config import EMERGENCY_APN, MTU, Config
from dialtone.datapath import router as ipv6_router
from dialtone.diameter.link import NodeLink
from dialtone.diameter.node import Node
from dialtone.element import Link
from dialtone.gtp.effects import Start as Supervise
from dialtone.gtp.link import GtpLink
from dialtone.gtp.paths import Paths
from dialtone.gtp.router import Router
from dialtone.hss.element import Hss
from dialtone.hss.store import Store
from dialtone.links.beside import Beside
from dialtone.links.memory import Memory, MemoryFlows
from dialtone.links.sms import SmsLink
from dialtone.loop import Loop
from dialtone.mme.element import Mme
from dialtone.mme.nas_link import NasLink
from dialtone.pcscf.element import Pcscf
from dialtone.pgw.element import Pgw
from dialtone.pgw.options import servers_of
from dialtone.requests import DIAMETER, GTPC
from dialtone.scscf.element import Scscf
from dialtone.sip.timers import RADIO
from dialtone.sip.transactions import SipPolicy, own_via
from dialtone.sms.element import Sms
from dialtone.sms.queue import Begin
from dialtone.sms.text import Texts

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
    callers = [apn for name in ("ims", EMERGENCY_APN) if (apn := config.apn.get(name)) is not None] if ims else []
    networks = [pool for apn in callers for pool in (apn.pool, apn.pool6) if pool is not None]
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
                                ("Mw", Memory(loop, "Mw"), SipPolicy(pcscf.core.via))):
        loop.bind(pcscf.name, point, sip, link, inside=point == "Mw", policy=policy,
                  numbers=itertools.count(int.from_bytes(random(6))))
    return pcscf


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


def carry_mw(core: Core, element: str, outside: Link) -> None:
    """Let one of our CSCFs reach elements of other makers by this link."""
    port = core.loop.ports[element, "Mw"]
    port.link = Beside(port.link, outside)


def advertised(config: Config) -> ipv6_router.Router:
    """What the phones' links are told of the IPv6 network of their APN."""
    servers = [(apn.pool6, tuple(server.packed for server in servers_of(apn)[1]))
               for apn in config.apn.values() if apn.pool6 is not None]
    return ipv6_router.Router(MTU, servers)


