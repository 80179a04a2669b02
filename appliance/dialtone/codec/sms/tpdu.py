# SPDX-License-Identifier: Apache-2.0
"""The transfer layer: what a short message is to phone and service centre (TS 23.040, 9.2.2)."""

from dataclasses import dataclass, field

from dialtone.codec.message import Message
from dialtone.codec.sms import user_data
from dialtone.codec.sms.address import Address, decode_tp, encode_tp
from dialtone.codec.sms.times import (
    LENGTHS,
    Stamp,
    Validity,
    ValidityFormat,
    decode_stamp,
    decode_validity,
    encode_stamp,
    encode_validity,
)
from dialtone.codec.sms.user_data import UserData
from dialtone.errors import ProtocolError

MORE, LOOP, REPORT, HEADER, REPLY_PATH = 0x04, 0x08, 0x20, 0x40, 0x80
"""Bits of the first octet: no more messages, loop prevention, status report, user data header, reply path."""
REJECT_DUPLICATES = 0x04


@dataclass(slots=True, kw_only=True)
class Tpdu(Message):
    """Base of all."""


@dataclass(slots=True, kw_only=True)
class SmsDeliver(Tpdu):
    """Service centre to phone (9.2.2.1). `more` messages wait there; `report` says that the sender wants one."""

    originator: Address
    stamp: Stamp
    ud: UserData = UserData()
    pid: int = 0
    more: bool = False
    report: bool = False
    reply_path: bool = False
    loop_prevention: bool = False


@dataclass(slots=True, kw_only=True)
class SmsDeliverReport(Tpdu):
    """Phone to service centre in RP-ACK, or with a failure cause in RP-ERROR (9.2.2.1a)."""

    failure: int | None = None
    pid: int | None = None
    ud: UserData | None = None


@dataclass(slots=True, kw_only=True)
class SmsSubmit(Tpdu):
    """Phone to service centre (9.2.2.2)."""

    reference: int
    destination: Address
    ud: UserData = UserData()
    validity: Validity = field(default_factory=Validity)
    pid: int = 0
    report: bool = False
    reject_duplicates: bool = False
    reply_path: bool = False


@dataclass(slots=True, kw_only=True)
class SmsSubmitReport(Tpdu):
    """Service centre to phone in RP-ACK, or with a failure cause in RP-ERROR (9.2.2.2a)."""

    stamp: Stamp
    failure: int | None = None
    pid: int | None = None
    ud: UserData | None = None


@dataclass(slots=True, kw_only=True)
class SmsStatusReport(Tpdu):
    """Service centre to the phone that sent a text: what became of it (9.2.2.3). `status` as in 9.2.3.15."""

    reference: int
    recipient: Address
    stamp: Stamp  # of the text
    discharge: Stamp
    status: int
    more: bool = False
    of_command: bool = False
    pid: int | None = None
    ud: UserData | None = None


@dataclass(slots=True, kw_only=True)
class SmsCommand(Tpdu):
    """Phone to service centre (9.2.2.4)."""

    reference: int
    pid: int
    command: int
    message_number: int
    destination: Address
    data: bytes = b""
    report: bool = False


for _cls, _name, _clause in (
        (SmsDeliver, "SMS-DELIVER", "9.2.2.1"), (SmsDeliverReport, "SMS-DELIVER-REPORT", "9.2.2.1a"),
        (SmsSubmit, "SMS-SUBMIT", "9.2.2.2"), (SmsSubmitReport, "SMS-SUBMIT-REPORT", "9.2.2.2a"),
        (SmsStatusReport, "SMS-STATUS-REPORT", "9.2.2.3"), (SmsCommand, "SMS-COMMAND", "9.2.2.4")):
    _cls.NAME, _cls.CLAUSE = _name, f"TS 23.040, {_clause}"


