# SPDX-License-Identifier: Apache-2.0
"""Transport of NAS messages (TS 24.301, 5.6.3), and the connection layer inside (TS 24.011, 5.2): CP-DATA, CP-ACK,
CP-ERROR of the phone. What stands in CP-DATA is the business of mo_sms and mt_sms."""

from dialtone.codec.nas import UplinkNASTransport
from dialtone.codec.sms import CPAck, CPData, CPError, rp
from dialtone.codec.sms.errors import CpCause, CpFault, RpCause, RpFault
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Up
from dialtone.errors import ProtocolError
from dialtone.mme import exchange, mo_sms, mt_sms
from dialtone.mme.context import Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.exchange import Exchange
from dialtone.mme.states import SmState

EXTENDED = 7
"""The transaction identifier goes on in a further octet (TS 24.007, 11.2.3.1.3): nobody here begins such."""


@on("NAS", UplinkNASTransport)
def on_uplink_nas_transport(mme: Mme, msg: UplinkNASTransport, rx: Rx) -> Effects:
    """A CP message of the phone."""
    yield Up("SMS", rx.peer, msg.nas_message_container)


@on("SMS", CPData)
def on_cp_data(mme: Mme, msg: CPData, rx: Rx) -> Effects:
    """Confirmed at once; then what is in it: an answer of the phone, or something that it begins."""
    ue: Ue = rx.peer
    this = mme.exchanges.get((ue.s11_teid, msg.answering, msg.ti))
    if msg.answering and this is None:
        yield Send("SMS", ue, CPError(ti=msg.ti, cause=CpCause.INVALID_TRANSACTION_IDENTIFIER))
        return
    yield Send("SMS", ue, CPAck(ti=msg.ti, answering=not msg.answering))
    if this is not None and not this.ours:
        if this.heard == msg.user_data and this.state is SmState.RELAYED:
            return  # repeated, since our CP-ACK was lost
        yield from exchange.close(mme, this, "given up")  # the phone begins anew (5.4)
    try:
        message = rp.decode(msg.user_data)
    except RpFault as fault:
        yield from _unreadable(mme, ue, msg, this, fault, rx)
        return
    if this is not None and this.ours:
        yield from exchange.acknowledged(this)
        yield from mt_sms.answered(mme, this, message, rx)
    else:
        yield from mo_sms.relay(mme, ue, msg.ti, message, msg.user_data, rx)


def _unreadable(mme: Mme, ue: Ue, msg: CPData, this: Exchange | None, fault: RpFault, rx: Rx) -> Effects:
    """RP-ERROR for what a phone begins (9.3); an answer that cannot be read is none."""
    if this is None or not this.ours:
        broken = Exchange(ue, msg.ti, False, fault.reference or 0, mo_sms.lost, heard=msg.user_data)
        yield from exchange.begin(mme, broken, "RP-DATA or RP-SMMA of the phone")
        yield from mo_sms.refuse(mme, broken, fault.cause or RpCause.PROTOCOL_ERROR, rx)


@on("SMS", CPAck)
def on_cp_ack(mme: Mme, msg: CPAck, rx: Rx) -> Effects:
    """The phone has our CP-DATA. With the answer to its own text that is all."""
    ue: Ue = rx.peer
    this = mme.exchanges.get((ue.s11_teid, msg.answering, msg.ti))
    if this is None or this.message is None:
        return
    yield from exchange.acknowledged(this)
    if this.ours:
        yield from this.move("CP-ACK")
    else:
        yield from exchange.close(mme, this, "CP-ACK")


@on("SMS", CPError)
def on_cp_error(mme: Mme, msg: CPError, rx: Rx) -> Effects:
    """The phone ends the transaction."""
    ue: Ue = rx.peer
    this = mme.exchanges.get((ue.s11_teid, msg.answering, msg.ti))
    if this is None:
        return
    if this.ours:
        yield from mt_sms.refused(mme, this, msg.cause, rx)
    else:
        yield from exchange.close(mme, this, "given up")


def broken(error: ProtocolError, rx: Rx) -> Effects:
    """CP-ERROR for octets that are no CP message (9.2), where they name a transaction that we can name, too."""
    if isinstance(error, CpFault) and error.first is not None and error.cause is not None and rx.message is None:
        ti = error.first >> 4 & 7
        if ti != EXTENDED:
            yield Send("SMS", rx.peer, CPError(ti=ti, answering=not error.first & 0x80, cause=error.cause))
