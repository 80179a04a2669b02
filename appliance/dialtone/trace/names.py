# SPDX-License-Identifier: Apache-2.0
"""Who is who in a trace: the role behind a name, and the IMSI behind a label that was given before it was known."""

from collections.abc import Iterable

from dialtone.trace.bus import Event

UE, ENB, MME, SGW, PGW, HSS = "UE", "eNB", "MME", "S-GW", "S/P-GW", "HSS"
PCSCF, SCSCF, SMS = "P-CSCF", "S-CSCF", "SMS"
ROLES = (UE, ENB, MME, SGW, PGW, PCSCF, SCSCF, SMS, HSS)
"""The columns of a ladder, from left to right."""

_ELEMENTS = {"mme": MME, "sgw": SGW, "pgw": PGW, "hss": HSS, "pcscf": PCSCF, "icscf": SCSCF, "scscf": SCSCF, "sms": SMS}
_PEERS = {"NAS": UE, "SMS": UE, "S1-MME": ENB, "S11": SGW, "S5/S8": SGW, "S6a": HSS, "S1-U": ENB, "Rx": PCSCF,
          "Gm": UE, "SGd": SMS}
POINTS = ("S1-MME", "NAS", "S11", "S5/S8", "S6a", "Cx", "Rx", "Gx", "SMS", "SGd", "Gm", "Mw", "ISC", "S1-U", "Diameter")


def role(point: str, name: str) -> str:
    """The role of `name` at a reference point: elements by name (`mme`, or a host `mme.example.org`), everybody else by
    the point."""
    ours = _ELEMENTS.get(name.partition(".")[0]) or _PEERS.get(point)
    return ours or (UE if name.startswith(("ue-", "ims-", "sos-")) else name)


def column(point: str, name: str) -> str:
    """The ladder's column of one end: phones share one, an eNB keeps its own when it comes back from another port."""
    what = role(point, name)
    if what == UE:
        return UE
    host, _, port = name.rpartition(":")
    return f"{ENB} {host}" if what == ENB and host and port.isdigit() else name


LABELS = 20_000
"""Labels that are remembered: as many as a ring has events."""


class Identities:
    """Labels of contexts (`mme-ue-7`) and the IMSIs they turned out to be.

    Two kinds of event say it: a `done` event with point `identity`, and a NAS message of a phone that is
    still called by its label while the message has told whose it is. The mapping serves events from
    before it, too: a reader asks again with `imsi` after each `note` that returned a label.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._imsi: dict[str, str] = {}
        for event in events:
            self.note(event)

    def note(self, event: Event) -> str:
        """Learn from one event; returns the label that has an IMSI now, or nothing."""
        label, imsi = _says(event)
        if not label or self._imsi.get(label) == imsi:
            return ""
        self._imsi[label] = imsi
        if len(self._imsi) > LABELS:
            del self._imsi[next(iter(self._imsi))]
        return label

    def imsi(self, event: Event) -> str:
        """The IMSI the event is about; its label while that is all that is known; nothing for none."""
        return self._imsi.get(event.subject, event.subject)

    def known(self) -> dict[str, str]:
        """Label -> IMSI."""
        return dict(self._imsi)


def _says(event: Event) -> tuple[str, str]:
    """The label and the IMSI that an event joins; two empty texts for most."""
    if event.kind == "done":
        return (event.subject, event.info) if event.point == "identity" else ("", "")
    if event.point != "NAS" or not event.subject.isdigit():
        return "", ""
    phone = event.src if role("NAS", event.src) == UE else event.dst
    return ("", "") if phone.endswith(event.subject) else (phone, event.subject)


def about(events: Iterable[Event], imsi: str = "", point: str = "") -> list[Event]:
    """The events of one phone (all of them with "") at one reference point, subjects filled in."""
    kept = list(events)
    identities = Identities(kept)
    found = []
    for event in kept:
        subject = identities.imsi(event)
        if (not imsi or subject == imsi) and (not point or event.point == point):
            found.append(event if subject == event.subject else event._replace(subject=subject))
    return found
