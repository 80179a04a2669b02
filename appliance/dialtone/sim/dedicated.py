# SPDX-License-Identifier: Apache-2.0
"""Dedicated bearers in the phone, and changes of any bearer (TS 24.301, 6.4.2 and 6.4.3), with all its checks.

Activate dedicated EPS bearer context request -> accept or reject; Modify EPS bearer context request -> likewise.
"""

from collections.abc import Mapping
from dataclasses import replace

from dialtone.codec import nas
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.nas.causes import EsmCause
from dialtone.codec.tft import Operation, PacketFilter, Tft, change
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.errors import ProtocolError
from dialtone.qci import GBR
from dialtone.sim import esm, transaction
from dialtone.sim.phone import Dedicated, Phone, on
from dialtone.sim.states import BEARER


class Objection(ProtocolError):
    """What a phone does not take; `cause` is the ESM cause of its answer."""


@on("NAS", nas.ActivateDedicatedEPSBearerContextRequest)
def on_activate_dedicated_eps_bearer_context_request(
    phone: Phone, msg: nas.ActivateDedicatedEPSBearerContextRequest, rx: Rx
) -> Effects:
    """Checked in the order of 6.4.2.4; a request that came again replaces what it made (6.4.2.5 b)."""
    ebi, pti = msg.eps_bearer_identity, msg.procedure_transaction_identity
    try:
        filters = _acceptable(phone, msg)
    except ProtocolError as error:
        yield phone.send(nas.ActivateDedicatedEPSBearerContextReject(
            eps_bearer_identity=ebi, esm_cause=error.cause or EsmCause.PROTOCOL_ERROR_UNSPECIFIED))
        yield phone.outcome("bearer", False, f"bearer {ebi} refused: {error}")
        return
    yield from transaction.end(phone, pti)
    present = phone.dedicated.get(ebi)
    state = BEARER.after(present.state if present else BEARER.initial, msg.NAME)
    bearer = phone.dedicated[ebi] = Dedicated(ebi, msg.linked_eps_bearer_identity, msg.eps_qos, filters, state)
    yield phone.send(nas.ActivateDedicatedEPSBearerContextAccept(eps_bearer_identity=ebi))
    yield from esm.interface_up(phone, phone.pdns[bearer.linked], bearer)
    yield phone.outcome("bearer", True, f"bearer {ebi}: QCI {msg.eps_qos.qci}, {len(filters)} packet filters")


def _acceptable(phone: Phone, msg: nas.ActivateDedicatedEPSBearerContextRequest) -> dict[int, PacketFilter]:
    pti = msg.procedure_transaction_identity
    if pti and pti not in phone.transactions and msg.eps_bearer_identity not in phone.dedicated:
        raise Objection("it answers nothing that the phone asked for", cause=EsmCause.PTI_MISMATCH)
    if not 5 <= msg.eps_bearer_identity <= 15 or msg.eps_bearer_identity in phone.pdns:
        raise Objection("its identity is that of a default bearer, or none", cause=EsmCause.INVALID_EPS_BEARER_IDENTITY)
    if msg.linked_eps_bearer_identity not in phone.pdns:
        raise Objection("its default bearer does not exist", cause=EsmCause.INVALID_EPS_BEARER_IDENTITY)
    _check_qos(msg.eps_qos)
    tft = Tft.from_bytes(msg.tft)
    if tft.operation is not Operation.CREATE:
        raise Objection("a new bearer needs a new TFT", cause=EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION)
    return _check_filters(phone, msg.eps_bearer_identity, msg.linked_eps_bearer_identity, {}, tft)


def _check_qos(qos: EpsQos) -> None:
    if (qos.qci in GBR) != bool(qos.gbr_uplink or qos.gbr_downlink):
        raise Objection(f"QCI {qos.qci} with or without a guaranteed bit rate", cause=EsmCause.EPS_QOS_NOT_ACCEPTED)


def _check_filters(phone: Phone, ebi: int, linked: int, present: Mapping[int, PacketFilter],
                   tft: Tft) -> dict[int, PacketFilter]:
    """The bearer's filters after `tft`. Precedences are unique in a PDN connection (6.4.2.4 d 2); a handset without
    the feature knows no local addresses (TS 24.008, 10.5.6.12)."""
    filters = change(present, tft)
    if not phone.handset.local_address_in_tft and any(one.local is not None for one in filters.values()):
        raise Objection("a component of its TFT is unknown to this phone",
                        cause=EsmCause.SYNTACTICAL_ERRORS_IN_PACKET_FILTERS)
    taken = {one.precedence for other in phone.dedicated.values() if other.linked == linked and other.ebi != ebi
             for one in other.filters.values()}
    if any(one.precedence in taken for one in filters.values()):
        raise Objection("another bearer has a packet filter of the same precedence",
                        cause=EsmCause.SYNTACTICAL_ERRORS_IN_PACKET_FILTERS)
    return filters


@on("NAS", nas.ModifyEPSBearerContextRequest)
def on_modify_eps_bearer_context_request(
    phone: Phone, msg: nas.ModifyEPSBearerContextRequest, rx: Rx
) -> Effects:
    """Another quality, template or AMBR, or all stays as it is (6.4.3.3, 6.4.3.4)."""
    ebi = msg.eps_bearer_identity
    try:
        _modify(phone, msg)
    except ProtocolError as error:
        yield phone.send(nas.ModifyEPSBearerContextReject(
            eps_bearer_identity=ebi, esm_cause=error.cause or EsmCause.PROTOCOL_ERROR_UNSPECIFIED))
        yield phone.outcome("bearer", False, f"change of bearer {ebi} refused: {error}")
        return
    yield from transaction.end(phone, msg.procedure_transaction_identity)
    yield phone.send(nas.ModifyEPSBearerContextAccept(eps_bearer_identity=ebi))
    if msg.tft is not None and (bearer := phone.dedicated.get(ebi)) is not None:
        yield from esm.interface_up(phone, phone.pdns[bearer.linked], bearer)
    yield phone.outcome("bearer", True, f"bearer {ebi} changed")


def _modify(phone: Phone, msg: nas.ModifyEPSBearerContextRequest) -> None:
    ebi, pti = msg.eps_bearer_identity, msg.procedure_transaction_identity
    if pti and pti not in phone.transactions:
        raise Objection("it answers nothing that the phone asked for", cause=EsmCause.PTI_MISMATCH)
    bearer, pdn = phone.dedicated.get(ebi), phone.pdns.get(ebi)
    if bearer is None and pdn is None:
        raise Objection("there is no such bearer", cause=EsmCause.INVALID_EPS_BEARER_IDENTITY)
    if msg.new_eps_qos is not None:
        _check_qos(msg.new_eps_qos)
    if bearer is not None:
        filters = bearer.filters
        if msg.tft is not None:
            filters = _check_filters(phone, ebi, bearer.linked, filters, Tft.from_bytes(msg.tft))
            if not filters:
                raise Objection("a dedicated bearer without packet filters",
                                cause=EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION)
        phone.dedicated[ebi] = replace(bearer, qos=msg.new_eps_qos or bearer.qos, filters=filters,
                                       state=BEARER.after(bearer.state, msg.NAME))
    elif pdn is not None:
        pdn.state = BEARER.after(pdn.state, msg.NAME)
        pdn.qci = msg.new_eps_qos.qci if msg.new_eps_qos else pdn.qci
        pdn.ambr = (msg.apn_ambr.downlink, msg.apn_ambr.uplink) if msg.apn_ambr else pdn.ambr
