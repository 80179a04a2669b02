# SPDX-License-Identifier: Apache-2.0
"""GTPv2-C messages for tests, built from the codec's own tables: each message small, full, and at random."""

from typing import Any

from hypothesis import strategies as st

from dialtone.codec.gtpc import (
    MESSAGES,
    Ambr,
    BearerQos,
    Cause,
    Fteid,
    GtpcMessage,
    Indication,
    Paa,
    UeTimeZone,
    Uli,
)
from dialtone.codec.gtpc.table import Ies, table
from dialtone.codec.gtpc.values import FlowQos
from dialtone.ids import Ecgi, Plmn, Tai

PLMN = Plmn("001", "01")
PCO = bytes.fromhex("8080211001000010810600000000830600000000000d00000a00001000")
TFT = bytes.fromhex("212001083011400a0050138a")  # one uplink filter: UDP, local port 2560, remote port 5002

# One example of each IE type that the tables name.
EXAMPLES: dict[int, Any] = {
    1: "001010123456789", 2: Cause(16), 3: 7, 71: "ims.mnc001.mcc001.gprs", 72: Ambr(1550, 3942), 73: 5,
    74: b"\x0a\0\0\1", 75: "3562241048384001", 76: "15551234567", 77: Indication.of("DAF", "PBIC", "PSCI"), 78: PCO,
    79: Paa(3, b"\x0a\x2d\0\2", 64, bytes.fromhex("20010db8cafe00010000000000000001")),
    80: BearerQos(1, 2, 1, 0, 128, 129, 64, 65), 81: FlowQos(1, 128, 129, 64, 65),
    82: 6, 83: PLMN, 84: TFT, 85: TFT,
    86: Uli(Tai(PLMN, 1), Ecgi(PLMN, 0x19B)), 87: Fteid(10, 0xC0FFEE01, b"\x0a\4\x80\x15"), 92: 3, 94: 0xDEADBEEF,
    95: 0x0800, 96: bytes.fromhex("00f110000001" + "00" * 9 + "01" + "00" * 12 + "000000000000" + "0a000001"), 97: 1,
    99: 3, 100: 9, 114: UeTimeZone(0x80, 1), 127: 0, 128: 1, 131: 3, 132: bytes.fromhex("010a0000010001"), 135: 1,
    136: b"\4cdf1\2ep", 145: bytes.fromhex("00f1100000000140"), 146: 1, 151: b"mme1", 152: 1, 154: b"\x21\x32",
    155: 0x48, 156: 0x42, 157: 1, 163: PCO, 165: 1, 170: 0xE0000000, 172: b"\x10\x05", 187: b"\x05",
}  # fmt: skip


def small(cls: type[Ies]) -> Any:
    """Mandatory IEs only."""
    return cls(**{f.name: _value(f) for f in table(cls) if f.row.presence == "M"})


def full(cls: type[Ies]) -> Any:
    """Every IE of the table, lists with two members."""
    return cls(**{f.name: _value(f, full) for f in table(cls)})


def _value(field: Any, build: Any = small) -> Any:
    one = build(field.group) if field.group else EXAMPLES[field.row.ie.number]
    return (one, one) if field.many and build is full else (one,) if field.many else one


def corpus() -> list[GtpcMessage]:
    """Every message small and full, with TEID and sequence number."""
    found = []
    for cls in MESSAGES.values():
        for message in (small(cls), full(cls)):
            message.sequence = 0x123456
            if message.teid is not None:
                message.teid = 0x80000001
            found.append(message)
    return found


_U8, _U16, _U32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
_RATE = st.integers(0, 2**40 - 1)
_V4, _V6 = st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16)
_RAW = st.binary(min_size=1, max_size=40)
_DIGITS = st.text("0123456789", min_size=6, max_size=15)
_PLMN = st.builds(Plmn, st.text("0123456789", min_size=3, max_size=3), st.text("0123456789", min_size=2, max_size=3))
_LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
_TAI, _ECGI = st.builds(Tai, _PLMN, _U16), st.builds(Ecgi, _PLMN, st.integers(0, 2**28 - 1))



def _of(kind: Any, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(*parts).map(lambda values: kind(*values))


STRATEGIES: dict[int, Any] = {
    1: _DIGITS, 75: _DIGITS, 76: _DIGITS,
    2: _of(Cause, _U8, st.booleans(), st.booleans(), st.booleans(), st.none() | st.tuples(_U8, st.integers(0, 15))),
    71: st.lists(_LABEL, min_size=1, max_size=4).map(".".join),
    72: _of(Ambr, _U32, _U32), 73: st.integers(0, 15),
    77: _RAW.map(Indication), 83: _PLMN,
    79: _of(Paa, st.just(1), _V4) | _of(Paa, st.just(2), st.none(), _U8, _V6) | _of(Paa, st.just(3), _V4, _U8, _V6),
    80: _of(BearerQos, _U8, st.integers(0, 15), st.integers(0, 1), st.integers(0, 1), _RATE, _RATE, _RATE, _RATE),
    81: _of(FlowQos, _U8, _RATE, _RATE, _RATE, _RATE),
    86: _of(Uli, _TAI, st.none() | _ECGI, st.none() | st.binary(min_size=7, max_size=7)),
    87: _of(Fteid, st.integers(0, 63), _U32, _V4) | _of(Fteid, st.integers(0, 63), _U32, st.none() | _V4, _V6),
    94: _U32, 95: _U16, 99: st.integers(0, 7), 114: _of(UeTimeZone, _U8, st.integers(0, 3)),
    128: st.integers(0, 3), 170: _U32,
} | dict.fromkeys((3, 82, 92, 97, 100, 127, 131, 135, 146, 152, 155, 156, 157, 165), _U8)  # fmt: skip


def messages() -> st.SearchStrategy[GtpcMessage]:
    """Any message, with any subset of its optional IEs."""
    return st.sampled_from(list(MESSAGES.values())).flatmap(_strategy)


def _strategy(cls: type[Ies]) -> st.SearchStrategy[Any]:
    def of(field: Any) -> st.SearchStrategy[Any]:
        one = _strategy(field.group) if field.group else STRATEGIES.get(field.row.ie.number, _RAW)
        if field.many:
            return st.lists(one, min_size=int(field.row.presence == "M"), max_size=2).map(tuple)
        return one if field.row.presence == "M" else st.none() | one

    fields = {f.name: of(f) for f in table(cls)}
    if issubclass(cls, GtpcMessage):
        fields |= {"sequence": st.integers(0, 2**24 - 1), "teid": st.none() if cls.TYPE < 4 else _U32}
    return st.builds(cls, **fields)
