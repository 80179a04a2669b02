# SPDX-License-Identifier: Apache-2.0
"""S1AP, NAS and texts of a capture: decoded, and what they say of phones."""

import contextlib
from collections.abc import Iterator
from typing import Any

from dialtone.codec import nas, s1ap, sms
from dialtone.codec.nas import security
from dialtone.codec.nas.identities import Imsi
from dialtone.codec.s1ap.values import STmsi
from dialtone.codec.tbcd import digits
from dialtone.errors import ProtocolError
from dialtone.ids import Guti
from dialtone.trace.capture.draft import Draft, Facts, text_of
from dialtone.trace.capture.find import End, Found
from dialtone.trace.capture.phones import Handle

_PORT = 36412
_FROM_ENB = {
    "S1SetupRequest", "InitialUEMessage", "UplinkNASTransport", "NASNonDeliveryIndication", "ENBConfigurationUpdate",
    "InitialContextSetupResponse", "InitialContextSetupFailure", "UEContextReleaseRequest", "UEContextReleaseComplete",
    "UECapabilityInfoIndication", "E-RABSetupResponse", "E-RABModifyResponse", "E-RABReleaseResponse",
    "E-RABReleaseIndication", "HandoverRequired", "HandoverNotify", "HandoverRequestAcknowledge", "PathSwitchRequest",
}
_LISTS = ("e_rab_to_be_setup_list", "e_rab_to_be_modified_list", "e_rab_setup_list")


def read_s1ap(found: Found, facts: Facts) -> Iterator[Draft]:
    """The message, and the NAS messages in it: what goes down first, what comes up last, as it was done."""
    try:
        message: Any = s1ap.decode(found.data)
        name, info = message.label, ""
    except ProtocolError as error:
        message, name, info = None, "undecodable", error.text
    up = _upward(found, name, facts)
    enb, mme = (found.src, found.dst) if up else (found.dst, found.src)
    phone = _phone(message, name, enb, mme, facts)
    draft = Draft(found.time, "S1-MME", found.src, found.dst, name, found.data, phone,
                  ("enb", "mme") if up else ("mme", "enb"), info=info, transport=found.transport)
    inner = [each for octets in _parcels(message) for each in read_nas(found, octets, up, phone, facts)]
    yield from (draft, *inner) if up else (*inner, draft)
    if name == "UEContextReleaseComplete":
        facts.phones.forget(*_ids(message, enb, mme))


def _upward(found: Found, name: str, facts: Facts) -> bool:
    ports = found.src.port == _PORT, found.dst.port == _PORT
    if ports[0] != ports[1]:
        up = ports[1]
    elif found.src in facts.mmes or found.dst in facts.mmes:
        up = found.dst in facts.mmes
    else:
        up = name in _FROM_ENB
    facts.mmes.add(found.dst if up else found.src)
    facts.enbs.add(found.src.address if up else found.dst.address)
    return up


def _ids(message: Any, enb: End, mme: End) -> list[Handle]:
    """The handles that UE S1AP IDs are, of the eNB's address and of the MME's."""
    pairs = (("enb", enb.address, getattr(message, "enb_ue_s1ap_id", None)),
             ("mme", mme.address, getattr(message, "mme_ue_s1ap_id", None)))
    ids = getattr(message, "ue_s1ap_ids", None)
    found = [pair for pair in pairs if pair[2] is not None]
    if ids is not None:
        found += [pair for pair in (("mme", mme.address, getattr(ids, "mme_ue_s1ap_id", ids)),
                                    ("enb", enb.address, getattr(ids, "enb_ue_s1ap_id", None))) if pair[2] is not None]
    return [pair for pair in found if isinstance(pair[2], int)]


def _phone(message: Any, name: str, enb: End, mme: End, facts: Facts) -> int:
    handles = _ids(message, enb, mme)
    if name == "InitialUEMessage":
        facts.phones.forget(*handles)  # the eNB may have used the number before
    paged = getattr(message, "ue_paging_id", None)
    if isinstance(paged, bytes):
        return facts.phones.tell(0, digits(paged))
    temporary = getattr(message, "s_tmsi", None) or paged
    if isinstance(temporary, STmsi):
        handles.append(("tmsi", temporary.mme_code, temporary.m_tmsi))
    if not handles:
        return 0
    for item in (item for where in _LISTS for item in getattr(message, where, None) or ()):
        if address := text_of(getattr(item, "transport_layer_address", None)):
            handles.append(("teid", address, item.gtp_teid))
            if name in _FROM_ENB:
                facts.enbs.add(address)
    return facts.phones.of(*handles)


def _parcels(message: Any) -> Iterator[bytes]:
    if octets := getattr(message, "nas_pdu", None):
        yield octets
    for where in _LISTS:
        for item in getattr(message, where, None) or ():
            if octets := getattr(item, "nas_pdu", None):
                yield octets


def read_nas(found: Found, octets: bytes, up: bool, phone: int, facts: Facts) -> Iterator[Draft]:
    """A NAS message, with the text that it may carry."""
    message, plain, name, info = _open(octets, up, facts.phones.ciphered(phone))
    if message is not None:
        phone = _learn(message, phone, facts)
    ends = (End(""), found.dst if up else found.src)
    draft = Draft(found.time, "NAS", *(ends if up else ends[::-1]), name, octets, phone,
                  ("ue", "mme") if up else ("mme", "ue"), plain if plain != octets else b"", info)
    inner = []
    if carried := getattr(message, "nas_message_container", b""):
        try:
            text, fault = sms.decode(carried).label, ""
        except ProtocolError as error:
            text, fault = "undecodable", error.text
        inner = [Draft(found.time, "SMS", draft.src, draft.dst, text, carried, phone, draft.roles, info=fault)]
    yield from (draft, *inner) if up else (*inner, draft)


def upward(octets: bytes) -> bool:
    """The direction of a NAS message that nobody has told: that in which it is one."""
    return _open(octets, True, None)[0] is not None


def _open(octets: bytes, up: bool, cipher: int | None) -> tuple[Any, bytes, str, str]:
    """The message, its plain octets, its name, and what is wrong with it."""
    try:
        cover = security.split(octets)
    except ProtocolError as error:
        return None, b"", "undecodable", error.text
    if cover.ciphered and cipher:
        return None, b"", "ciphered", ""
    try:
        message = nas.decode(cover.message, downlink=not up)
    except ProtocolError as error:
        return None, b"", *(("ciphered", "") if cover.ciphered and cipher is None else ("undecodable", error.text))
    return message, cover.message, message.label, ""


def _learn(message: Any, phone: int, facts: Facts) -> int:
    """Identities, addresses and algorithms in a NAS message; returns the phone's number."""
    phones = facts.phones
    for identity in (getattr(message, field, None) for field in ("eps_mobile_identity", "mobile_identity", "guti")):
        if isinstance(identity, Imsi):
            phone = phones.tell(phone, str(identity))
        elif isinstance(identity, Guti):
            phone = phones.bind(phone, ("tmsi", identity.mme_code, identity.m_tmsi))
    if chosen := getattr(message, "selected_nas_security_algorithms", None):
        phones.ciphered(phone, chosen.ciphering)
    if container := getattr(message, "esm_message_container", None):
        with contextlib.suppress(ProtocolError):
            phone = _learn(nas.decode(container, downlink=message.label.endswith("accept")), phone, facts)
    address = getattr(getattr(message, "pdn_address", None), "ipv4", None)
    if address is not None and int(address):
        facts.addresses.add(str(address))
        phone = phones.bind(phone, ("ip", str(address)))
    return phone
