# SPDX-License-Identifier: Apache-2.0
"""Information element types (TS 29.274, table 8.1-1): number, name, and how the value is read and written."""

from collections.abc import Callable
from typing import Any, NamedTuple

from dialtone.codec.gtpc.indication import Indication
from dialtone.codec.gtpc.values import Ambr, BearerQos, Cause, FlowQos, Fteid, Paa, UeTimeZone, Uli
from dialtone.codec.tbcd import digits, tbcd
from dialtone.ids import Plmn


class IeType(NamedTuple):
    """One row of table 8.1-1. `decode` and `encode` are None for a grouped IE, whose table is the field's own class."""

    number: int
    name: str
    decode: Callable[[bytes], Any] | None
    encode: Callable[[Any], bytes] | None


def _imsi(octets: bytes) -> str:
    text = digits(octets)
    if not 6 <= len(text) <= 15:
        raise ValueError(f"an IMSI has at most 15 digits, not {len(text)}")
    return text


def _apn(octets: bytes) -> str:
    """Labels with a length octet each, 100 octets at most (TS 23.003, 9.1), as text with dots."""
    labels, at, end = [], 0, len(octets)
    if not 1 < end <= 100:
        raise ValueError(f"an APN of {end} octets")
    while at < end:
        stop = at + 1 + octets[at]
        label = octets[at + 1 : stop].decode("ascii")
        if stop > end or not label or "." in label:
            raise ValueError("an APN label without its length")
        labels.append(label)
        at = stop
    return ".".join(labels)


def _apn_octets(text: str) -> bytes:
    return b"".join(bytes((len(label),)) + label.encode("ascii") for label in text.split("."))


def _some(octets: bytes) -> bytes:
    if not octets:
        raise ValueError("no octets")
    return octets


def _uint(size: int, mask: int) -> tuple[Callable[[bytes], int], Callable[[int], bytes]]:
    """An unsigned integer of so many octets, spare bits (outside the mask) ignored and sent as zero."""
    if size == 1:
        return lambda octets: octets[0] & mask, lambda value: bytes((value,))

    def decode(octets: bytes) -> int:
        if len(octets) < size:
            raise ValueError(f"{size} octets expected, {len(octets)} came")
        return int.from_bytes(octets[:size], "big") & mask

    return decode, lambda value: value.to_bytes(size, "big")


def _of(kind: Any) -> tuple[Callable[[bytes], Any], Callable[[Any], bytes]]:
    return kind.from_bytes, kind.to_bytes


_U8, _U16, _U32 = _uint(1, 0xFF), _uint(2, 0xFFFF), _uint(4, 0xFFFF_FFFF)
_HALF = _uint(1, 0x0F)
_RAW = (_some, bytes)
_TBCD = (digits, tbcd)

IMSI = IeType(1, "International Mobile Subscriber Identity (IMSI)", _imsi, tbcd)
CAUSE = IeType(2, "Cause", *_of(Cause))
RECOVERY = IeType(3, "Recovery", *_U8)
APN = IeType(71, "Access Point Name (APN)", _apn, _apn_octets)
AMBR = IeType(72, "Aggregate Maximum Bit Rate (AMBR)", *_of(Ambr))
EBI = IeType(73, "EPS Bearer ID (EBI)", *_HALF)
IP_ADDRESS = IeType(74, "IP Address", *_RAW)
MEI = IeType(75, "Mobile Equipment Identity (MEI)", *_TBCD)
MSISDN = IeType(76, "MSISDN", *_TBCD)
INDICATION = IeType(77, "Indication", *_of(Indication))
PCO = IeType(78, "Protocol Configuration Options (PCO)", *_RAW)
PAA = IeType(79, "PDN Address Allocation (PAA)", *_of(Paa))
BEARER_QOS = IeType(80, "Bearer Level Quality of Service (Bearer QoS)", *_of(BearerQos))
FLOW_QOS = IeType(81, "Flow Quality of Service (Flow QoS)", *_of(FlowQos))
RAT_TYPE = IeType(82, "RAT Type", *_U8)
SERVING_NETWORK = IeType(83, "Serving Network", lambda octets: Plmn.from_bytes(octets[:3]), Plmn.to_bytes)
BEARER_TFT = IeType(84, "EPS Bearer Level Traffic Flow Template (Bearer TFT)", *_RAW)
TRAFFIC_AGGREGATE_DESCRIPTION = IeType(85, "Traffic Aggregate Description (TAD)", *_RAW)
ULI = IeType(86, "User Location Information (ULI)", *_of(Uli))
FTEID = IeType(87, "Fully Qualified Tunnel Endpoint Identifier (F-TEID)", *_of(Fteid))
DELAY_VALUE = IeType(92, "Delay Value", *_U8)
BEARER_CONTEXT = IeType(93, "Bearer Context", None, None)
CHARGING_ID = IeType(94, "Charging ID", *_U32)
CHARGING_CHARACTERISTICS = IeType(95, "Charging Characteristics", *_U16)
TRACE_INFORMATION = IeType(96, "Trace Information", *_RAW)
BEARER_FLAGS = IeType(97, "Bearer Flags", *_U8)
PDN_TYPE = IeType(99, "PDN Type", *_uint(1, 7))
PROCEDURE_TRANSACTION_ID = IeType(100, "Procedure Transaction ID", *_U8)
UE_TIME_ZONE = IeType(114, "UE Time Zone", *_of(UeTimeZone))
APN_RESTRICTION = IeType(127, "APN Restriction", *_U8)
SELECTION_MODE = IeType(128, "Selection Mode", *_uint(1, 3))
CHANGE_REPORTING_ACTION = IeType(131, "Change Reporting Action", *_U8)
FQ_CSID = IeType(132, "Fully Qualified PDN Connection Set Identifier (FQ-CSID)", *_RAW)
NODE_TYPE = IeType(135, "Node Type", *_U8)
FQDN = IeType(136, "Fully Qualified Domain Name (FQDN)", *_RAW)
UCI = IeType(145, "User CSG Information (UCI)", *_RAW)
CSG_INFORMATION_REPORTING_ACTION = IeType(146, "CSG Information Reporting Action", *_U8)
LDN = IeType(151, "Local Distinguished Name (LDN)", *_RAW)
NODE_FEATURES = IeType(152, "Node Features", *_U8)
THROTTLING = IeType(154, "Throttling", *_RAW)
ARP = IeType(155, "Allocation/Retention Priority (ARP)", *_U8)
EPC_TIMER = IeType(156, "EPC Timer", *_U8)
SIGNALLING_PRIORITY_INDICATION = IeType(157, "Signalling Priority Indication", *_U8)
APCO = IeType(163, "Additional Protocol Configuration Options (APCO)", *_RAW)
HENB_INFORMATION_REPORTING = IeType(165, "H(e)NB Information Reporting", *_U8)
ULI_TIMESTAMP = IeType(170, "ULI Timestamp", *_U32)
RAN_NAS_CAUSE = IeType(172, "RAN/NAS Cause", *_RAW)
INTEGER_NUMBER = IeType(187, "Integer Number", *_RAW)
