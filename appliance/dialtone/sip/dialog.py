# SPDX-License-Identifier: Apache-2.0
"""Dialogs (RFC 3261, 12): what two ends remember of each other between the requests of a call or subscription."""

from dataclasses import dataclass, field
from typing import Self

from dialtone.codec import sip
from dialtone.codec.sip import AckRequest, NameAddr, SipError, SipRequest, SipResponse

_REFRESH = {"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"}


@dataclass(slots=True)
class Dialog:
    """One end's view. `local` and `remote` are the values of From and To in requests of ours, with their tags;
    `target` is the peer's Contact, `routes` the way to it."""

    call_id: str
    local: str
    remote: str
    target: str
    routes: list[str] = field(default_factory=list)
    cseq: int = 0  # the last one of ours
    remote_cseq: int | None = None
    early: bool = False

    @classmethod
    def of_caller(cls, request: SipRequest, answer: SipResponse) -> Self:
        """The dialog that an answer to our request begins: 101 to 199 with a To tag, or 2xx (RFC 3261, 12.1.2).
        Raises SipError."""
        if not answer.to.tag:
            raise SipError("the answer has no To tag", clause="RFC 3261, 12.1.2")
        return cls(request.call_id, request.first("From") or "", answer.first("To") or "", contact_of(answer),
                   answer.all("Record-Route")[::-1], request.cseq.number, None, answer.status < 200)

    @classmethod
    def of_called(cls, request: SipRequest, tag: str, *, early: bool = False) -> Self:
        """The dialog that a request of the peer begins, with our tag (RFC 3261, 12.1.1). Raises SipError."""
        return cls(request.call_id, f"{request.first('To')};tag={tag}", request.first("From") or "",
                   contact_of(request), request.all("Record-Route"), 0, request.cseq.number, early)

    @property
    def local_tag(self) -> str:
        """Our tag."""
        return NameAddr.parse(self.local).tag

    @property
    def remote_tag(self) -> str:
        """The peer's tag."""
        return NameAddr.parse(self.remote).tag

    @property
    def key(self) -> tuple[str, str, str]:
        """Call-ID, our tag, the peer's tag (RFC 3261, 12)."""
        return self.call_id, self.local_tag, self.remote_tag

    def request(self, method: str) -> SipRequest:
        """A request inside the dialog, still without Via and Contact (RFC 3261, 12.2.1.1)."""
        self.cseq += 1
        return self._make(sip.request(method, self.target), self.cseq)

    def ack(self, invite: int) -> AckRequest:
        """The ACK to the 2xx to our INVITE with this CSeq number (RFC 3261, 13.2.2.4)."""
        message = self._make(AckRequest(uri=self.target), invite)
        assert isinstance(message, AckRequest)
        return message

    def accept(self, request: SipRequest) -> None:
        """Take a request of the peer: its number must be higher than the last, and it may tell a new Contact (RFC 3261,
        12.2.2). Raises SipError, 500 for an old number."""
        number = request.cseq.number
        if request.method in ("ACK", "CANCEL"):
            return
        if self.remote_cseq is not None and number <= self.remote_cseq:
            raise SipError(f"CSeq {number} comes after {self.remote_cseq}", cause=500, clause="RFC 3261, 12.2.2")
        self.remote_cseq = number
        self.refresh(request)

    def refresh(self, message: SipRequest | SipResponse) -> None:
        """A target refresh: a request of the peer, or its 2xx to ours (RFC 3261, 12.2.1.2). The 2xx to INVITE confirms
        the dialog, and says its way anew (RFC 3261, 13.2.2.4); that to an UPDATE before does neither."""
        if message.cseq.method in _REFRESH and message.has("Contact"):
            self.target = contact_of(message)
        if not self.early or not isinstance(message, SipResponse) or message.cseq.method != "INVITE":
            return
        if 200 <= message.status < 300:
            self.early = False
            self.routes = message.all("Record-Route")[::-1]

    def _make(self, message: SipRequest, number: int) -> SipRequest:
        message.append("Max-Forwards", "70")
        for route in self.routes:
            message.append("Route", route)
        message.append("From", self.local)
        message.append("To", self.remote)
        message.append("Call-ID", self.call_id)
        message.append("CSeq", f"{number} {message.method}")
        return message


def contact_of(message: SipRequest | SipResponse) -> str:
    """The URI of its one Contact (RFC 3261, 8.1.1.8). Raises SipError."""
    contacts = message.all("Contact")
    if len(contacts) != 1 or contacts[0] == "*":
        raise SipError(f"{len(contacts)} contacts where one must stand", clause="RFC 3261, 8.1.1.8")
    return NameAddr.parse(contacts[0]).uri


def key_of(message: SipRequest | SipResponse, *, ours: bool) -> tuple[str, str, str]:
    """The key of the dialog that a message belongs to; `ours`: it is a request of ours, or the answer to one."""
    tags = (message.from_.tag, message.to.tag)
    return (message.call_id, *(tags if ours else tags[::-1]))
