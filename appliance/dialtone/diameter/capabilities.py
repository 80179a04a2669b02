# SPDX-License-Identifier: Apache-2.0
"""Capabilities Exchange (RFC 6733, 5.3) and the election between two connections (5.6.4)."""

from collections.abc import Iterator

from dialtone.codec.diameter import (
    TGPP,
    CapabilitiesExchangeAnswer,
    CapabilitiesExchangeRequest,
    ResultCode,
    VendorSpecificApplicationId,
)
from dialtone.config_diameter import PeerConfig
from dialtone.diameter import watchdog
from dialtone.diameter.node import Node, on
from dialtone.diameter.peer import RELAY, Peer, applications
from dialtone.diameter.states import PEER, State
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, StopTimer, Verdict
from dialtone.errors import ProtocolError

PRODUCT = "Dialtone"
NO_INBAND_SECURITY = 0


def introduce(node: Node, peer: Peer) -> Iterator[Effect]:
    """Our CER on the connection that we opened; if the peer's CER came meanwhile, the election."""
    yield node.request(peer.initiator, CapabilitiesExchangeRequest(
        origin_host=node.host, origin_realm=node.realm, host_ip_address=(node.address,), vendor_id=0,
        product_name=PRODUCT, origin_state_id=node.origin_state_id, supported_vendor_id=(TGPP,),
        vendor_specific_application_id=_served(node),
    ))
    if peer.state is State.WAIT_RETURNS:
        yield from elect(node, peer)


@on("Diameter", CapabilitiesExchangeRequest)
def on_capabilities_exchange_request(node: Node, msg: CapabilitiesExchangeRequest, rx: Rx) -> Effects:
    """Somebody introduces itself over a connection that it opened."""
    connection = node.connections[rx.peer]
    host = rx.subject = msg.origin_host.lower()
    if connection.host:
        raise ProtocolError("a second Capabilities-Exchange-Request", clause="RFC 6733, 5.6")
    yield StopTimer("First CER", rx.peer)
    if wrong := _objection(node, msg):
        yield node.answer(rx.peer, msg, _answer(node, *wrong))
        yield from node.forget(rx.peer)
        yield Verdict("Diameter peer", False, f"{host} at {rx.peer} refused: {wrong[1]}")
        return
    peer = node.peers.setdefault(host, Peer(host, PeerConfig(mode="accept"), known=False))
    if not PEER.allows(peer.state, "R-Conn-CER"):  # R-Reject; but is the connection that we have alive?
        node.count("second connection rejected")
        yield from node.forget(rx.peer)
        if peer.open:
            yield from watchdog.probe(node, peer)
        return
    connection.host, peer.responder, peer.cer = host, rx.peer, msg
    yield from node.step(peer, "R-Conn-CER")
    rx.state = peer.state
    if peer.state is State.R_OPEN:
        yield from accept(node, peer)
    elif peer.state is State.WAIT_RETURNS:
        yield from elect(node, peer)


def elect(node: Node, peer: Peer) -> Iterator[Effect]:
    """The higher Origin-Host keeps the connection that it accepted (RFC 6733, 5.6.4); the other one waits."""
    if node.host.lower() > peer.host:
        yield from node.step(peer, "Win-Election")
        yield from node.forget(peer.initiator)
        peer.initiator = ""
        yield from accept(node, peer)


def accept(node: Node, peer: Peer) -> Iterator[Effect]:
    """R-Snd-CEA: the connection that the peer opened is the one."""
    assert peer.cer is not None
    peer.learn(peer.cer)
    yield node.answer(peer.responder, peer.cer, _answer(node, ResultCode.DIAMETER_SUCCESS))
    peer.cer = None
    yield from _opened(node, peer)


@on("Diameter", CapabilitiesExchangeAnswer)
def on_capabilities_exchange_answer(node: Node, msg: CapabilitiesExchangeAnswer, rx: Rx) -> Effects:
    """The peer accepts or refuses us."""
    peer = node.peer_of(rx.peer)
    if peer is None or rx.peer != peer.initiator or not PEER.allows(peer.state, "I-Rcv-CEA"):
        raise ProtocolError("a Capabilities-Exchange-Answer that nobody asked for", clause="RFC 6733, 5.6")
    wrong = ""
    if msg.result_code != ResultCode.DIAMETER_SUCCESS:
        wrong = f"it answered Result-Code {msg.result_code} {msg.error_message or ''}".rstrip()
    elif msg.origin_host.lower() != peer.host:
        wrong = f"it calls itself {msg.origin_host}, the configuration calls it {peer.host}"
    elif not _common(node, msg):
        wrong = "it speaks no application that we speak"
    if wrong:
        yield from node.hang_up(rx.peer, wrong)
        yield Verdict("Diameter peer", False, f"{peer.host} at {peer.config.address}: {wrong}")
        return
    yield from node.step(peer, "I-Rcv-CEA")
    yield from node.forget(peer.responder)  # the election is lost: R-Disc
    peer.responder, peer.cer = "", None
    peer.learn(msg)
    rx.state = peer.state
    yield from _opened(node, peer)


def _opened(node: Node, peer: Peer) -> Iterator[Effect]:
    peer.since, peer.last, peer.resting = node.connections[peer.connection].since, "", False
    yield StopTimer("Timeout", peer.host)
    yield StopTimer("Tc", peer.host)
    yield from watchdog.connection_up(node, peer)
    yield Verdict("Diameter peer", True, f"{peer.host} at {peer.responder or peer.config.address} is open")


def _objection(node: Node, msg: CapabilitiesExchangeRequest) -> tuple[ResultCode, str] | None:
    """Result-Code and sentence for a CER that is refused."""
    host = msg.origin_host.lower()
    if host == node.host or (host not in node.peers and not node.config.accept_unknown):
        return ResultCode.DIAMETER_UNKNOWN_PEER, f"{msg.origin_host} is no peer of {node.host}"
    if not _common(node, msg):
        return ResultCode.DIAMETER_NO_COMMON_APPLICATION, "no application in common"
    if msg.inband_security_id and NO_INBAND_SECURITY not in msg.inband_security_id:
        return ResultCode.DIAMETER_NO_COMMON_SECURITY, "no TLS here"
    return None


def _common(node: Node, message: CapabilitiesExchangeRequest | CapabilitiesExchangeAnswer) -> bool:
    theirs = applications(message)
    return RELAY in theirs or not theirs.isdisjoint(node.services)


def _served(node: Node) -> tuple[VendorSpecificApplicationId, ...]:
    return tuple(VendorSpecificApplicationId(vendor_id=TGPP, auth_application_id=one) for one in node.services)


def _answer(node: Node, code: ResultCode, error_message: str | None = None) -> CapabilitiesExchangeAnswer:
    return CapabilitiesExchangeAnswer(
        error=3000 <= code < 4000, result_code=code, error_message=error_message,
        origin_host=node.host, origin_realm=node.realm,
        host_ip_address=(node.address,), vendor_id=0, product_name=PRODUCT, origin_state_id=node.origin_state_id,
        supported_vendor_id=(TGPP,), vendor_specific_application_id=_served(node),
    )
