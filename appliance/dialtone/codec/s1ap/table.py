# SPDX-License-Identifier: Apache-2.0
"""Messages as tables of protocol IEs, and their compilation (TS 36.413, 9.1 and 9.3.3).

    @initiating(13, ignore, "9.1.7.3")
    @dataclass(slots=True, kw_only=True)
    class UplinkNASTransport(S1apMessage):
        mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
        tai: Annotated[Tai | None, M(67, ignore)]
        lhn_id: Annotated[bytes | None, O(186, ignore)] = None

M, O and C stand for the presence: mandatory, optional, conditional. A mandatory IE of criticality ignore whose type
allows None may be missing from what we receive (10.3.5: carry on without it), never from what we send.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import partial
from typing import Any, ClassVar, NamedTuple, TypeVar

from dialtone.codec.message import Message
from dialtone.codec.s1ap.decoder import Decoder
from dialtone.codec.s1ap.encoder import Encoder
from dialtone.codec.s1ap.notation import Criticality, IeList, SequenceOf, UnknownIe, may_be_absent, resolve


class TriggeringMessage(IntEnum):
    """The three kinds of PDU (TS 36.413, 9.3.2 S1AP-PDU and 9.2.1.21)."""

    INITIATING_MESSAGE = 0
    SUCCESSFUL_OUTCOME = 1
    UNSUCCESSFUL_OUTCOME = 2


class Presence(NamedTuple):
    """A line of an IE table without its type."""

    id: int
    criticality: Criticality
    mandatory: bool


M = partial(Presence, mandatory=True)
O = partial(Presence, mandatory=False)  # noqa: E741 the specification's own letter
C = O


class Row(NamedTuple):
    """A line of an IE table."""

    field: str
    id: int
    criticality: Criticality
    mandatory: bool
    required: bool  # a message without it is refused
    type: Any

    @property
    def is_list(self) -> bool:
        return isinstance(self.type, SequenceOf | IeList)


@dataclass(slots=True, kw_only=True)
class S1apMessage(Message):
    """Base of all S1AP messages. `unknown_ies` holds what the table lacks, in the order received."""

    unknown_ies: tuple[UnknownIe, ...] = ()

    PROCEDURE_CODE: ClassVar[int] = -1
    KIND: ClassVar[TriggeringMessage] = TriggeringMessage.INITIATING_MESSAGE
    CRITICALITY: ClassVar[Criticality] = Criticality.REJECT

    @classmethod
    def rows(cls) -> list[Row]:
        """The IE table of the message, in order."""
        return [_row(f.name, f.type) for f in fields(cls) if f.name != "unknown_ies"]


def _row(name: str, annotation: Any) -> Row:
    presence = next(m for m in annotation.__metadata__ if isinstance(m, Presence))
    described = resolve(annotation)
    absent = may_be_absent(annotation) or isinstance(described, SequenceOf | IeList)
    required = presence.mandatory and not (presence.criticality == Criticality.IGNORE and absent)
    return Row(name, *presence, required, described)


MESSAGES: dict[tuple[TriggeringMessage, int], type[S1apMessage]] = {}
"""Every message we know, by kind and procedure code."""

Class = TypeVar("Class", bound=type[S1apMessage])


def _register(
    kind: TriggeringMessage, code: int, criticality: Criticality, section: str, name: str = ""
) -> Callable[[Class], Class]:
    """A decorator, above @dataclass; `name` where the specification's has hyphens."""

    def register(cls: Class) -> Class:
        if (kind, code) in MESSAGES:
            raise TypeError(f"{cls.__name__} takes the place of {MESSAGES[kind, code].__name__}")
        cls.NAME, cls.CLAUSE = name or cls.__name__, f"TS 36.413, {section}"
        cls.KIND, cls.PROCEDURE_CODE, cls.CRITICALITY = kind, code, criticality
        MESSAGES[kind, code] = cls
        return cls

    return register


initiating = partial(_register, TriggeringMessage.INITIATING_MESSAGE)
successful = partial(_register, TriggeringMessage.SUCCESSFUL_OUTCOME)
unsuccessful = partial(_register, TriggeringMessage.UNSUCCESSFUL_OUTCOME)


def compile_decoder(cls: type[S1apMessage]) -> Callable[[bytes, int, int], S1apMessage]:
    """A function of PDU, first octet and end of the message: the message, every IE in its place and none unknown.

    Anything else raises, and `pdu.py` finds out what was wrong.
    """
    g = Decoder()
    g.emit("if d[p] & 128:")
    g.emit('    raise Malformed("extension additions of a message")')
    g.emit("left = d[p + 1] << 8 | d[p + 2]")
    g.moved("p += 3")
    g.emit(f"m = new({g.refer(cls, 'cls')})")
    g.emit("m.unknown_ies = ()")
    g.emit("i = d[p] << 8 | d[p + 1] if p < e else -1")
    for row in cls.rows():
        _decode_row(g, row)
    g.emit("if i != -1 or left:")
    g.emit('    raise Malformed("IEs in excess")')
    g.emit("return m")
    return g.function(f"def decode_{cls.__name__}(d, p, e):")


def _decode_row(g: Decoder, row: Row) -> None:
    g.emit(f"if i == {row.id}:")
    g.depth += 1
    g.offset = 16
    g.criticality()
    g.emit(f"m.{row.field} = {g.open_type(lambda: g.value(row.type, last=True))}")
    g.emit("left -= 1")
    g.emit("i = d[p] << 8 | d[p + 1] if p < e else -1")
    g.depth -= 1
    g.emit("else:")
    if row.required:
        g.emit(f'    raise Malformed("IE {row.id} is not where it should be")')
    else:
        g.emit(f"    m.{row.field} = {'()' if row.is_list else None}")


def compile_encoder(cls: type[S1apMessage]) -> Callable[[S1apMessage], bytes]:
    """A function of the message: the PDU."""
    g, rows = Encoder(), cls.rows()
    g.emit(f"n = {sum(row.mandatory for row in rows)}")
    g.constant(b"")
    for row in rows:
        _encode_row(g, row)
    g.finish()
    g.emit("if m.unknown_ies:")
    g.emit(f"    {g.scope.out} += write_ies(m.unknown_ies)")
    g.emit("    n += len(m.unknown_ies)")
    head = bytes((cls.KIND << 5, cls.PROCEDURE_CODE, cls.CRITICALITY << 6))
    g.emit(f'{g.scope.out} = b"\\0" + n.to_bytes(2, "big") + {g.scope.out}')
    g.emit(f"return {head!r} + wrap({g.scope.out})")
    return g.function(f"def encode_{cls.__name__}(m):")


def _encode_row(g: Encoder, row: Row) -> None:
    field = g.name()
    g.emit(f"{field} = m.{row.field}")
    present = f"({field} {'!= ()' if row.is_list else 'is not None'})"
    write = partial(g.ie, row.id, row.criticality, row.type, field)
    if row.mandatory:
        write()
    else:
        g.emit(f"n += {present}")
        g.fork(present, write)
