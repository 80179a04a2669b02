# SPDX-License-Identifier: Apache-2.0
"""Decoding for people, by pycrate: every bit of a message as a text tree. Never in the core process.

pycrate takes a second and forty megabytes to load, so a process that lives long runs this file as a
worker (`python -m dialtone.trace.decode`): one JSON object a line in, one out.
"""

import json
import logging
import re
import sys
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from dialtone.errors import DialtoneError, LocalError, ProtocolError
from dialtone.ids import Plmn

_SAYS_NOTHING = re.compile(r"\s*<(spare|reserved|AVPPad) : .*>$")
_GROUP = re.compile(r"^(\s*)### (.*) ###$")
_VALUE = re.compile(r"^(\s*)<(.*?) : (.*)>$")


def tree(point: str, data: bytes, downlink: bool = False) -> str:
    """The message at a reference point as indented text. `downlink`: NAS sent by the network.

    Raises ProtocolError for octets that pycrate cannot read, LocalError where pycrate is missing.
    """
    reader = _READERS.get(point)
    if reader is None:
        raise LocalError(f"Nobody here decodes {point}.", remedy="Export the trace and open it in Wireshark.")
    logging.getLogger("pycrate_mobile").setLevel(logging.CRITICAL)  # it warns of a library we do not need
    logging.getLogger("pycrate_mobile.TS24301_EMM").setLevel(logging.CRITICAL)
    try:
        return reader(data, downlink)
    except ImportError:
        raise LocalError("pycrate is not installed.", remedy="pip install 'dialtone[api]'.") from None
    except DialtoneError:
        raise
    except Exception as error:  # pycrate raises whatever its parser meets
        raise ProtocolError(f"pycrate cannot read this message: {type(error).__name__} {error}") from error


def hexdump(data: bytes) -> str:
    """Octets in rows of sixteen: offset, hexadecimal, printable ASCII."""
    lines = []
    for start in range(0, len(data), 16):
        row = data[start:start + 16]
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        text = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
        lines.append(f"{start:04x}  {left:<23}  {right:<23}  {text}")
    return "\n".join(lines)


def _tidy(show: str) -> str:
    """pycrate's own markup taken off; lines that carry nothing left out."""
    lines = []
    for line in show.splitlines():
        if _SAYS_NOTHING.match(line):
            continue
        line = _GROUP.sub(r"\1\2", line)
        lines.append(_VALUE.sub(r"\1\2: \3", line))
    return "\n".join(lines)


def _nas(data: bytes, downlink: bool) -> str:
    from pycrate_mobile import NASLTE

    parse = NASLTE.parse_NASLTE_MT if downlink else NASLTE.parse_NASLTE_MO
    message, error = parse(data)
    if message is None:
        raise ProtocolError(f"pycrate cannot read this NAS message (its code {error})")
    return _tidy(message.show())


def _s1ap(data: bytes, downlink: bool) -> str:
    from pycrate_asn1dir.S1AP import S1AP_PDU_Descriptions

    pdu = S1AP_PDU_Descriptions.S1AP_PDU
    pdu.from_aper(data)
    text = _annotate(str(pdu.to_asn1()))
    for octets in re.findall(r"[nN]AS-PDU:? '([0-9A-F]+)'H", text):
        text += f"\n\nThe NAS-PDU in it:\n{_nas(bytes.fromhex(octets), downlink)}"
    return text


def _annotate(text: str) -> str:
    """Say in words what a few bit strings of S1AP mean."""
    def plmn(match: re.Match[str]) -> str:
        try:
            return f"{match[0]} ({Plmn.from_bytes(bytes.fromhex(match[1]))})"
        except ProtocolError:
            return match[0]

    def address(match: re.Match[str]) -> str:
        octets = int(match[2], 2).to_bytes(len(match[2]) // 8, "big") if match[1].endswith("B") else b""
        return f"{match[0]} ({ip_address(octets)})" if len(octets) in (4, 16) else match[0]

    text = re.sub(r"pLMN-?[iI]dentity:? '([0-9A-F]{6})'H", plmn, text)
    return re.sub(r"transportLayerAddress ('([01]+)'B)", address, text)


def _sms(data: bytes, downlink: bool) -> str:
    from pycrate_mobile.TS24011_PPSMS import PPSMSCPTypeClasses

    message = PPSMSCPTypeClasses[data[1]]()
    message.from_bytes(data)
    return _tidy(message.show())


def _gtpc(data: bytes, downlink: bool) -> str:
    from pycrate_mobile.TS29274_GTPC import parse_GTPC

    message, error = parse_GTPC(data)
    if message is None:
        raise ProtocolError(f"pycrate cannot read this GTPv2-C message (its code {error})")
    return _tidy(message.show())


def _diameter(data: bytes, downlink: bool) -> str:
    from pycrate_diameter.Diameter3GPP import Diameter3GPP

    message = Diameter3GPP()
    message.from_bytes(data)
    lines = [line for line in _tidy(message.show()).splitlines()
             if not re.match(r"\s+([VMP]: [01]|AVPHdr)$", line)]
    return "\n".join(lines)


def _sip(data: bytes, downlink: bool) -> str:
    """SIP is text already; what is none shows its octets."""
    return data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")


_READERS: dict[str, Callable[[bytes, bool], str]] = {
    "S1-MME": _s1ap, "NAS": _nas, "S11": _gtpc, "S5/S8": _gtpc, "S6a": _diameter,
    "Diameter": _diameter, "SGd": _diameter, "Cx": _diameter, "Rx": _diameter, "SMS": _sms,
    "Gm": _sip, "Mw": _sip, "ISC": _sip,
}


def answer(request: dict[str, Any]) -> dict[str, str]:
    """What the worker says to one request {point, data, downlink}."""
    try:
        return {"text": tree(request["point"], bytes.fromhex(request["data"]), bool(request.get("downlink")))}
    except LocalError as error:
        return {"error": error.text, "remedy": error.remedy}
    except (ProtocolError, KeyError, ValueError, TypeError) as error:
        return {"error": str(error)}


def serve() -> None:
    """Answer requests from standard input until it ends."""
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    serve()
