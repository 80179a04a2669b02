# SPDX-License-Identifier: Apache-2.0
"""Elements of other makers on the GTP port of a network: a wire with addresses, an MME by hand, an S-GW that relays."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from network import Network, imsi_of

from dialtone import wiring
from dialtone.codec import gtpc
from dialtone.codec.gtpc.values import Ambr, BearerQos, Cause, Fteid, Paa
from dialtone.config import Config
from dialtone.config_gtp import GtpConfig
from dialtone.ids import Plmn

ACCEPTED = Cause(16)
OURS, SGW, MME = "10.0.1.133", "192.0.2.9", "192.0.2.7"


def with_gtp(**gtp: Any) -> Config:
    """A config with these values in [gtp]."""
    return replace(Config(), gtp=GtpConfig(**gtp))


def octets(host: str) -> bytes:
    """An address as F-TEIDs have it."""
    return IPv4Address(host).packed


class Wire:
    """The network between our GTP port and everybody else: `sent` are (peer, message) of ours, in order."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.sent: list[tuple[str, Any]] = []
        self.raw: list[tuple[str, bytes]] = []
        self.hosts: dict[str, Callable[[Any, bytes], None]] = {}  # who reads, by address
        self.router = wiring.gtp_router(net.core)
        wiring.carry_gtp(net.core, self)

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """The link's side."""
        message = gtpc.decode(data)
        self.sent.append((peer, message))
        self.raw.append((peer, data))
        if (read := self.hosts.get(peer.rpartition(":")[0])) is not None:
            read(message, data)

    def say(self, host: str, message: Any, *, port: int = 2123, seconds: float = 0.1) -> Any:
        """A message from there; returns what it is answered with."""
        return self.octets(host, gtpc.encode(message), port=port, seconds=seconds)

    def octets(self, host: str, data: bytes, *, port: int = 2123, seconds: float = 0.1) -> Any:
        """Anything from there; returns the next message that goes there."""
        before, peer = len(self.sent), f"{host}:{port}"
        self.router.deliver("gtp", "S11", peer, data)
        self.net.run(seconds)
        return next((message for to, message in self.sent[before:] if to == peer), None)

    def to(self, host: str, kind: type[Any] | None = None) -> list[Any]:
        """What went to `host`, of one kind."""
        return [message for peer, message in self.sent
                if peer.rpartition(":")[0] == host and (kind is None or isinstance(message, kind))]


