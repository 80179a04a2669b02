# SPDX-License-Identifier: Apache-2.0
"""The duties of a stateful proxy (RFC 3261, 16) that both CSCFs share.

    context = proxy.receive(msg, rx)                      # 16.3, 16.4: raises what is to be answered
    yield from proxy.forward(context, [Target(...)])      # 16.6: one branch for each target
    yield from proxy.answered(msg, rx)                    # 16.7: in the handler of SipResponse
    yield from proxy.cancelled(rx)                        # 16.10: in the handler of CancelRequest
    yield from proxy.unanswered(event)                    # 16.9: in that of a request without answer
    yield from proxy.expired(key)                         # 16.8: in that of Timer C

An ACK has no context, and is sent on. Via and the retransmissions are the transactions' (sip/transactions.py).
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from dialtone.codec import sip
from dialtone.codec.sip import AckRequest, InviteRequest, NameAddr, SipError, SipRequest, SipResponse, SipUri, TelUri
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Request, Send, StartTimer, StopTimer, Unanswered
from dialtone.sip import timers
from dialtone.sip.client import cancel_of

TIMER_C = "Timer C"
MAX_FORWARDS = 70
_RECORDED = {"INVITE", "SUBSCRIBE", "REFER", "NOTIFY"}
_PREFERRED = (401, 407, 415, 420, 484)  # of class 4 (RFC 3261, 16.7, 6)
_CHALLENGES = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}


@dataclass(slots=True)
class Target:
    """Where a branch goes: the reference point and the peer there. `uri` is the new Request-URI, unless it stays;
    `route` stands before the Route it has; `change` makes the last changes to the copy."""

    point: str
    peer: str
    uri: str = ""
    route: Sequence[str] = ()
    change: Callable[[SipRequest], None] | None = None


@dataclass(slots=True, eq=False)
class Context:
    """A request on its way through (RFC 3261, 16.2). `route` is the URI of ours that stood on top of its Route: the
    `orig` or `term` of a CSCF; `key` is that of its timer, and of its CANCEL; `change` makes the last changes to each
    answer. `settle` may take a refusal over: then it returns what is done instead, such as trying other targets,
    otherwise None and the refusal goes back."""

    request: SipRequest
    rx: Rx
    mark: tuple[Hashable, ...]
    key: Hashable = field(init=False)
    route: SipUri | None = None
    branches: list["Branch"] = field(default_factory=list)
    change: Callable[[SipResponse], None] | None = None
    about: Hashable = None  # what the element knows it by: a call
    over: bool = False  # a final answer went back
    cancelled: bool = False
    settle: Callable[[SipResponse], Effects | None] | None = None

    def __post_init__(self) -> None:
        self.key = self.rx.transaction.key if self.rx.transaction is not None else None  # an ACK has none


@dataclass(slots=True, eq=False)
class Branch:
    """One copy of the request; the context of the client transaction's answers."""

    context: Context
    target: Target
    message: SipRequest
    final: SipResponse | None = None
    rang: bool = False

    @property
    def pending(self) -> bool:
        """Whether its final answer is still to come."""
        return self.final is None