def decode(data: bytes, *, uplink: bool, error: bool = False) -> Tpdu:
    """One TPDU; `error` says that it came in RP-ERROR, where a report has a failure cause. Raises ProtocolError."""
    if not data:
        raise ProtocolError("an empty TPDU", clause="TS 23.040, 9.2.2")
    readers = (_read_deliver_report, _read_submit, _read_command) if uplink else (
        _read_deliver, _read_submit_report, _read_status_report)
    kind = data[0] & 3
    if kind == 3:
        if uplink:
            raise ProtocolError("message type 3 is reserved", clause="TS 23.040, 9.2.3.1")
        kind = 0  # a phone takes it as SMS-DELIVER
    return readers[kind](_Reader(data), error)


@dataclass(slots=True)
class _Reader:
    """Takes one field after the other; never past the end."""

    data: bytes
    at: int = 1

    def take(self, count: int, what: str) -> bytes:
        taken = self.data[self.at : self.at + count]
        if len(taken) != count:
            raise ProtocolError(f"{what} is cut off", clause="TS 23.040, 9.2.2")
        self.at += count
        return taken

    def octet(self, what: str) -> int:
        return self.take(1, what)[0]

    def address(self) -> Address:
        found, self.at = decode_tp(self.data, self.at)
        return found

    def stamp(self) -> Stamp:
        return decode_stamp(self.take(7, "a time"))

    def user_data(self, dcs: int) -> UserData:
        return user_data.decode(self.data, self.at, dcs, bool(self.data[0] & HEADER))

    def optional(self) -> tuple[int | None, UserData | None]:
        """TP-PID and TP-UD as TP-Parameter-Indicator says (9.2.3.27)."""
        if self.at >= len(self.data):
            return None, None
        present = self.octet("TP-PI")
        while present & 0x80 and self.at < len(self.data) and self.data[self.at - 1] & 0x80:
            self.octet("an extension of TP-PI")
        pid = self.octet("TP-PID") if present & 1 else None
        dcs = self.octet("TP-DCS") if present & 2 else 0
        return pid, self.user_data(dcs) if present & 4 else None


def _read_deliver(reader: _Reader, error: bool) -> SmsDeliver:
    first, originator = reader.data[0], reader.address()
    pid, dcs = reader.take(2, "TP-PID")
    return SmsDeliver(
        originator=originator, pid=pid, stamp=reader.stamp(), ud=reader.user_data(dcs), more=not first & MORE,
        report=bool(first & REPORT), reply_path=bool(first & REPLY_PATH), loop_prevention=bool(first & LOOP))


def _read_submit(reader: _Reader, error: bool) -> SmsSubmit:
    first, reference = reader.data[0], reader.octet("TP-MR")
    destination = reader.address()
    pid, dcs = reader.take(2, "TP-PID")
    kind = ValidityFormat(first >> 3 & 3)
    validity = decode_validity(kind, reader.take(LENGTHS[kind], "TP-VP"))
    return SmsSubmit(
        reference=reference, destination=destination, pid=pid, validity=validity, ud=reader.user_data(dcs),
        report=bool(first & REPORT), reject_duplicates=bool(first & REJECT_DUPLICATES),
        reply_path=bool(first & REPLY_PATH))


def _read_deliver_report(reader: _Reader, error: bool) -> SmsDeliverReport:
    failure = reader.octet("TP-FCS") if error else None
    pid, ud = reader.optional()
    return SmsDeliverReport(failure=failure, pid=pid, ud=ud)


def _read_submit_report(reader: _Reader, error: bool) -> SmsSubmitReport:
    failure = reader.octet("TP-FCS") if error else None
    present = reader.at  # TP-PI stands before TP-SCTS here
    reader.octet("TP-PI")
    stamp = reader.stamp()
    rest = _Reader(reader.data[:1] + reader.data[present : present + 1] + reader.data[reader.at :])
    pid, ud = rest.optional()
    return SmsSubmitReport(failure=failure, stamp=stamp, pid=pid, ud=ud)