class Sgw:
    """An S-GW at `host` on `wire`: relays sessions from the MME of the network to its P-GW, both of which it meets at
    one address. Its own TEIDs count from 0x100; `user` is its address for user data."""

    def __init__(self, wire: Wire, host: str, recovery: int = 7) -> None:
        self.wire, self.host, self.recovery = wire, host, recovery
        self.silent = False
        self.port = 2123  # that it sends from
        self.refuses: int | None = None  # a cause for every Create Session Request
        self.user = octets(host)
        self.pdns: dict[int, dict[str, Any]] = {}  # by default bearer
        self.mme_teid = 0
        self._numbers = itertools.count(1)
        self._asked: dict[int, Any] = {}  # the MME's request behind one of ours
        wire.hosts[host] = self.read

    def tell(self, message: Any) -> None:
        self.wire.net.loop.later(("sgw", message.sequence, type(message)), 0.001,
                                 lambda: self.wire.router.deliver("gtp", "S11", f"{self.host}:{self.port}",
                                                                  gtpc.encode(message)))

    def read(self, message: Any, data: bytes) -> None:
        if not self.silent:
            {
                gtpc.EchoRequest: self.echo,
                gtpc.CreateSessionRequest: self.create,
                gtpc.CreateSessionResponse: self.created,
                gtpc.ModifyBearerRequest: self.modify,
                gtpc.ReleaseAccessBearersRequest: self.release,
                gtpc.DeleteSessionRequest: self.delete,
                gtpc.DeleteSessionResponse: self.deleted,
                gtpc.CreateBearerRequest: self.create_bearer,
                gtpc.CreateBearerResponse: self.bearer_created,
                gtpc.UpdateBearerRequest: self.down,
                gtpc.UpdateBearerResponse: self.up,
                gtpc.DeleteBearerRequest: self.down,
                gtpc.DeleteBearerResponse: self.up,
                gtpc.DeleteBearerCommand: self.command,
                gtpc.BearerResourceCommand: self.command,
                gtpc.BearerResourceFailureIndication: self.down,
            }.get(type(message), lambda message: None)(message)

    def page(self, ebi: int = 5) -> None:
        """Data came for an idle phone."""
        self.tell(gtpc.DownlinkDataNotification(teid=self.mme_teid, sequence=next(self._numbers), ebis=(ebi,)))

    def answer(self, request: Any, answer: Any) -> None:
        answer.sequence = request.sequence
        self.tell(answer)

    def ask(self, behind: Any, request: Any) -> None:
        request.sequence = next(self._numbers)
        self._asked[request.sequence] = behind
        self.tell(request)

    def echo(self, message: Any) -> None:
        self.answer(message, gtpc.EchoResponse(recovery=self.recovery))

    def create(self, message: gtpc.CreateSessionRequest) -> None:
        if self.refuses is not None:
            self.answer(message, gtpc.CreateSessionResponse(teid=message.sender_f_teid.teid, cause=Cause(self.refuses)))
            return
        assert message.sender_f_teid.interface_type == 10
        assert message.teid == (0 if not self.pdns else 0x100)
        self.mme_teid = message.sender_f_teid.teid
        [bearer] = message.bearer_contexts_to_be_created
        self.pdns[bearer.ebi] = {}
        self.ask(message, replace(
            message, teid=0, sender_f_teid=Fteid(6, 0x200 + bearer.ebi, octets(self.host)), pgw_s5_s8_address=None,
            recovery=self.recovery, bearer_contexts_to_be_created=(
                replace(bearer, s5_s8_u_sgw_f_teid=Fteid(4, 0x300 + bearer.ebi, self.user)),)))

    def created(self, message: gtpc.CreateSessionResponse) -> None:
        request = self._asked.pop(message.sequence)
        ebi = request.bearer_contexts_to_be_created[0].ebi
        assert message.teid == 0x200 + ebi
        if not message.cause.accepted:
            del self.pdns[ebi]
            self.answer(request, replace(message, teid=self.mme_teid))
            return
        [bearer] = message.bearer_contexts_created
        assert (bearer.s5_s8_u_pgw_f_teid.interface_type, message.pgw_s5_s8_f_teid.interface_type) == (5, 7)
        self.pdns[ebi] = {"control": message.pgw_s5_s8_f_teid.teid, "user": bearer.s5_s8_u_pgw_f_teid}
        self.answer(request, replace(
            message, teid=self.mme_teid, sender_f_teid=Fteid(11, 0x100, octets(self.host)), recovery=self.recovery,
            bearer_contexts_created=(replace(bearer, charging_id=None,
                                             s1_u_sgw_f_teid=Fteid(1, 0x400 + ebi, self.user)),)))

    def modify(self, message: gtpc.ModifyBearerRequest) -> None:
        assert message.teid == 0x100
        self.answer(message, gtpc.ModifyBearerResponse(
            teid=self.mme_teid, cause=ACCEPTED, bearer_contexts_modified=tuple(
                gtpc.BearerContextModified(ebi=bearer.ebi, cause=ACCEPTED,
                                           s1_u_sgw_f_teid=Fteid(1, 0x400 + bearer.ebi, self.user))
                for bearer in message.bearer_contexts_to_be_modified)))

    def release(self, message: gtpc.ReleaseAccessBearersRequest) -> None:
        assert message.teid == 0x100
        self.answer(message, gtpc.ReleaseAccessBearersResponse(teid=self.mme_teid, cause=ACCEPTED))

    def delete(self, message: gtpc.DeleteSessionRequest) -> None:
        assert message.indication_flags is not None
        assert message.indication_flags.has("OI")
        assert message.linked_ebi is not None
        pdn = self.pdns.pop(message.linked_ebi)
        self.ask(message, gtpc.DeleteSessionRequest(teid=pdn["control"], linked_ebi=message.linked_ebi))

    def deleted(self, message: gtpc.DeleteSessionResponse) -> None:
        self.answer(self._asked.pop(message.sequence), replace(message, teid=self.mme_teid))

    # Dedicated bearers: requests of the P-GW go down to the MME, and its answers and commands up.

    def create_bearer(self, message: gtpc.CreateBearerRequest) -> None:
        [bearer] = message.bearer_contexts
        assert bearer.s5_s8_u_pgw_f_teid is not None
        assert bearer.s1_u_sgw_f_teid is None
        self.down(replace(message, bearer_contexts=(
            replace(bearer, s1_u_sgw_f_teid=Fteid(1, 0x500 + next(self._numbers), self.user)),)), message)

    def bearer_created(self, message: gtpc.CreateBearerResponse) -> None:
        [asked] = self._asked[message.sequence].bearer_contexts
        [bearer] = message.bearer_contexts
        self.up(replace(message, bearer_contexts=(replace(
            bearer, s1_u_enodeb_f_teid=None, s1_u_sgw_f_teid=None, s5_s8_u_pgw_f_teid=asked.s5_s8_u_pgw_f_teid,
            s5_s8_u_sgw_f_teid=Fteid(4, 0x300 + bearer.ebi, self.user)),)))

    def down(self, message: Any, behind: Any = None) -> None:
        """To the MME. What answers a command keeps the command's number (TS 29.274, 7.6)."""
        changed = replace(message, teid=self.mme_teid)
        if message.sequence & 0x800000:
            self._asked[message.sequence] = behind or message
            changed.sequence = message.sequence
            self.tell(changed)
        else:
            self.ask(behind or message, changed)

    def up(self, message: Any) -> None:
        request = self._asked.pop(message.sequence)
        self.answer(request, replace(message, teid=self.pdns[request.teid - 0x200]["control"]))

    def command(self, message: Any) -> None:
        ebi = message.linked_ebi if isinstance(message, gtpc.BearerResourceCommand) else next(iter(self.pdns))
        changed = replace(message, teid=self.pdns[ebi]["control"])
        changed.sequence = message.sequence
        self.tell(changed)


