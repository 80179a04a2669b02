# SPDX-License-Identifier: Apache-2.0
"""S1AP PDUs: decode, encode, and what clause 10 of TS 36.413 makes of a bad one.

Each message is compiled when it is first met. The compiled decoder takes every IE in its place and nothing else; what
it refuses is looked at a second time here, IE by IE, to drop what may be ignored or to name what was wrong.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn

from dialtone.codec.s1ap.errors import (
    FAILURES,
    AbstractSyntaxError,
    FalselyConstructedMessage,
    FaultyIe,
    TransferSyntaxError,
    TypeOfError,
    UnknownProcedure,
)
from dialtone.codec.s1ap.notation import Criticality, UnknownIe
from dialtone.codec.s1ap.runtime import long_octets, read_ies, write_ies
from dialtone.codec.s1ap.table import (
    MESSAGES,
    S1apMessage,
    TriggeringMessage,
    compile_decoder,
    compile_encoder,
)
from dialtone.errors import LocalError


class _Decoders(dict[int, Callable[[bytes, int, int], S1apMessage]]):
    """Compiled decoders by the first two octets of a PDU: choice and procedure code."""

    def __missing__(self, key: int) -> Callable[[bytes, int, int], S1apMessage]:
        if key & 0x9F00:
            raise KeyError(key)
        made = self[key] = compile_decoder(MESSAGES[TriggeringMessage(key >> 13), key & 255])
        return made


class _Encoders(dict[type[S1apMessage], Callable[[Any], bytes]]):
    """Compiled encoders by class of message."""

    def __missing__(self, cls: type[S1apMessage]) -> Callable[[Any], bytes]:
        made = self[cls] = compile_encoder(cls)
        return made


_decoders = _Decoders()
_encoders = _Encoders()


def decode(data: bytes) -> S1apMessage:
    """The message of one PDU, which is all of `data`.

    Raises S1apError (TransferSyntaxError, AbstractSyntaxError, UnknownProcedure, FalselyConstructedMessage) with all
    that Criticality Diagnostics asks for, and nothing else.
    """
    try:
        size, start = data[3], 4
        if size >= 192:  # fragments
            return _examine(data)
        if size >= 128:
            size, start = (size & 63) << 8 | data[4], 5
        if size + start == len(data) and data[2] < 192:
            return _decoders[data[0] << 8 | data[1]](data, start, len(data))
    except FAILURES as error:
        return _examine(data, error)
    return _examine(data)


def encode(message: S1apMessage) -> bytes:
    """The PDU of a message.

    Raises LocalError where a value does not fit its type or a mandatory IE is missing: the fault is ours.
    """
    try:
        return _encoders[type(message)](message)
    except FAILURES as error:
        raise LocalError(f"{message.NAME} cannot be encoded: {error!r}.", remedy="Mend the message.") from error


def warm_up() -> Iterator[None]:
    """Make the functions of all messages, one message a step, before the first phone needs them."""
    for (kind, code), cls in MESSAGES.items():
        _decoders[kind << 13 | code]
        _encoders[cls]
        yield


def peek(data: bytes) -> tuple[int, TriggeringMessage]:
    """Procedure code and kind of message, from the first two octets. Raises TransferSyntaxError."""
    if len(data) < 2 or data[0] not in (0x00, 0x20, 0x40):
        raise TransferSyntaxError("no S1AP PDU", clause="TS 36.413, 10.2")
    return data[1], TriggeringMessage(data[0] >> 5)


def criticality_notifications(message: S1apMessage) -> tuple[FaultyIe, ...]:
    """The IEs we did not comprehend and whose sender asked to be told (TS 36.413, 10.3.4.2).

    They go back as Criticality Diagnostics in the response, or in an Error Indication where there is none.
    """
    return tuple(
        FaultyIe(ie.criticality, ie.id, TypeOfError.NOT_UNDERSTOOD)
        for ie in message.unknown_ies
        if ie.criticality == Criticality.NOTIFY
    )


# -- the second look ------------------------------------------------------------------------------


class _Envelope(NamedTuple):
    """A PDU taken apart down to the IEs of its container."""

    kind: TriggeringMessage
    code: int
    criticality: int
    ies: tuple[UnknownIe, ...]

    def about(self) -> dict[str, Any]:
        """The attributes of an error about this PDU."""
        return {
            "procedure_code": self.code,
            "triggering_message": self.kind,
            "procedure_criticality": self.criticality,
            "mme_ue_s1ap_id": self._ue_id(0),
            "enb_ue_s1ap_id": self._ue_id(8),
        }

    def _ue_id(self, number: int) -> int | None:
        """A UE S1AP id: a length field of an octet, and that many octets, or None where it is none."""
        value = next((ie.value for ie in self.ies if ie.id == number), b"")
        return int.from_bytes(value[1:], "big") if len(value) == (value[:1] or b"\0")[0] // 64 + 2 else None


def _open(data: bytes) -> _Envelope:
    """Take a PDU apart, or raise TransferSyntaxError or UnknownProcedure."""
    code, kind = peek(data)
    cls = MESSAGES.get((kind, code))
    known: dict[str, Any] = {"procedure_code": code, "triggering_message": kind}
    try:
        criticality = data[2] >> 6
        if criticality == 3:
            raise ValueError("criticality 3")
        if cls:
            criticality = cls.CRITICALITY
        known["procedure_criticality"] = criticality
        body, end = long_octets(data, 3)
        if cls is None:
            _refuse_procedure(known)
        if end != len(data):
            raise ValueError(f"{len(data) - end} octets behind the PDU")
        ies, end = read_ies(body, 1, 0)
        if body[0] & 128 or end != len(body):
            raise ValueError("octets behind the last IE")
    except (ValueError, IndexError) as error:
        raise TransferSyntaxError(
            f"S1AP PDU of procedure {code}: {_say(error)}", clause="TS 36.413, 10.2", **known
        ) from None
    return _Envelope(kind, code, criticality, ies)


def _say(error: BaseException) -> str:
    return "it ends too early" if isinstance(error, IndexError) else str(error)


def _refuse_procedure(known: dict[str, Any]) -> NoReturn:
    raise UnknownProcedure(
        f"unknown S1AP procedure {known['procedure_code']} "
        f"({known['triggering_message'].name.lower().replace('_', ' ')})",
        clause="TS 36.413, 10.3.4.1",
        **known,
    )


def _examine(data: bytes, failure: BaseException | None = None) -> S1apMessage:
    """Decode what the compiled decoder refused, without the IEs that may be ignored, or raise what is wrong."""
    if not isinstance(data, bytes):
        return decode(bytes(data))
    pdu = _open(data)
    cls = MESSAGES[pdu.kind, pdu.code]
    order = {row.id: number for number, row in enumerate(cls.rows())}
    unknown = tuple(ie for ie in pdu.ies if ie.id not in order)
    known = tuple(ie for ie in pdu.ies if ie.id in order)
    _refuse_faulty(cls, pdu, known, unknown)
    places = [order[ie.id] for ie in known]
    if any(before >= after for before, after in pairwise(places)):
        raise FalselyConstructedMessage(
            f"{cls.NAME}: IEs out of order or repeated: {', '.join(str(ie.id) for ie in known)}",
            clause="TS 36.413, 10.3.6",
            **pdu.about(),
        )
    body = b"\0" + len(known).to_bytes(2, "big") + write_ies(known)
    try:
        message = _decoders[pdu.kind << 13 | pdu.code](body, 0, len(body))
    except FAILURES as error:
        raise TransferSyntaxError(
            f"{cls.NAME}: {_say(failure if failure and not unknown else error)}",
            clause="TS 36.413, 10.2",
            **pdu.about(),
        ) from None
    message.unknown_ies = unknown
    return message


def _refuse_faulty(
    cls: type[S1apMessage], pdu: _Envelope, known: tuple[UnknownIe, ...], unknown: tuple[UnknownIe, ...]
) -> None:
    """Raise AbstractSyntaxError for IEs to be rejected (10.3.4.2) and IEs that are missing (10.3.5)."""
    present = {ie.id for ie in known}
    faulty = [
        FaultyIe(ie.criticality, ie.id, TypeOfError.NOT_UNDERSTOOD)
        for ie in unknown
        if ie.criticality == Criticality.REJECT
    ]
    faulty += [
        FaultyIe(row.criticality, row.id, TypeOfError.MISSING)
        for row in cls.rows()
        if row.required and row.id not in present
    ]
    if faulty:
        text = ", ".join(f"IE {ie.id} {ie.type_of_error.name.lower().replace('_', ' ')}" for ie in faulty)
        raise AbstractSyntaxError(
            f"{cls.NAME}: {text}", clause="TS 36.413, 10.3", ies=tuple(faulty), **pdu.about()
        )


