# SPDX-License-Identifier: Apache-2.0
"""What a rule looks at: the messages of a trace, decoded, put in order, one attempt of one phone at a time.

All is derived from the octets on the wire, so that a capture of a foreign network tells the same story as
our own trace. What only our own trace knows (an expired timer) is looked at where it is there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from dialtone.codec.message import Message
from dialtone.codec.nas import decode as decode_nas
from dialtone.codec.nas import security
from dialtone.codec.nas.identities import Imsi
from dialtone.errors import ProtocolError
from dialtone.sip.flow import Flow
from dialtone.trace.bus import Event
from dialtone.trace.names import UE, about, role

_CODECS = {"S1-MME": "s1ap", "S11": "gtpc", "S5/S8": "gtpc", "S6a": "diameter", "Cx": "diameter",
           "SGd": "diameter", "SMS": "sms", "Gm": "sip", "Mw": "sip", "ISC": "sip"}
_STARTS = {"Attach request", "Service request", "Extended service request", "Tracking area update request"}
_BEARER = "Activate default EPS bearer context request"
_CARRIERS = {"InitialUEMessage", "DownlinkNASTransport", "UplinkNASTransport", "InitialContextSetupRequest"}


@dataclass(slots=True)
class Step:
    """One line of the story: an event and, where its octets are a message we know, that message."""

    event: Event
    message: Any = None
    up: bool = False  # from the phone, or from the eNB

    @property
    def name(self) -> str:
        """The message's name; that of the event where there is none."""
        return self.message.NAME if isinstance(self.message, Message) else self.event.name

    @property
    def id(self) -> int:
        """The id of the event, for the evidence."""
        return self.event.id


