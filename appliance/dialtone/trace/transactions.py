# SPDX-License-Identifier: Apache-2.0
"""Which messages belong together: a request and its answers, by the number that their protocol gives them."""

import re

from dialtone.trace.bus import Event

_DIAMETER = frozenset({"S6a", "Cx", "Rx", "Gx", "SGd", "Diameter"})
_GTPC = frozenset({"S11", "S5/S8"})
_SIP = frozenset({"Gm", "Mw", "ISC"})
_CALL = re.compile(rb"(?im)^(?:call-id|i)\s*:\s*(\S+)")
_CSEQ = re.compile(rb"(?im)^cseq\s*:\s*(\d+)")


def transaction(event: Event, subject: str) -> str:
    """A name that the messages of one transaction share at their point: of Diameter the hop-by-hop identifier, of
    GTPv2-C the sequence number, of SIP Call-ID and CSeq; of S1AP and NAS the phone's procedure."""
    data = event.data
    if event.kind == "done":
        return ""
    if event.point in _DIAMETER and len(data) >= 16:
        number = data[12:16].hex()
    elif event.point in _GTPC and len(data) >= 12:
        number = data[8:11].hex() if data[0] & 8 else data[4:7].hex()
    elif event.point in _SIP:
        call, cseq = _CALL.search(data), _CSEQ.search(data)
        number = f"{call[1].decode('ascii', 'replace')} {cseq[1].decode()}" if call and cseq else ""
    else:
        number = f"{subject} {event.procedure}" if subject and event.procedure else ""
    return f"{event.point} {number}" if number else ""
