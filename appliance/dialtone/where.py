# SPDX-License-Identifier: Apache-2.0
"""The message index: who handles, sends and declares each message, timer and event.

`dialtone where` asks it, docs/messages.md is printed from it. It reads the tables of dispatch.py and the
classes of codec/, and for the senders the places where an element makes a message; nothing is kept by hand
but `beside`: what is handled without a table of handlers.
"""

import ast
import difflib
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import dialtone
from dialtone import codec
from dialtone.codec.message import Message
from dialtone.dispatch import ALL

ROOT = Path(dialtone.__file__).parent.parent.parent
CORE = ("mme", "pgw", "gtp", "hss", "pcscf", "scscf", "sms", "answer", "datapath")
SIMULATED = ("enb", "ue", "ims")
POINTS = {"s1ap": "S1-MME", "nas": "NAS", "gtpc": "S11", "diameter": "S6a", "gtpu": "S1-U", "sip": "Gm", "sms": "SMS"}
"""Codec package -> the reference point its messages travel on."""


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the index. `role` is `handled by`, `sent by`, `declared as`, or `no handler` (then `note` says
    what the message is answered with); `thing` is the function or class that stands there."""

    role: str
    element: str
    point: str
    what: str
    clause: str
    thing: Any = None
    message: type[Message] | None = None
    note: str = ""
    lineno: int = 0

    @property
    def name(self) -> str:
        """The function or class."""
        return str(self.thing.__qualname__) if self.thing else ""

    @property
    def file(self) -> str:
        """Relative to the root of the repository, where it lies in one."""
        if self.thing is None:
            return ""
        file = Path(inspect.getsourcefile(self.thing) or "?")
        return str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file)

    @property
    def line(self) -> int:
        """Line number, 1 for the first; 0 where nothing stands."""
        if self.thing is None:
            return 0
        return self.lineno or inspect.getsourcelines(self.thing)[1]

    @property
    def simulated(self) -> bool:
        """Whether it belongs to the simulated eNB and phones."""
        return self.element in SIMULATED


def load() -> list[ModuleType]:
    """Import every element and every codec, so that their tables are full; returns the elements' modules."""
    for module in pkgutil.walk_packages(codec.__path__, "dialtone.codec."):
        importlib.import_module(module.name)
    found = []
    for name in ("mme", "pgw", "gtp", "hss", "sip", "pcscf", "scscf", "sms", "answer", "sim", "datapath"):
        package = importlib.import_module(f"dialtone.{name}")
        found += [importlib.import_module(module.name)
                  for module in pkgutil.walk_packages(package.__path__, f"dialtone.{name}.")]
    return found


def beside() -> Iterator[Place]:
    """What is handled without a table of handlers: user data, the cipher's shell, messages inside messages."""
    from dialtone.codec import gtpu, nas, s1ap
    from dialtone.datapath.forwarder import Forwarder
    from dialtone.datapath.path import Path as GtpuPath
    from dialtone.mme import attach, context_setup, nas_link
    from dialtone.sim import attach as phone_attach

    for message, handler in ((gtpu.GPdu, Forwarder.uplink), (gtpu.EchoRequest, GtpuPath.manage),
                             (gtpu.ErrorIndication, GtpuPath.manage)):
        yield Place("handled by", "datapath", "S1-U", message.NAME, message.CLAUSE, handler, message)
    inner = nas.PDNConnectivityRequest
    yield Place("handled by", "mme", "NAS", inner.NAME, inner.CLAUSE, attach.on_attach_request, inner,
                "inside the Attach request")
    inner_request = nas.ActivateDefaultEPSBearerContextRequest
    yield Place("handled by", "ue", "NAS", inner_request.NAME, inner_request.CLAUSE, phone_attach.on_attach_accept,
                inner_request, "inside the Attach accept")
    inner_reject = nas.PDNConnectivityReject
    yield Place("handled by", "ue", "NAS", inner_reject.NAME, inner_reject.CLAUSE, phone_attach.on_attach_reject,
                inner_reject, "inside the Attach reject")
    # Two names of tshark's that are no message of ours: its word for what it cannot decipher, and the RRC
    # message inside an S1AP one, which the MME keeps and never reads.
    yield Place("handled by", "mme", "NAS", "Ciphered message", "TS 24.301, 4.4.5", nas_link.NasLink.up,
                note="deciphered here; the trace holds the plain form beside it")
    radio = s1ap.UECapabilityInfoIndication
    yield Place("handled by", "mme", "S1-MME", "UECapabilityInformation", "TS 36.331, 6.2.2",
                context_setup.on_ue_capability_info_indication, note=f"RRC inside {radio.NAME}, kept unread")


def handlers() -> Iterator[Place]:
    """Every handler of every element: messages, timers, events."""
    for table in ALL:
        if table.element in CORE + SIMULATED:
            for entry in table.entries():
                message = entry.message if entry.point not in ("timer", "event") else None
                yield Place("handled by", table.element, entry.point, entry.what, entry.clause, entry.handler, message)


def messages() -> Iterator[Place]:
    """Every message of every codec: where its table of information elements stands."""
    waiting = Message.__subclasses__()
    while waiting:
        cls = waiting.pop(0)
        waiting += cls.__subclasses__()
        if cls.NAME and cls.__module__.startswith("dialtone.codec."):
            protocol = cls.__module__.split(".")[2]
            yield Place("declared as", protocol, POINTS[protocol], cls.NAME, cls.CLAUSE, cls, cls)


