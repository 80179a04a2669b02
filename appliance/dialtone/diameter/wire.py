# SPDX-License-Identifier: Apache-2.0
"""What a node reads and changes of a message that it passes on, without decoding it (RFC 6733, 3 and 6.1)."""

from typing import NamedTuple

from dialtone.codec.diameter import AVPS, UnknownAvp, avps, raw_avp
from dialtone.codec.diameter.errors import DiameterError

_T_FLAG = 0x10


class Envelope(NamedTuple):
    """From whom, to whom, over whom, in lower case; empty where the AVP is missing. Of an answer its Result-Code."""

    origin_host: str = ""
    destination_host: str = ""
    destination_realm: str = ""
    route_record: tuple[str, ...] = ()
    result_code: int = 0


_ROUTE_RECORD, _RESULT_CODE = AVPS["Route-Record"].code, AVPS["Result-Code"].code
_NAMES = {AVPS["Origin-Host"].code: 0, AVPS["Destination-Host"].code: 1, AVPS["Destination-Realm"].code: 2}


def envelope(data: bytes) -> Envelope:
    """The addresses of a whole message; of one whose AVPs are broken nothing, its decoder will say so."""
    found, route, result = ["", "", ""], [], 0
    try:
        for avp in avps(data[20:]):
            if avp.vendor:
                continue
            if (place := _NAMES.get(avp.code)) is not None:
                found[place] = found[place] or _name(avp)
            elif avp.code == _ROUTE_RECORD:
                route.append(_name(avp))
            elif avp.code == _RESULT_CODE:
                result = int.from_bytes(avp.data, "big")
    except DiameterError:
        return Envelope()
    origin_host, destination_host, destination_realm = found
    return Envelope(origin_host, destination_host, destination_realm, tuple(route), result)


def _name(avp: UnknownAvp) -> str:
    return avp.data.decode("ascii", "replace").lower()


def renumber(data: bytes, hop_by_hop: int, end_to_end: int | None = None, *, again: bool = False) -> bytes:
    """The message under other identifiers; `again` sets the T flag of a retransmission."""
    kept = data[16:20] if end_to_end is None else end_to_end.to_bytes(4, "big")
    flags = bytes((data[4] | _T_FLAG,)) if again else data[4:5]
    return data[:4] + flags + data[5:12] + hop_by_hop.to_bytes(4, "big") + kept + data[20:]


def readdress(data: bytes, realm: str) -> bytes:
    """The request with this Destination-Realm. Raises DiameterError for broken AVPs."""
    row = AVPS["Destination-Realm"]
    to = UnknownAvp(row.code, 0, 0x40, realm.encode())
    body = b"".join(raw_avp(to if avp.code == row.code and not avp.vendor else avp) for avp in avps(data[20:]))
    return data[:1] + (20 + len(body)).to_bytes(3, "big") + data[4:20] + body