def _read_status_report(reader: _Reader, error: bool) -> SmsStatusReport:
    first, reference = reader.data[0], reader.octet("TP-MR")
    recipient = reader.address()
    stamp, discharge = reader.stamp(), reader.stamp()
    status = reader.octet("TP-ST")
    pid, ud = reader.optional()
    return SmsStatusReport(
        reference=reference, recipient=recipient, stamp=stamp, discharge=discharge, status=status,
        more=not first & MORE, of_command=bool(first & REPORT), pid=pid, ud=ud)


def _read_command(reader: _Reader, error: bool) -> SmsCommand:
    reference, pid, command, number = reader.take(4, "TP-MR")
    destination = reader.address()
    data = reader.take(reader.octet("TP-CDL"), "TP-CD")
    return SmsCommand(reference=reference, pid=pid, command=command, message_number=number, destination=destination,
                      data=data, report=bool(reader.data[0] & REPORT))


def encode(tpdu: Tpdu) -> bytes:
    """Its octets. Raises ValueError for what does not fit."""
    match tpdu:
        case SmsDeliver(ud=ud):
            first = (_bit(not tpdu.more, MORE) | _bit(tpdu.loop_prevention, LOOP) | _bit(tpdu.report, REPORT)
                     | _bit(ud.has_header, HEADER) | _bit(tpdu.reply_path, REPLY_PATH))
            return (bytes((first,)) + encode_tp(tpdu.originator) + bytes((tpdu.pid, ud.dcs))
                    + encode_stamp(tpdu.stamp) + user_data.encode(ud))
        case SmsSubmit(ud=ud):
            first = (1 | _bit(tpdu.reject_duplicates, REJECT_DUPLICATES) | tpdu.validity.format << 3
                     | _bit(tpdu.report, REPORT) | _bit(ud.has_header, HEADER) | _bit(tpdu.reply_path, REPLY_PATH))
            return (bytes((first, tpdu.reference)) + encode_tp(tpdu.destination) + bytes((tpdu.pid, ud.dcs))
                    + encode_validity(tpdu.validity) + user_data.encode(ud))
        case SmsDeliverReport():
            return bytes((_report_header(tpdu.ud),)) + _failure(tpdu.failure) + _optional(tpdu.pid, tpdu.ud)
        case SmsSubmitReport():
            indicator, *rest = _optional(tpdu.pid, tpdu.ud)
            return (bytes((1 | _report_header(tpdu.ud),)) + _failure(tpdu.failure) + bytes((indicator,))
                    + encode_stamp(tpdu.stamp) + bytes(rest))
        case SmsStatusReport():
            first = (2 | _bit(not tpdu.more, MORE) | _bit(tpdu.of_command, REPORT) | _report_header(tpdu.ud))
            return (bytes((first, tpdu.reference)) + encode_tp(tpdu.recipient) + encode_stamp(tpdu.stamp)
                    + encode_stamp(tpdu.discharge) + bytes((tpdu.status,))
                    + (b"" if tpdu.pid is None and tpdu.ud is None else _optional(tpdu.pid, tpdu.ud)))
        case SmsCommand():
            return (bytes((2 | _bit(tpdu.report, REPORT), tpdu.reference, tpdu.pid, tpdu.command, tpdu.message_number))
                    + encode_tp(tpdu.destination) + bytes((len(tpdu.data),)) + tpdu.data)
    raise ValueError(f"{tpdu!r} is no TPDU")


def _bit(wanted: bool, mask: int) -> int:
    return mask if wanted else 0


def _report_header(ud: UserData | None) -> int:
    return HEADER if ud is not None and ud.has_header else 0


def _failure(cause: int | None) -> bytes:
    return b"" if cause is None else bytes((cause,))


def _optional(pid: int | None, ud: UserData | None) -> bytes:
    """TP-PI and what it announces."""
    present = (pid is not None) | (6 if ud is not None else 0)
    body = b"" if pid is None else bytes((pid,))
    if ud is not None:
        body += bytes((ud.dcs,)) + user_data.encode(ud)
    return bytes((present,)) + body
