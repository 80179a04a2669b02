# SPDX-License-Identifier: Apache-2.0
"""Requests of the gateway about bearers (TS 29.274, 7.2.3, 7.2.9.2, 7.2.15): whose they are, and their one answer."""

from dataclasses import dataclass, field
from typing import Any

from dialtone.codec.gtpc import (
    CauseValue,
    CreateBearerRequest,
    CreateBearerResponse,
    DeleteBearerRequest,
    DeleteBearerResponse,
    GtpcError,
    UpdateBearerRequest,
    UpdateBearerResponse,
    refusal,
)
from dialtone.codec.gtpc.values import Cause
from dialtone.codec.message import Message
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, SendOctets
from dialtone.errors import ProtocolError
from dialtone.mme.context import Failure, Pdn, Ue
from dialtone.mme.element import Mme


@dataclass(slots=True)
class Task:
    """A request that concerns several bearers: answered by a `kind` once the last of them has come to its end."""

    rx: Rx
    kind: type[Any]
    teid: int
    awaited: int
    contexts: list[Any] = field(default_factory=list)
    asked: Any = None  # the phone's request that began it all

    def done(self, context: Any) -> Effects:
        """One bearer has come to its end, with this bearer context in the answer."""
        self.contexts.append(context)
        if len(self.contexts) == self.awaited:
            yield Answer(self.kind(teid=self.teid, cause=self._cause(), bearer_contexts=tuple(self.contexts)),
                         to=self.rx)

    def _cause(self) -> Cause:
        """Accepted, partially accepted, or the first refusal (TS 29.274, 7.2.4)."""
        accepted = [context.cause.accepted for context in self.contexts]
        if all(accepted):
            return Cause(CauseValue.REQUEST_ACCEPTED)
        if any(accepted):
            return Cause(CauseValue.REQUEST_ACCEPTED_PARTIALLY)
        return Cause(self.contexts[0].cause.value)


UNREACHED = Failure(CauseValue.UNABLE_TO_PAGE_UE, "the phone cannot be reached")

ANSWERS: dict[type[Message] | None, type[Any]] = {
    CreateBearerRequest: CreateBearerResponse,
    UpdateBearerRequest: UpdateBearerResponse,
    DeleteBearerRequest: DeleteBearerResponse,
}


def refuse(mme: Mme, error: ProtocolError, rx: Rx) -> Effects:
    """A response with the cause, to a request that has one (TS 29.274, 7.7)."""
    ue = mme.by_s11_teid.get(getattr(rx.message or error, "teid", None) or 0)
    teid = next((pdn.s11_teid for pdn in ue.pdns.values()), 0) if ue is not None else 0
    if isinstance(error, GtpcError):
        if (octets := refusal(error, teid)) is not None:
            yield SendOctets(rx.point, rx.peer, f"refusal, cause {error.cause}", octets)
    elif error.cause is not None and (kind := ANSWERS.get(type(rx.message) if rx.message else None)) is not None:
        yield Answer(kind(teid=teid, cause=Cause(error.cause)))


def phone_of(mme: Mme, teid: int | None, rx: Rx) -> Ue:
    """The phone of our TEID; raises ProtocolError with cause Context Not Found."""
    ue = mme.by_s11_teid.get(teid or 0)
    if ue is None or not ue.pdns:
        raise ProtocolError(f"TEID {teid or 0:#x} names no phone", cause=CauseValue.CONTEXT_NOT_FOUND,
                            clause="TS 29.274, 7.2.3")
    rx.subject, rx.state = ue.label, ue.emm
    return ue


def pdn_of(ue: Ue, linked_ebi: int) -> Pdn:
    """The PDN connection of a default bearer; raises likewise."""
    pdn = next((pdn for pdn in ue.pdns.values() if pdn.ebi == linked_ebi and not pdn.leaving), None)
    if pdn is None:
        raise ProtocolError(f"EBI {linked_ebi} is no default bearer of {ue.label}", cause=CauseValue.CONTEXT_NOT_FOUND,
                            clause="TS 29.274, 7.2.3")
    return pdn