@dataclass(slots=True)
class Proxy:
    """What one element has on its way. `own` says whether a URI names this element (in Route, Via or Request-URI);
    `extensions` are the option tags that it understands in Proxy-Require."""

    own: Callable[[SipUri], bool]
    extensions: frozenset[str] = frozenset()
    contexts: dict[Hashable, Context] = field(default_factory=dict)

    # ---- 16.3 and 16.4 -----------------------------------------------------------------------------

    def receive(self, request: SipRequest, rx: Rx) -> Context:
        """Validate a request and take our own Route off. Raises SipError with what is to be answered."""
        check_uri(request.uri)
        _ = hops_left(request)
        mark = _mark(request)
        if self._passed(request) and any(mark == context.mark for context in self.contexts.values()):
            raise SipError("the request came round in a circle", cause=482, clause="RFC 3261, 16.3")
        understand(request, "Proxy-Require", self.extensions)
        context = Context(request, rx, mark)
        self._strict(request)
        first = request.first("Route")
        if first is not None and (uri := uri_of(first)) is not None and self.own(uri):
            request.pop("Route")
            context.route = uri
        return context

    def _strict(self, request: SipRequest) -> None:
        """A strict router put the Route we had given into the Request-URI (RFC 3261, 16.4)."""
        routes = request.all("Route")
        uri = SipUri.parse(request.uri) if request.uri.lower().startswith(("sip:", "sips:")) else None
        if routes and uri is not None and "lr" in uri.params and self.own(uri):
            request.uri = NameAddr.parse(routes[-1]).uri
            request.set("Route", *routes[:-1])
            request.prepend("Route", f"<{uri}>")

    def _passed(self, request: SipRequest) -> bool:
        """Whether one of its Vias is ours."""
        vias = (sip.Via.parse(value) for value in request.all("Via")[1:])
        return any(self.own(SipUri(via.host.lower(), port=via.port)) for via in vias)

    # ---- 16.6 ------------------------------------------------------------------------------------------

    def forward(self, context: Context, targets: Sequence[Target], record: Sequence[str] = (),
                change: Callable[[SipResponse], None] | None = None) -> Effects:
        """Send the request on to all targets at once. `record` are Record-Route values, the last of them on top."""
        request = context.request
        if isinstance(request, AckRequest):
            for target in targets:
                yield Send(target.point, target.peer, _copy(request, target, ()))
            return
        if not targets:
            raise SipError("there is nobody to send it to", cause=480, clause="RFC 3261, 16.5")
        context.change = change
        self.contexts[context.key] = context
        for target in targets:
            branch = Branch(context, target, _copy(request, target, record))
            context.branches.append(branch)
        if isinstance(request, InviteRequest):
            yield StartTimer(TIMER_C, context.key, timers.seconds("C", timers.CORE))
        for branch in context.branches:
            yield Request(branch.target.point, branch.target.peer, branch.message, branch)

    # ---- 16.7 to 16.10 ---------------------------------------------------------------------------------

    def answered(self, answer: SipResponse, rx: Rx) -> Effects:
        """An answer to a branch: provisional ones and every 2xx go back at once, of the others the best one when all
        branches have ended."""
        branch = rx.request.context if rx.request is not None else None
        if not isinstance(branch, Branch):
            return
        context = branch.context
        rx.subject = rx.subject or context.rx.subject
        if answer.final:
            branch.final = answer
        if answer.status == 100:
            branch.rang = True
        elif answer.status < 200:
            branch.rang = True
            if not context.over:
                if isinstance(context.request, InviteRequest):
                    yield StartTimer(TIMER_C, context.key, timers.seconds("C", timers.CORE))
                yield self._back(context, answer)
        elif answer.status < 300:
            if not context.over or isinstance(context.request, InviteRequest):
                yield self._back(context, answer)
            yield from self._end(context)
        else:
            if answer.status >= 600:
                yield from self._cancel(context)
            yield from self._best(context)

    def unanswered(self, event: Unanswered) -> Effects:
        """A branch stays without an answer. Its request gets 408 for that if it is an INVITE; otherwise nothing, since
        its sender has given up as we have (RFC 4320, 4.2)."""
        branch = event.request.context
        if not isinstance(branch, Branch):
            return
        branch.final = sip.response(branch.context.request, 408)
        yield from self._best(branch.context)

    def cancelled(self, rx: Rx) -> Effects:
        """A CANCEL came for a request that is on its way: its branches are given up (RFC 3261, 16.10)."""
        context = self.contexts.get(rx.cancels.transaction.key) if rx.cancels is not None else None
        if context is not None:
            rx.subject = rx.subject or context.rx.subject
            context.cancelled = True
            yield from self._cancel(context)

    def give_up(self, context: Context, answer: SipResponse) -> Effects:
        """Answer a request ourselves, and give its branches up."""
        if not context.over:
            yield self._back(context, answer)
            yield from self._end(context)

    def expired(self, key: Hashable) -> Effects:
        """Timer C: nobody has answered for three minutes (RFC 3261, 16.8)."""
        context = self.contexts.get(key)
        if context is not None:
            for branch in context.branches:
                if branch.pending and not branch.rang:
                    branch.final = sip.response(context.request, 408)
            yield from self._cancel(context)
            yield from self._best(context)

    # ---- inside ------------------------------------------------------------------------------------------

    def _back(self, context: Context, answer: SipResponse) -> Answer:
        if context.change is not None:
            context.change(answer)
        return Answer(answer, to=context.rx)

    def _best(self, context: Context) -> Effects:
        finals = [branch.final for branch in context.branches if branch.final is not None]
        if context.over or len(finals) < len(context.branches):
            return
        best = best_of(finals)
        if context.settle is not None and not context.cancelled and (instead := context.settle(best)) is not None:
            context.branches = []
            yield from instead
            return
        if best.status == 408 and not isinstance(context.request, InviteRequest):
            yield from self._end(context)
            return
        if best.status == 503:  # only we know that this way is closed (RFC 3261, 16.7, 6)
            best = sip.response(context.request, 500)
        challenge = _CHALLENGES.get(best.status)
        for other in finals if challenge else ():
            if other is not best and other.status in _CHALLENGES:
                for name in _CHALLENGES.values():
                    for value in other.all(name):
                        best.append(name, value)
        yield self._back(context, best)
        yield from self._end(context)

    def _end(self, context: Context) -> Effects:
        if context.over:
            return
        context.over = True
        self.contexts.pop(context.key, None)
        if isinstance(context.request, InviteRequest):
            yield StopTimer(TIMER_C, context.key)
            yield from self._cancel(context)
        context.branches, context.settle = [], None  # nobody decides any more

    def _cancel(self, context: Context) -> Effects:
        for branch in context.branches:
            if branch.pending and isinstance(context.request, InviteRequest):
                yield Request(branch.target.point, branch.target.peer, cancel_of(branch.message))


