# SPDX-License-Identifier: Apache-2.0
"""Who is who in a capture: element names as our own trace has them, reference points, subjects. In an all-in-one core
one address is many elements, so it takes the protocol, the port and the direction to tell.
"""

from collections import Counter
from collections.abc import Iterator

from dialtone.sip.flow import Flow
from dialtone.trace.bus import Event
from dialtone.trace.capture.draft import Draft, Facts, SipFacts
from dialtone.trace.capture.find import End
from dialtone.trace.pcapng import DISSECTORS

_DIAMETER = {point for point, dissector in DISSECTORS.items() if dissector == "diameter"}
_ELEMENTS = {"mme", "pgw", "hss", "pcrf", "pcscf", "icscf", "scscf", "sms"}
_CSCFS = ("pcscf", "icscf", "scscf")
_FROM_LEFT = {"Create Session Request", "Modify Bearer Request", "Delete Session Request", "Bearer Resource Command",
              "Modify Bearer Command", "Delete Bearer Command", "Release Access Bearers Request",
              "Create Bearer Response", "Update Bearer Response", "Delete Bearer Response"}
"""Messages of GTPv2-C from the side of the phone."""


class Names:
    """Names by role and address: the first MME is `mme`, another one `mme.2`; eNBs are counted from 1."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], str] = {}
        self._count: Counter[str] = Counter()

    def name(self, role: str, address: str) -> str:
        """The name of an element; its address where the role is not known."""
        if not role:
            return address or "?"
        if (role, address) not in self.known:
            self._count[role] += 1
            number = self._count[role]
            self.known[role, address] = f"{role}{number}" if role == "enb" else (
                role if number == 1 else f"{role}.{number}")
        return self.known[role, address]


class Naming:
    """Turns drafts into events, when all of them have been read."""

    def __init__(self, drafts: list[Draft], facts: Facts) -> None:
        self.drafts = drafts
        self.facts = facts
        self.names = Names()
        self._cscf: dict[End, str] = {}
        self._sole: dict[str, str] = {}

    def events(self) -> Iterator[Event]:
        """The drafts, in order of time, with everybody's name."""
        self.drafts.sort(key=lambda draft: draft.time)
        self._find_phones()
        self._find_gateways()
        self._find_cscfs()
        for draft in self.drafts:
            if draft.sip is not None:
                self._sip(draft, draft.sip)
            elif not draft.point:
                self._gtpc(draft)
        self._find_diameter()
        for number, draft in enumerate(self.drafts, 1):
            subject = self.facts.phones.subject(draft.phone)
            yield Event(number, draft.time, "rx", draft.point, self._end(draft, 0, subject),
                        self._end(draft, 1, subject), draft.name, subject, f"frame {draft.frame}", data=draft.data,
                        plain=draft.plain, info=draft.info)

    def _end(self, draft: Draft, which: int, subject: str) -> str:
        end, other = (draft.src, draft.dst) if not which else (draft.dst, draft.src)
        role = draft.roles[which]
        if role != "ue":
            address = end.address
            if draft.point in _DIAMETER:
                address = self._sole.get(role) or self.facts.hosts.get(end, address)
            return self.names.name(role, address)
        if draft.point == "Gm":
            return str(Flow(draft.transport if draft.transport == "tcp" else "udp", end.address, end.port, other.port))
        return (subject if subject.startswith("ue-") else f"ue-{subject}") if subject else "ue-?"

    # ---- phones and gateways ---------------------------------------------------------------------

    def _find_phones(self) -> None:
        """What comes out of an eNB's tunnel is a phone's, and the tunnel, too."""
        enbs, phones = self.facts.enbs, self.facts.phones
        for (src, dst, teid), ends in self.facts.tunnels.items():
            if src in enbs or dst in enbs:
                address = ends[0] if src in enbs else ends[1]
                self.facts.addresses.add(address)
                phones.of(("teid", dst, teid), ("ip", address))
    def _find_gateways(self) -> None:
        """Whoever speaks GTPv2-C with an MME is an S-GW, whoever else with that a P-GW."""
        roles = self.facts.gtpc
        roles.update({end.address: "mme" for end in self.facts.mmes if end.address not in roles})
        pairs = {(draft.src.address, draft.dst.address) for draft in self.drafts
                 if not draft.point and draft.sip is None}
        for ours, next_one in (("mme", "sgw"), ("sgw", "pgw")):
            for pair in sorted(pairs):
                for one, other in (pair, pair[::-1]):
                    if roles.get(one) == ours:
                        roles.setdefault(other, next_one)

    def _gtpc(self, draft: Draft) -> None:
        roles = self.facts.gtpc
        left = ("mme", "sgw") if draft.name in _FROM_LEFT else ("sgw", "mme")
        known = roles.get(draft.src.address, ""), roles.get(draft.dst.address, "")
        draft.roles = known if all(known) else left
        draft.point = "S11" if "mme" in draft.roles else "S5/S8"

    def _find_diameter(self) -> None:
        """An element has other addresses for Diameter: where there is only one of its kind, it is that one. Messages
        about a connection itself are of those whose names tell what they are."""
        seen: dict[str, set[str]] = {}
        for draft in self.drafts:
            if draft.point not in _DIAMETER:
                for role, end in zip(draft.roles, (draft.src, draft.dst), strict=True):
                    seen.setdefault(role, set()).add(end.address)
            elif draft.roles == ("", ""):
                draft.roles = self._called(draft.src), self._called(draft.dst)
        self._sole = {role: next(iter(addresses)) for role, addresses in seen.items() if role and len(addresses) == 1}

    def _called(self, end: End) -> str:
        label = self.facts.hosts.get(end, "").partition(".")[0]
        return label if label in _ELEMENTS else ""

    # ---- SIP -------------------------------------------------------------------------------------

    def _find_cscfs(self) -> None:
        """By whom a REGISTER has passed; by the host that a request is for; by talking to phones."""
        texts = [draft.sip for draft in self.drafts if draft.sip is not None]
        registers = [text for text in texts if text.request and text.method == "REGISTER"]
        longest = max((text.vias for text in registers), default=0)
        order = ("pcscf", "scscf") if longest < 3 else _CSCFS
        for text in registers:
            if text.vias <= len(order):
                self._cscf.setdefault(text.receiver, order[text.vias - 1])
            if 2 <= text.vias <= len(order):
                self._cscf.setdefault(text.sender, order[text.vias - 2])
        for text in texts:
            for phone, other in ((text.sender, text.receiver), (text.receiver, text.sender)):
                if phone.address in self.facts.addresses:
                    self._cscf.setdefault(other, "pcscf")
        for text in texts:
            label = text.target.partition(".")[0].lower()
            if text.request and label in _CSCFS and text.receiver.address not in self.facts.addresses:
                self._cscf.setdefault(text.receiver, label)
        self._find_icscf(texts)

    def _find_icscf(self, texts: list[SipFacts]) -> None:
        """What asks for locations in the HSS, and stands between two halves of an S-CSCF."""
        if not any(host.startswith("icscf.") for host in self.facts.hosts.values()):
            return
        steps = [(text.sender, text.receiver) for text in texts if text.request]
        into = {receiver for sender, receiver in steps if self._cscf.get(sender) == "scscf"}
        out = {sender for sender, receiver in steps if self._cscf.get(receiver) == "scscf"}
        for end in into & out - set(self._cscf):
            self._cscf[end] = "icscf"

    def _sip(self, draft: Draft, text: SipFacts) -> None:
        addresses = self.facts.addresses
        phone = [end.address in addresses for end in (text.sender, text.receiver)]
        draft.roles = ("ue" if phone[0] else self._cscf.get(text.sender, ""),
                       "ue" if phone[1] else self._cscf.get(text.receiver, ""))
        phones = self.facts.phones
        call = ("call", text.call_id)
        if any(phone):
            draft.point = "Gm"
            draft.phone = phones.find(("ip", (draft.src if phone[0] else draft.dst).address))
            draft.phone = draft.phone or phones.of(("ip", (draft.src if phone[0] else draft.dst).address))
            if not phones.find(call):
                phones.bind(draft.phone, call)
        else:
            others = [role for role in draft.roles if role not in _CSCFS]
            draft.point = "ISC" if "scscf" in draft.roles and others and all(others) else "Mw"
            draft.phone = phones.find(call) or next(
                filter(None, (phones.find(("impu", uri)) for uri in text.impus)), 0)
