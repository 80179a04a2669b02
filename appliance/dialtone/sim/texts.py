# SPDX-License-Identifier: Apache-2.0
"""What a phone has of short messages, whatever carries them (TS 23.040; TS 24.011, 6): inbox, memory, references.

Sans I/O and without a carrier: `submit` makes RP messages, `take` answers one of the network, `answered` takes its
answers. sim/sms.py carries them over NAS, the IMS client over SIP.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from dialtone.codec.sms import (
    RPAck,
    RPData,
    RPError,
    RPSmma,
    SmsDeliver,
    SmsDeliverReport,
    SmsStatusReport,
    SmsSubmit,
    SmsSubmitReport,
    status,
    tpdu,
)
from dialtone.codec.sms.address import Address
from dialtone.codec.sms.errors import FailureCause, RpCause
from dialtone.codec.sms.times import Validity, ValidityFormat
from dialtone.codec.sms.user_data import Part, split
from dialtone.effects import Event
from dialtone.errors import ProtocolError

MEMORY = 200
"""So many texts a phone keeps; then its user must delete some."""


@dataclass(slots=True)
class MemoryCommand(Event):
    """The phone's memory is full, or there is room again, which the network is told (RP-SMMA)."""

    full: bool


@dataclass(slots=True)
class Received:
    """A text, or a part of one, as it came over `path`."""

    sender: str
    text: str
    part: Part | None
    sent: int  # Unix seconds, as the centre stamped it
    path: str


class Whole(NamedTuple):
    """A message as its user reads it."""

    sender: str
    text: str
    path: str


@dataclass(slots=True)
class Sent:
    """A text, or a part of one, on its way; `cause` is why it failed."""

    to: str
    reference: int  # TP-MR
    done: bool = False
    cause: int | None = None
    failure: int | None = None  # TP-FCS
    status: int | None = None  # TP-ST of a status report
    given_up: bool = False

    @property
    def said(self) -> str:
        """What the phone knows of it, in words."""
        if self.status is not None:
            return status.words(self.status)
        if self.cause is not None:
            return f"refused, RP cause #{self.cause}"
        if self.given_up:
            return "no answer of the service centre"
        return "the service centre has it" if self.done else "under way"


@dataclass(slots=True)
class Texts:
    """One phone's short message service. `centre` is what the card says (EF_SMSP); without it none is named."""

    centre: Address | None = None
    full: bool = False  # no memory, whatever is free
    inbox: list[Received] = field(default_factory=list)
    sent: deque[Sent] = field(default_factory=lambda: deque(maxlen=MEMORY))
    counters: Counter[str] = field(default_factory=Counter)
    _underway: dict[int, Sent] = field(default_factory=dict)  # by RP reference
    _reference: int = -1
    _long: int = 0

    def submit(self, to: str, text: str, *, report: bool = False, validity: int = 0) -> list[RPData]:
        """RP-DATA for each part of a text, to be sent one after the other. Raises ValueError."""
        destination, made = Address.of(to), []
        self._long += 1
        for ud in split(text, self._long):
            self._reference = self._reference + 1 & 0xFF
            submit = SmsSubmit(
                reference=self._reference, destination=destination, ud=ud, report=report,
                validity=Validity(ValidityFormat.RELATIVE, validity) if validity else Validity())
            self.sent.append(Sent(to, self._reference))
            self._underway[self._reference] = self.sent[-1]
            made.append(RPData(reference=self._reference, destination=self.centre, user_data=tpdu.encode(submit)))
        return made

    def take(self, message: RPData, path: str) -> RPAck | RPError:
        """A text, or a status report, for this phone; what it answers."""
        try:
            told = tpdu.decode(message.user_data, uplink=False)
        except ProtocolError:
            self.counters["unreadable text"] += 1
            return self._error(message, RpCause.INVALID_MANDATORY_INFORMATION, FailureCause.UNSPECIFIED)
        match told:
            case SmsDeliver():
                if self.full or len(self.inbox) >= MEMORY:
                    self.counters["no memory"] += 1
                    return self._error(message, RpCause.MEMORY_CAPACITY_EXCEEDED, FailureCause.STORAGE_FULL)
                self._keep(told, path)
            case SmsStatusReport():
                self._note(told)
            case _:
                return self._error(message, RpCause.SEMANTICALLY_INCORRECT, FailureCause.UNSPECIFIED)
        return RPAck(reference=message.reference, user_data=tpdu.encode(SmsDeliverReport()))

    def _keep(self, told: SmsDeliver, path: str) -> None:
        got = Received(str(told.originator), told.ud.text, told.ud.part, told.stamp.seconds, path)
        if any((old.sender, old.text, old.part, old.sent) == (got.sender, got.text, got.part, got.sent)
               for old in self.inbox):
            self.counters["the same text twice"] += 1
        self.inbox.append(got)

    def _note(self, told: SmsStatusReport) -> None:
        for sent in reversed(self.sent):
            if sent.reference == told.reference and sent.status is None:
                sent.status = told.status
                return
        self.counters["status report of nothing"] += 1

    def _error(self, message: RPData, cause: RpCause, failure: FailureCause) -> RPError:
        return RPError(reference=message.reference, cause=cause,
                       user_data=tpdu.encode(SmsDeliverReport(failure=failure)))

    def room(self) -> RPSmma:
        """The user has deleted all texts: what the network is told."""
        self.full = False
        self.inbox.clear()
        self._reference = self._reference + 1 & 0xFF
        return RPSmma(reference=self._reference)

    def answered(self, message: RPAck | RPError) -> Sent | None:
        """The network's answer to what this phone sent; None where it answers nothing."""
        sent = self._underway.pop(message.reference, None)
        if sent is None or message.uplink:
            self.counters["answer to nothing"] += 1
            return None
        sent.done = isinstance(message, RPAck)
        sent.cause = message.cause if isinstance(message, RPError) else None
        try:
            report = message.user_data and tpdu.decode(message.user_data, uplink=False,
                                                       error=isinstance(message, RPError))
        except ProtocolError:
            self.counters["unreadable report"] += 1
            return sent
        if isinstance(report, SmsSubmitReport):
            sent.failure = report.failure
        return sent

    def gave_up(self, reference: int) -> Sent | None:
        """Nobody answers."""
        sent = self._underway.pop(reference, None)
        if sent is not None:
            sent.given_up = True
        return sent

    def messages(self) -> list[Whole]:
        """What came, long messages whole; a missing part reads as `...`."""
        found: dict[object, dict[int, str]] = {}
        totals: dict[object, tuple[Received, int]] = {}
        for number, got in enumerate(self.inbox):
            key = (got.sender, got.part.reference, got.part.total) if got.part else number
            found.setdefault(key, {})[got.part.number if got.part else 1] = got.text
            totals[key] = (got, got.part.total if got.part else 1)
        return [Whole(totals[key][0].sender, "".join(
            parts.get(number, "...") for number in range(1, totals[key][1] + 1)), totals[key][0].path)
                for key, parts in found.items()]