def best_of(answers: Iterable[SipResponse]) -> SipResponse:
    """The final answer to give: any 6xx, else the lowest class, of 4xx those that help to try again (RFC 3261,
    16.7, 6)."""

    def rank(answer: SipResponse) -> tuple[int, int]:
        kind = answer.status // 100
        preference = _PREFERRED.index(answer.status) if answer.status in _PREFERRED else len(_PREFERRED)
        return (0 if kind == 6 else kind, preference + (answer.status in (408, 503)))

    return min(answers, key=rank)


def check_uri(uri: str) -> None:
    """Raises SipError with 416 for a Request-URI that nobody here routes (RFC 3261, 16.3), 400 for a wrong one."""
    scheme = uri.partition(":")[0].lower()
    if scheme == "tel":
        TelUri.parse(uri)
    elif not uri.lower().startswith("urn:service:") and SipUri.parse(uri).headers:
        raise SipError("there are headers in the Request-URI", clause="RFC 3261, 19.1.1")


def hops_left(request: SipRequest) -> int:
    """Max-Forwards, 70 where it is missing. Raises SipError: 483 when it is used up, 400 for what is no number."""
    text = request.first("Max-Forwards")
    if text is None:
        return MAX_FORWARDS
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > 255:
        raise SipError(f"Max-Forwards is {text[:20]!r}", clause="RFC 3261, 20.22")
    if text.strip("0") == "":
        raise SipError("no hops are left", cause=483, clause="RFC 3261, 16.3")
    return int(text)


def understand(request: SipRequest, field_name: str, extensions: frozenset[str]) -> None:
    """Raises SipError, 420 with Unsupported, for option tags of Require or Proxy-Require that are not among these
    (RFC 3261, 8.2.2.3, 16.3)."""
    unknown = sorted(request.options(field_name) - extensions)
    if unknown and not isinstance(request, AckRequest):
        raise SipError(f"{', '.join(unknown)} is not supported", cause=420, clause="RFC 3261, 16.3",
                       headers=(("Unsupported", ", ".join(unknown)),))


def uri_of(value: str) -> SipUri | None:
    """The SIP URI of a Route or Contact; None for another URI. Raises SipError."""
    uri = NameAddr.parse(value).uri
    return SipUri.parse(uri) if uri.lower().startswith(("sip:", "sips:")) else None


def next_hop(request: SipRequest) -> str:
    """The URI a request goes to: its topmost Route, else the Request-URI (RFC 3261, 16.6, 7)."""
    route = request.first("Route")
    return request.uri if route is None else NameAddr.parse(route).uri


def _copy(request: SipRequest, target: Target, record: Sequence[str]) -> SipRequest:
    """The copy of one branch (RFC 3261, 16.6, 1 to 6)."""
    copy = request.copy()
    copy.uri = target.uri or request.uri
    copy.set("Max-Forwards", str(hops_left(request) - 1))
    if request.method in _RECORDED:
        for value in record:
            copy.prepend("Record-Route", value)
    for value in reversed(target.route):
        copy.prepend("Route", value)
    first = copy.first("Route")
    if first is not None and (uri := uri_of(first)) is not None and "lr" not in uri.params:  # a strict router
        copy.pop("Route")
        copy.append("Route", f"<{copy.uri}>")
        copy.uri = str(uri)
    if target.change is not None:
        target.change(copy)
    return copy


def _mark(request: SipRequest) -> tuple[Hashable, ...]:
    """What makes a request that comes again the same one (RFC 3261, 16.6, 8)."""
    return (request.call_id, request.from_.tag, request.to.tag, request.first("CSeq"), request.uri,
            tuple(request.all("Route")), tuple(request.all("Proxy-Require")))
