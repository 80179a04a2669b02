# SPDX-License-Identifier: Apache-2.0
"""The notation of the message tables, and the register of all messages (TS 24.301, 8.1; TS 24.007, 11.2).

A message is a dataclass whose fields stand in the order of the specification's table. The `Annotated`
metadata of a field is the table's last columns, written as there: format and length, where the length
counts the whole element with its IEI and length octets:

    nas_key_set_identifier: Annotated[int, V(HALF)]                       M  V    1/2
    eps_mobile_identity: Annotated[EpsMobileIdentity, LV(5, 12)]          M  LV   5-12
    additional_guti: Annotated[Guti | None, TLV(0x50, 13)] = None     50  O  TLV  13

The first of two half octets has bits 1 to 4. A half octet that stands alone is followed by the spare
half octet of 9.9.2.9. `compiler.py` makes straight-line functions of these tables on first use.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, NamedTuple, TypeVar

from dialtone.codec.message import Message

HALF = 0
"""Length of a type 1 element: half an octet (written 1/2)."""
N = 65538
"""No upper limit but that of the length octets (written n)."""

EPD_ESM, EPD_EMM = 2, 7
"""Protocol discriminators of EPS session and mobility management (TS 24.007, 11.2.3.1.1)."""


class Format(NamedTuple):
    """One element's format: kind, IEI, and the least and greatest length in octets of all of it."""

    kind: str
    iei: int
    low: int
    high: int


def V(length: int) -> Format:
    """Value only, mandatory: HALF or a number of octets."""
    return Format("V", 0, length, length)


def LV(low: int, high: int = 0) -> Format:
    """One length octet and value, mandatory."""
    return Format("LV", 0, low, min(high or low, 256))


def LV_E(low: int, high: int = 0) -> Format:
    """Two length octets and value, mandatory."""
    return Format("LV-E", 0, low, min(high or low, 65537))


def TV(iei: int, length: int) -> Format:
    """IEI and value of fixed length, optional; of length 1 the IEI (8 to F) is the upper half octet."""
    return Format("TV", iei, length, length)


def TLV(iei: int, low: int, high: int = 0) -> Format:
    """IEI, one length octet, value; optional."""
    return Format("TLV", iei, low, min(high or low, 257))


def TLV_E(iei: int, low: int, high: int = 0) -> Format:
    """IEI (78 to 7F), two length octets, value; optional."""
    return Format("TLV-E", iei, low, min(high or low, 65538))


class Codec(NamedTuple):
    """How the value part of an element becomes a Python value and back; stands in a type alias."""

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


@dataclass(slots=True, kw_only=True, repr=False)
class NasMessage(Message):
    """A plain NAS message. `unknown_ies` holds, as received, every element that was ignored: unknown
    (TS 24.301, 7.6.1), repeated (7.6.3) or syntactically incorrect (7.7.1); it is sent after the others."""

    MESSAGE_TYPE: ClassVar[int] = 0

    unknown_ies: list[bytes] = field(default_factory=list)

    def __repr__(self) -> str:
        """Only what is there: a message has thirty optional elements and sends three."""
        values = ((item.name, getattr(self, item.name)) for item in fields(self))
        there = (f"{name}={value!r}" for name, value in values if value is not None and value != [])
        return f"{type(self).__name__}({', '.join(there)})"


@dataclass(slots=True, kw_only=True, repr=False)
class EmmMessage(NasMessage):
    """A plain EPS mobility management message: security header type 0 (TS 24.301, 9.2)."""


@dataclass(slots=True, kw_only=True, repr=False)
class EsmMessage(NasMessage):
    """An EPS session management message: its header names the bearer and the transaction (9.3.2, 9.4)."""

    eps_bearer_identity: int = 0
    procedure_transaction_identity: int = 0


UPLINK: dict[tuple[int, int], type[NasMessage]] = {}
DOWNLINK: dict[tuple[int, int], type[NasMessage]] = {}
"""(protocol discriminator, message type) -> class, as the network and as the UE reads it."""

_Class = TypeVar("_Class", bound=type[NasMessage])


def _register(cls: _Class, epd: int, message_type: int, name: str, clause: str, sense: str) -> _Class:
    cls.NAME, cls.CLAUSE, cls.MESSAGE_TYPE = name, clause, message_type
    for word, register in (("uplink", UPLINK), ("downlink", DOWNLINK)):
        if sense in ("", word):
            if (epd, message_type) in register:
                raise ValueError(f"{cls.__name__}: type {message_type:#x} is taken")
            register[epd, message_type] = cls
    return cls


def emm(message_type: int, name: str, clause: str, sense: str = "") -> Callable[[_Class], _Class]:
    """Register an EMM message under its type (TS 24.301, 9.8) and Wireshark's name. `sense` is uplink or
    downlink for the one type, Detach request, that has a layout for each."""
    return lambda cls: _register(cls, EPD_EMM, message_type, name, clause, sense)


def esm(message_type: int, name: str, clause: str) -> Callable[[_Class], _Class]:
    """Register an ESM message under its type (TS 24.301, 9.8) and Wireshark's name."""
    return lambda cls: _register(cls, EPD_ESM, message_type, name, clause, "")
