# SPDX-License-Identifier: Apache-2.0
"""The trace as students see it: keys and what texts say are zeros, and every other octet stands where it stood.

It works on the octets, so that the list, the stream, the decoded tree, the hex dump and the capture file cannot differ.
What cannot be looked through (an undecodable message, a point nobody knows here) is hidden as a whole.
"""

import re
from collections.abc import Callable

from dialtone.codec import s1ap
from dialtone.codec.sms import CPData, RPAck, RPData, RPError, cp, rp, tpdu
from dialtone.errors import DialtoneError, ProtocolError
from dialtone.trace.bus import Event

Mask = Callable[[bytes], bytes]

# Diameter: Confidentiality-Key and Integrity-Key of Cx (TS 29.229, 6.3.27 and 28; UTRAN vectors of S6a have the same
# codes), Kc and KASME (TS 29.272, 7.3.59 and 68), K_ASME's like of other vectors.
_KEY_AVPS = {625, 626, 1453, 1450}
_GROUPS = {1413, 1414, 1415, 1416, 612, 1600}  # Authentication-Info, the vectors, SIP-Auth-Data-Item
SM_RP_UI = 3301  # TS 29.338, 5.3.3.9
_MO = 8388645  # command code of MO-Forward-Short-Message
_VENDOR = 0x80
_REQUEST = 0x80

_NAS_TRANSPORT = (b"\x07\x62", b"\x07\x63")  # Downlink and Uplink NAS transport
_SIP_KEYS = re.compile(rb"""(?i)(\b(?:ck|ik)\s*=\s*"?)([0-9a-f]+)""")
_SAYS_NOTHING_PRIVATE = (b"application/sdp", b"application/reginfo+xml", b"application/3gpp-ims+xml")
_SMS = b"application/vnd.3gpp.sms"


def for_students(event: Event) -> Event:
    """The event without keys and texts."""
    if not event.data:
        return event
    if event.kind == "done" or event.name == "undecodable":
        return event._replace(data=bytes(len(event.data)), plain=bytes(len(event.plain)))
    mask = _MASKS.get(event.point, _nothing)
    return event._replace(data=mask(event.data), plain=mask(event.plain))


def _nothing(data: bytes) -> bytes:
    return bytes(len(data))


def _same(data: bytes) -> bytes:
    return data


def _tail(data: bytes, inner: bytes, mask: Mask) -> bytes:
    """Mask `inner`, which ends `data`; all of it where it does not."""
    if not inner:
        return data
    return data[: -len(inner)] + mask(inner) if data.endswith(inner) else _nothing(data)


# ---- texts, layer by layer -------------------------------------------------------------------------


def _tpdu(data: bytes, uplink: bool, error: bool = False) -> bytes:
    try:
        found = tpdu.decode(data, uplink=uplink, error=error)
        ud = getattr(found, "ud", None)
        octets = found.data if isinstance(found, tpdu.SmsCommand) else ud.octets if ud else b""
        if tpdu.encode(found) == data:
            return _tail(data, octets, _nothing)
    except (DialtoneError, ValueError):
        pass
    return data[:1] + _nothing(data[1:])


def _rp(data: bytes) -> bytes:
    try:
        found = rp.decode(data)
    except ProtocolError:
        return _nothing(data)
    if isinstance(found, RPData | RPAck | RPError) and found.user_data:
        error = isinstance(found, RPError)
        return _tail(data, found.user_data, lambda inner: _tpdu(inner, found.uplink, error))
    return data


def _cp(data: bytes) -> bytes:
    try:
        found = cp.decode(data)
    except ProtocolError:
        return _nothing(data)
    return _tail(data, found.user_data, _rp) if isinstance(found, CPData) else data


def _nas(data: bytes) -> bytes:
    """Plain, or inside a security header; what is ciphered for good passes."""
    head, inner = (data[:6], data[6:]) if data and data[0] >> 4 else (b"", data)
    if inner[:2] not in _NAS_TRANSPORT or len(inner) < 4:
        return data
    container = inner[3:]
    return head + inner[:3] + (_cp(container) if len(container) == inner[2] else _nothing(container))


# ---- the protocols ---------------------------------------------------------------------------------


def _s1ap(data: bytes) -> bytes:
    if not data:
        return data
    try:
        message = s1ap.decode(data)
    except ProtocolError:
        return _nothing(data)
    context = getattr(message, "security_context", None)
    for key in (getattr(message, "security_key", None), getattr(context, "next_hop_parameter", None)):
        if key:
            data = data.replace(key, bytes(len(key)))
    pdu = getattr(message, "nas_pdu", None)
    return data.replace(pdu, _nas(pdu)) if pdu else data


def _diameter(data: bytes) -> bytes:
    if len(data) < 20 or data[0] != 1:
        return _nothing(data)
    command, request = int.from_bytes(data[5:8]), bool(data[4] & _REQUEST)
    return data[:20] + _avps(data[20:], uplink=(command == _MO) == request)


def _avps(data: bytes, uplink: bool) -> bytes:
    """AVP after AVP (RFC 6733, 4.1); what is left over is hidden."""
    found, at = b"", 0
    while at + 8 <= len(data):
        code, length = int.from_bytes(data[at : at + 4]), int.from_bytes(data[at + 5 : at + 8])
        head = 12 if data[at + 4] & _VENDOR else 8
        if length < head or at + length > len(data):
            break
        value = data[at + head : at + length]
        if code in _KEY_AVPS:
            value = _nothing(value)
        elif code in _GROUPS:
            value = _avps(value, uplink)
        elif code == SM_RP_UI:
            value = _tpdu(value, uplink)
        end = at + (length + 3) // 4 * 4
        found += data[at : at + head] + value + data[at + length : end]
        at = end
    return found + _nothing(data[at:])


def _sip(data: bytes) -> bytes:
    head, blank, body = data.partition(b"\r\n\r\n")
    head = _SIP_KEYS.sub(lambda match: match[1] + b"0" * len(match[2]), head)
    kind = re.search(rb"(?im)^(?:content-type|c)\s*:\s*([^\s;]+)", head)
    what = kind[1].lower() if kind else b""
    if what == _SMS:
        body = _rp(body)
    elif what not in _SAYS_NOTHING_PRIVATE:
        body = b"x" * len(body)
    return head + blank + body


_MASKS: dict[str, Mask] = {
    "S1-MME": _s1ap, "NAS": _nas, "SMS": _cp,
    **dict.fromkeys(("S6a", "Cx", "SGd", "Rx", "Diameter"), _diameter),
    **dict.fromkeys(("Gm", "Mw", "ISC"), _sip),
    **dict.fromkeys(("S11", "S5/S8", "S1-U"), _same),
}