@dataclass(slots=True)
class Story:
    """One attempt of one phone (or all that is about no phone), and when the trace ends.

    `since_attach` begins earlier, where the attempt is one of an attached phone: with its last attach, whose
    words about calls and whose registration to IMS hold through idle times and tracking areas.
    """

    imsi: str
    steps: list[Step]
    end: float
    served: tuple[str, ...] = ()
    since_attach: "Story | None" = field(default=None, repr=False)
    _names: dict[str, list[Step]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for step in self.steps:
            if step.event.kind != "done" and step.message is not None:
                self._names.setdefault(step.name, []).append(step)

    def all(self, name: str) -> list[Step]:
        """Every message of that name, oldest first."""
        return self._names.get(name, [])

    def last(self, name: str) -> Step | None:
        """The newest message of that name."""
        return self.all(name)[-1] if self.all(name) else None

    def after(self, step: Step, name: str = "", up: bool | None = None) -> Step | None:
        """The first step after `step`, of that name and direction; NAS only when no name is given."""
        found = False
        for other in self.steps:
            if found and (other.name == name if name else other.event.point == "NAS") and (
                    up is None or other.up == up) and other.event.kind != "done":
                return other
            found = found or other is step
        return None

    def done(self, point: str, text: str = "") -> list[Step]:
        """`done` events (`timer`, `peer`, `error`) whose name or text contains `text`."""
        return [step for step in self.steps if step.event.kind == "done" and step.event.point == point
                and text in f"{step.event.name} {step.event.info}"]


def nas_message(data: bytes, downlink: bool) -> Any:
    """The NAS message in these octets, protected or not; None for what cannot be read (ciphered)."""
    try:
        return decode_nas(security.split(data).message, downlink=downlink)
    except ProtocolError:
        return None


def steps_of(events: Iterable[Event]) -> list[Step]:
    """Decode a trace. NAS is taken out of S1AP where the trace has no NAS lines of its own."""
    kept = list(events)
    own_nas = any(event.point == "NAS" for event in kept)
    found: list[Step] = []
    for event in kept:
        step = _step(event)
        found.append(step)
        if not own_nas and step.name in _CARRIERS:
            found += _nas_inside(step)
    return found


def _step(event: Event) -> Step:
    if event.kind == "done" or not event.data:
        return Step(event)
    up = role(event.point, event.src) == UE or event.dst == "mme"
    if event.point == "NAS":
        return Step(event, nas_message(event.plain or event.data, downlink=not up), up)
    codec = _CODECS.get(event.point)
    try:
        return Step(event, import_module(f"dialtone.codec.{codec}").decode(event.data) if codec else None, up)
    except ProtocolError:
        return Step(event, None, up)


def _nas_inside(step: Step) -> Iterator[Step]:
    message = step.message
    parcels = [getattr(message, "nas_pdu", None)]
    parcels += [getattr(item, "nas_pdu", None) for item in getattr(message, "e_rab_to_be_setup_list", None) or ()]
    for data in parcels:
        if data:
            inner = nas_message(data, downlink=not step.up)
            name = inner.NAME if inner is not None else "ciphered"
            yield Step(step.event._replace(point="NAS", name=name, data=data), inner, step.up)


def correlate(events: Iterable[Event]) -> list[Event]:
    """Give subjects to the S1AP lines of a foreign capture: by UE S1AP IDs, and the IMSI once it is said.

    A trace of ours has subjects: labels are replaced by IMSIs, what is about an address is given to its phone, and
    where phones are simulated in the same process, what they trace once more is left out.
    """
    kept = list(events)
    if any(event.subject for event in kept):
        return _owned(about(_once(kept)))
    label: dict[tuple[str, int], str] = {}
    known: dict[str, str] = {}
    named: list[Event] = []
    for event in kept:
        step = _step(event)
        number = getattr(step.message, "enb_ue_s1ap_id", None)
        enb = event.src if step.up else event.dst
        if number is not None:
            key = (enb, number)
            if step.name == "InitialUEMessage" or key not in label:
                label[key] = f"{enb}-ue-{number}-{event.id}"
            event = event._replace(subject=label[key])
            for inner in _nas_inside(step):
                if imsi := _imsi_in(inner.message):
                    known[event.subject] = imsi
        elif user := getattr(step.message, "user_name", None) or getattr(step.message, "imsi", None):
            event = event._replace(subject=str(user))
        named.append(event)
    return [event._replace(subject=known.get(event.subject, event.subject)) for event in named]


def _simulated(event: Event) -> bool:
    """Whether a simulated phone traced this."""
    return (event.dst if event.kind == "rx" else event.src).startswith(("ue-", "ims-"))


def _once(events: list[Event]) -> list[Event]:
    heard = {(event.point, event.data) for event in events if event.data and not _simulated(event)}
    return [event for event in events if not (_simulated(event) and (event.point, event.data) in heard)]


def _owned(events: list[Event]) -> list[Event]:
    """Connections, SAs and unknown identities are known by addresses: whose these are, the bearer tells, or the SIP on
    them (or the name of a simulated phone)."""
    owner: dict[str, str] = {}
    found = []
    for event in events:
        far = Flow.find(event.name if event.point == "peer" else event.dst if event.kind == "tx" else event.src)
        if event.subject.isdigit():
            if event.point == "Gm" and far is not None and not _simulated(event):
                owner[far.host] = event.subject
            elif event.name == _BEARER and (address := getattr(_step(event).message, "pdn_address", None)):
                owner[str(address.ipv4)] = event.subject
        elif event.src.startswith("ims-"):
            event = event._replace(subject=event.src.removeprefix("ims-"))
        elif (imsi := owner.get(event.subject) or owner.get(far.host if far else "")) is not None:
            event = event._replace(subject=imsi)
        found.append(event)
    return found


def _imsi_in(message: Any) -> str:
    identity = getattr(message, "eps_mobile_identity", None) or getattr(message, "mobile_identity", None)
    return str(identity) if isinstance(identity, Imsi) else ""


def stories(events: Iterable[Event], imsi: str = "", served: tuple[str, ...] = ()) -> list[Story]:
    """The last attempt of each phone (or of the one given), and before them what is about no phone."""
    kept = correlate(events)
    end = kept[-1].time if kept else 0.0
    phones: dict[str, list[Event]] = {}
    for event in kept:
        phones.setdefault(event.subject if event.subject.isdigit() or "ue" in event.subject else "", []).append(event)
    general = phones.pop("", [])
    found = [] if imsi else [Story("", steps_of(general), end, served)]
    for subject, mine in phones.items():
        if not imsi or subject == imsi:
            steps = steps_of(mine)
            whole = Story(subject, _since(steps, {"Attach request"}), end, served)
            found.append(Story(subject, _since(steps, _STARTS), end, served, whole))
    return found


def _since(steps: list[Step], names: set[str]) -> list[Step]:
    """From the last of these initial messages on (a retry within one attempt repeats it, and starts anew)."""
    starts = [place for place, step in enumerate(steps) if step.up and step.event.point == "NAS"
              and step.name in names]
    if not starts:
        return steps
    carried = starts[-1] and steps[starts[-1] - 1].event.point == "S1-MME"
    return steps[starts[-1] - bool(carried):]