def senders(modules: list[ModuleType]) -> Iterator[Place]:
    """Every function of an element that makes a message."""
    for module in modules:
        element = _element_of(module)
        for node in ast.parse(inspect.getsource(module)).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            made: dict[type[Message], int] = {}
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and (cls := _message(module, call.func)) is not None:
                    made.setdefault(cls, call.lineno)
            for cls, line in made.items():
                yield Place("sent by", element, POINTS[cls.__module__.split(".")[2]], cls.NAME, cls.CLAUSE,
                            module.__dict__[node.name], cls, lineno=line)


def _element_of(module: ModuleType) -> str:
    """The element a module belongs to; in sim/ by the table of handlers that it fills."""
    package = module.__name__.split(".")[1]
    if package != "sim":
        return package
    if module.__name__.startswith("dialtone.sim.ims"):
        return "ims"
    on = getattr(module, "on", None)
    return getattr(on, "element", "enb" if module.__name__.endswith(("enb", "ue_context", "nas_transport")) else "ue")


def _message(module: ModuleType, function: ast.expr) -> type[Message] | None:
    """The message class that an expression names in a module, None for anything else."""
    match function:
        case ast.Name(id=name):
            found = module.__dict__.get(name)
        case ast.Attribute(value=ast.Name(id=package), attr=name):
            found = getattr(module.__dict__.get(package), name, None)
        case _:
            return None
    return found if isinstance(found, type) and issubclass(found, Message) and found.NAME else None


def unhandled(place: Place) -> str:
    """What the core does with a message that it can read and nobody handles (tests/flows/test_names.py shows it)."""
    if place.point == "S1-MME":
        return "refused with Error Indication, cause protocol: message-not-compatible-with-receiver-state"
    if place.point == "S1-U":
        return "dropped in silence"
    if place.point in ("S11", "S6a") and re.search("(Response|Answer|Acknowledge)$", place.name):
        return "dropped: it answers no request of ours"
    if place.point == "NAS":
        return "answered with EMM status or ESM status, cause #97 (message type not implemented)"
    if place.point == "S6a":
        return "refused with Result-Code 3001 (DIAMETER_COMMAND_UNSUPPORTED)"
    return "discarded, traced and counted as refused"


@cache
def index() -> tuple[Place, ...]:
    """Everything, handlers first."""
    modules = load()
    places = [*handlers(), *beside(), *senders(modules), *messages()]
    told = {place.message for place in places if place.element in CORE}
    told |= {place.message for place in places if place.message and any(base in told for base in place.message.__mro__)}
    places += [Place("no handler", "core", place.point, place.what, place.clause, message=place.message,
                     note=unhandled(place))
               for place in places if place.role == "declared as" and place.message not in told]
    return tuple(places)


# ---- finding -----------------------------------------------------------------------------------------------


def squeeze(text: str) -> str:
    """Case, spaces, hyphens and underscores do not count."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def clean(text: str) -> str:
    """What tshark puts around a name: `cmd=...(318)`, `id-...`, `... [NAS-cause=detach]`, `... (EPS detach)`, `Request:
    INVITE sip:...`, `Status: 200 OK (INVITE)`; the latter is also what our trace calls it."""
    if found := re.fullmatch(r"Request: (\S+) .*|(?:Status: )?[1-6]\d\d .*\(([A-Z]+)\).*", text.strip()):
        return found[1] or f"{found[2]} response"
    return re.sub(r"^(cmd=|id-)|\s*[(\[].*", "", text.strip())


@cache
def names(place: Place) -> frozenset[str]:
    """Everything the place may be called, squeezed: name, class, function, abbreviation."""
    found = {place.what, place.what.removeprefix("3GPP-")}
    if place.message is not None:
        found.add(place.message.__name__)
        words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", place.what.removeprefix("3GPP-"))
        if place.point in ("S6a", "S11"):  # AIR, ULA, CSR
            found.add("".join(word[0] for word in words))
        elif len(words) > 3:  # TAU request, ICS request
            found.add("".join(word[0] for word in words[:-1]) + words[-1])
    if place.role == "handled by":
        found.add(place.name.rpartition(".")[2])
    return frozenset(map(squeeze, found))


def find(*words: str) -> list[Place]:
    """The places whose name is `words`, else those that have every word somewhere in name, element or point."""
    text = clean(" ".join(words))
    wanted = squeeze(text)
    if not wanted:
        return []
    exact = [place for place in index() if wanted in names(place)]
    found = exact or [place for place in index() if _fits(place, wanted, text.split())]
    return sorted(found, key=lambda place: place.point in ("timer", "event"))


def _fits(place: Place, wanted: str, words: list[str]) -> bool:
    if any(wanted in name for name in names(place)):
        return True
    text = " ".join((*names(place), squeeze(place.element), squeeze(place.point)))
    return all(squeeze(word) in text for word in words)


def suggest(*words: str) -> list[str]:
    """Names that look like `words`, for who mistyped."""
    known: dict[str, str] = {}
    for place in index():
        for name in names(place):
            known.setdefault(name, place.what)
    close = difflib.get_close_matches(squeeze(clean(" ".join(words))), known, n=8, cutoff=0.65)
    return list(dict.fromkeys(known[name] for name in close))[:4]


