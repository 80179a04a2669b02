# SPDX-License-Identifier: Apache-2.0
"""NAS as a link stacked on S1-MME: check, decipher and decode upwards; encode, cipher and protect downwards.

The trace therefore holds every NAS message twice: as it was on the wire and in plain (TS 24.301, 4.4).
"""

import hmac
from dataclasses import replace
from typing import TypeVar

from dialtone.codec import nas
from dialtone.codec.message import Message
from dialtone.codec.nas.security import Protected, SecurityHeaderType, join, split
from dialtone.codec.s1ap import (
    DownlinkNASTransport,
    ERABModifyRequest,
    ERABReleaseCommand,
    ERABSetupRequest,
    InitialContextSetupRequest,
)
from dialtone.codec.s1ap.erab import ERABToBeModifiedItemBearerModReq, ERABToBeSetupItemBearerSUReq
from dialtone.crypto.nas_security import DOWNLINK, UPLINK, estimate_count
from dialtone.effects import Send
from dialtone.errors import LocalError, ProtocolError
from dialtone.mme.context import SecurityContext, Ue

NEW_CONTEXT = (SecurityHeaderType.INTEGRITY_NEW_CONTEXT, SecurityHeaderType.INTEGRITY_CIPHERED_NEW_CONTEXT)
LAST_COUNT = 0xFFFFFF


class NasLink:
    """One for the whole MME; all that differs from phone to phone stands in its Ue."""

    def up(self, ue: Ue, data: bytes) -> tuple[Message, bytes]:
        """Sets `ue.verified`; a message with a wrong MAC goes on only where it could be read without keys."""
        ue.verified = False
        cover = split(data)
        plain = cover.message
        if cover.header_type == SecurityHeaderType.PLAIN:
            return nas.decode(data), data
        if cover.header_type == SecurityHeaderType.SERVICE_REQUEST:
            ue.verified = _short_mac_fits(ue.security, cover, data)
            return nas.decode(data), data
        context = ue.next_security if cover.header_type in NEW_CONTEXT else ue.security
        if context is not None and context.keys is not None:
            count = estimate_count(context.ul_count, cover.sequence_number)
            mac = context.keys.mac(count, UPLINK, data[5:])
            if hmac.compare_digest(mac, cover.mac) and count <= LAST_COUNT:
                context.ul_count = count
                ue.verified = True
                if cover.ciphered:
                    plain = context.keys.cipher(count, UPLINK, plain)
        if cover.ciphered and not ue.verified:
            raise ProtocolError("a ciphered NAS message with a wrong MAC is discarded", clause="TS 24.301, 4.4.4.3")
        return nas.decode(plain), plain

    def down(self, ue: Ue, message: Message) -> tuple[bytes, bytes]:
        """Plain before the secure exchange is established, else integrity protected and ciphered."""
        plain = nas.encode(message)  # type: ignore[arg-type]
        if isinstance(message, nas.SecurityModeCommand):
            assert ue.next_security is not None
            return plain, _protect(ue.next_security, SecurityHeaderType.INTEGRITY_NEW_CONTEXT, plain)
        if not ue.secured:
            return plain, plain
        assert ue.security is not None
        return plain, _protect(ue.security, SecurityHeaderType.INTEGRITY_CIPHERED, plain)

    def carry(self, ue: Ue, data: bytes, via: Message | None) -> Send | None:
        """In a Downlink NAS Transport, in the first E-RAB of an Initial Context Setup Request, or in the next E-RAB of
        a request that has a message for each of them, which goes out with the last."""
        if ue.enb is None:
            raise LocalError(f"{ue.label} has no S1 connection")
        match via:
            case InitialContextSetupRequest():
                first, *others = via.e_rab_to_be_setup_list
                via.e_rab_to_be_setup_list = (replace(first, nas_pdu=data), *others)
            case ERABSetupRequest():
                via.e_rab_to_be_setup_list, whole = _aboard(via.e_rab_to_be_setup_list, data)
                if not whole:
                    return None
            case ERABModifyRequest():
                via.e_rab_to_be_modified_list, whole = _aboard(via.e_rab_to_be_modified_list, data)
                if not whole:
                    return None
            case ERABReleaseCommand():
                via.nas_pdu = data
            case _:
                via = DownlinkNASTransport(mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, nas_pdu=data)
        return Send("S1-MME", ue.enb.peer, via, stream=ue.stream)

    def label(self, ue: Ue) -> str:
        """The phone's name in the trace."""
        return f"ue-{ue.imsi}" if ue.imsi else ue.label


Item = TypeVar("Item", ERABToBeSetupItemBearerSUReq, ERABToBeModifiedItemBearerModReq)


def _aboard(items: tuple[Item, ...], data: bytes) -> tuple[tuple[Item, ...], bool]:
    """The items with `data` in the first that has none, and whether each has one then."""
    at: int = next(index for index, item in enumerate(items) if not item.nas_pdu)
    filled = list(items)
    filled[at] = replace(items[at], nas_pdu=data)
    return tuple(filled), at == len(items) - 1


def _short_mac_fits(context: SecurityContext | None, cover: Protected, data: bytes) -> bool:
    """A Service Request has five bits of the NAS COUNT and half a MAC (TS 24.301, 9.9.3.28)."""
    if context is None or context.keys is None:
        return False
    count = estimate_count(context.ul_count, cover.sequence_number, bits=5)
    if not hmac.compare_digest(context.keys.mac(count, UPLINK, data[:2])[2:], cover.mac):
        return False
    context.ul_count = count
    return True


def _protect(context: SecurityContext, header_type: SecurityHeaderType, plain: bytes) -> bytes:
    """Cover `plain` under the next downlink NAS COUNT (TS 24.301, 4.4.3)."""
    assert context.keys is not None
    count = context.dl_count
    if count > LAST_COUNT:
        raise LocalError("the downlink NAS COUNT is used up", remedy="The phone must be authenticated again.")
    context.dl_count += 1
    inner = plain
    if header_type == SecurityHeaderType.INTEGRITY_CIPHERED:
        inner = context.keys.cipher(count, DOWNLINK, plain)
    sequence_number = count & 0xFF
    mac = context.keys.mac(count, DOWNLINK, bytes((sequence_number,)) + inner)
    return join(header_type, mac, sequence_number, inner)