class ForeignMme:
    """An MME at `host` that has one phone."""

    def __init__(self, wire: Wire, host: str) -> None:
        self.wire, self.host = wire, host
        self.teid = 0  # the gateway's
        self._numbers = itertools.count(1)
        wire.hosts[host] = self.read

    def read(self, message: Any, data: bytes) -> None:
        if isinstance(message, gtpc.EchoRequest):
            self.wire.router.deliver("gtp", "S11", f"{self.host}:2123", gtpc.encode(
                gtpc.EchoResponse(recovery=3, sequence=message.sequence)))

    def ask(self, request: Any) -> Any:
        request.sequence = next(self._numbers)
        return self.wire.say(self.host, request)

    def attach(self) -> None:
        """A session, and the eNB's end of its bearer."""
        self.teid = self.ask(create(self.host, 10)).sender_f_teid.teid
        self.ask(gtpc.ModifyBearerRequest(teid=self.teid, bearer_contexts_to_be_modified=(
            gtpc.BearerContextToBeModified(ebi=5, s1_u_enodeb_f_teid=Fteid(0, 0x55, octets("192.0.2.20"))),)))

    def go_idle(self) -> None:
        self.ask(gtpc.ReleaseAccessBearersRequest(teid=self.teid))

    def detach(self) -> None:
        self.ask(delete(self.teid, 0))


def create(host: str, interface: int, **changes: Any) -> gtpc.CreateSessionRequest:
    """From an MME (interface type 10) or an S-GW (6)."""
    user = Fteid(4, 0x305, octets(host)) if interface == 6 else None
    fields: dict[str, Any] = {
        "teid": 0, "sequence": 1, "imsi": imsi_of(1), "rat_type": 6,
        "sender_f_teid": Fteid(interface, 0x77, octets(host)),
        "apn": "internet", "pdn_type": 1, "paa": Paa(1, bytes(4)), "ambr": Ambr(1000, 1000),
        "serving_network": Plmn("001", "01"), "selection_mode": 0, "maximum_apn_restriction": 0,
        "bearer_contexts_to_be_created": (gtpc.BearerContextToBeCreated(
            ebi=5, bearer_qos=BearerQos(9, 8, 1, 0), s5_s8_u_sgw_f_teid=user),),
    }
    return gtpc.CreateSessionRequest(**(fields | changes))


def delete(teid: int, sequence: int, ebi: int = 5) -> gtpc.DeleteSessionRequest:
    return gtpc.DeleteSessionRequest(teid=teid, linked_ebi=ebi, sequence=sequence)
