# SPDX-License-Identifier: Apache-2.0
"""The P-CSCF as an element: its tables of registrations and SAs."""

from collections.abc import Callable, Hashable, Iterator

from dialtone.codec.sip import SipError, SipUri, Via
from dialtone.config import Config
from dialtone.crypto.ipsec_keys import End
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Changed, Effects, RemoveSas, StartTimer, StopTimer
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.pcscf import media
from dialtone.pcscf.media import Calls
from dialtone.pcscf.mw import Core
from dialtone.pcscf.passing_call import Passing
from dialtone.pcscf.registration import Association, Place, Registration, RegistrationKey
from dialtone.pcscf.states import REGISTRATION, RegistrationState
from dialtone.pcscf.timers import SUBSCRIPTION, WAIT_FOR_NOTIFY
from dialtone.pcscf.watch import Watch
from dialtone.sip.flow import Flow, answer_to, bracketed
from dialtone.sip.proxy import Proxy
from dialtone.sip.refusal import admit, refuse

on = Handlers("pcscf")
media.register(on)

LOWEST_SPI = 256  # those below are reserved (RFC 4303, 2.1)


def _nobody(impi: str) -> bool:
    return False


class Pcscf(Element):
    """`plain` says whether the subscriber with this private identity may register without IPsec."""

    name = "pcscf"
    on = on

    def __init__(self, config: Config, random: Callable[[int], bytes], plain: Callable[[str], bool] = _nobody) -> None:
        self.config = config
        self.ims = config.ims
        self.random = random
        self.plain = plain
        plmn = config.network.plmn
        self.domain = plmn.ims_domain
        self.host = f"pcscf.{self.domain}"
        apn = config.apn.get("ims")
        self.addresses = apn.gateways if apn is not None else ()
        self.core = Core(config, self.host)
        self.protected = frozenset(self.ims.ports[1:])
        self.proxy = Proxy(self._own, frozenset({"sec-agree"}))
        self.registrations: dict[RegistrationKey, Registration] = {}
        self.by_place: dict[Place, Registration] = {}
        self.by_contact: dict[tuple[str, int], Registration] = {}
        self.guests: dict[str, Registration] = {}  # in an emergency call, and not registered, by address
        self.calls = Calls("pgw", self.host, self.domain, plmn.epc_realm, start=int.from_bytes(random(4)))
        self.passing: dict[Hashable, Passing] = {}  # calls, by Call-ID and the phone
        self.by_spi: dict[tuple[str, int], Registration] = {}  # destination and SPI of every SA
        self.watches: dict[str, Watch] = {}  # our subscriptions, by Call-ID

    # ---- who is who ----------------------------------------------------------------------------------

    def address(self, host: str) -> str:
        """Our address for a phone at `host`: of the same family."""
        return next((own for own in self.addresses if (":" in own) == (":" in host)), self.addresses[0])

    def uri(self, user: str = "") -> str:
        """Ours, as the core sees us; `user` says which way a request goes."""
        return f"<sip:{user}{'@' if user else ''}{self.core.host}{self.core.params};lr>"

    def phone_uri(self, registration: Registration) -> str:
        """Ours, as the phone sees us: with the port where it is protected (TS 24.229, 5.2.6.3.3)."""
        host = registration.key.host
        one = registration.current
        port = one.sas.network.port_s if one is not None else self.ims.port
        return f"<sip:{bracketed(self.address(host))}:{port};lr>"

    def sender(self, rx: Rx) -> Registration | None:
        """Whose request this is: by where it comes from, which the user plane and IPsec vouch for."""
        flow = Flow.find(rx.peer)
        if flow is None:
            return None
        return self.by_place.get(Place(flow.host, flow.port, flow.local_port)) or self.guests.get(flow.host)

    def is_protected(self, rx: Rx) -> bool:
        """Whether it came through IPsec: nothing else reaches these ports (kernel/ipsec.py)."""
        flow = Flow.find(rx.peer)
        return flow is not None and flow.local_port in self.protected

    def via(self, peer: str) -> Via:
        """Ours towards a phone: our address, and the port that it answers to."""
        flow = Flow.parse(peer)
        return Via(flow.transport.upper(), bracketed(self.address(flow.host)), flow.local_port)

    def reply(self, peer: str, via: Via) -> str:
        """Where answers go: over UDP and IPsec from our client port to the phone's server port, unless the phone asks
        for the port it sent from (TS 33.203, 7.1; RFC 3581, 4)."""
        flow = Flow.find(peer)
        if flow is not None and not flow.reliable and "rport" not in via.params and flow.local_port in self.protected:
            registration = self.by_place.get(Place(flow.host, flow.port, flow.local_port))
            for one in registration.associations if registration is not None else ():
                if one.sas.phone.port_c == flow.port:
                    return str(one.flow)
        return answer_to(peer, via)

    def _own(self, uri: SipUri) -> bool:
        return uri.host == self.host or uri.host.strip("[]") in self.addresses or self.core.own(uri)

    # ---- tables --------------------------------------------------------------------------------------

    def move(self, registration: Registration, event: str) -> Iterator[Changed]:
        """One step of the state machine."""
        before = registration.state
        registration.state = REGISTRATION.after(before, event)
        if registration.state != before:
            yield Changed(REGISTRATION.name, registration.subject, before, registration.state)

    def network_end(self, host: str, used: list[Association]) -> End:
        """Our end of a new set: SPIs that we have not given yet, and a client port that the phone's other sets do not
        use. Raises SipError when it has too many."""
        address = self.address(host)
        taken = {one.sas.network.port_c for one in used}
        port = next((port for port in self.ims.client_ports if port not in taken), None)
        if port is None:
            raise SipError("too many challenges at once", cause=503, clause="TS 33.203, 7.1")
        return End(address, port, self.ims.protected_port, self._spi(address), self._spi(address))

    def _spi(self, address: str) -> int:
        while True:
            spi = int.from_bytes(self.random(4))
            if spi >= LOWEST_SPI and (address, spi) not in self.by_spi:
                return spi

    def enter(self, registration: Registration, one: Association) -> None:
        """Note a set that is going to be installed."""
        self.by_place[one.place] = registration
        for sa in one.sas.sas():
            self.by_spi[sa.destination, sa.spi] = registration

    def drop(self, registration: Registration, one: Association) -> Effects:
        """Take a set out of the kernel and of the tables."""
        if registration.pending is one:
            registration.pending = None
        elif registration.current is one:
            registration.current = None
        elif one in registration.old:
            registration.old.remove(one)
        alone = all(other.place != one.place for other in registration.associations)
        if alone and self.by_place.get(one.place) is registration:
            del self.by_place[one.place]
        for sa in one.sas.sas():
            if self.by_spi.get((sa.destination, sa.spi)) is registration:
                del self.by_spi[sa.destination, sa.spi]
        yield RemoveSas(one.sas)

    def let_go(self, registration: Registration) -> Effects:
        """Forget a registration with all that it has."""
        if registration.state != RegistrationState.NONE:
            yield from self.move(registration, "let go")
        for one in registration.associations:
            yield from self.drop(registration, one)
        if (flow := registration.plain) is not None:
            place = Place(flow.host, flow.port, flow.local_port)
            if self.by_place.get(place) is registration:
                del self.by_place[place]
        if registration.contact is not None and self.by_contact.get(registration.contact) is registration:
            del self.by_contact[registration.contact]
        if self.registrations.get(registration.key) is registration:
            del self.registrations[registration.key]
        for timer in ("reg-await-auth", "registration", "old SAs"):
            yield StopTimer(timer, registration.key)
        if (watch := registration.watch) is not None:  # the core is not told of it otherwise
            registration.watch, watch.over = None, True
            yield watch.request(self.core, watch.subscribe(self.core, 0))
            yield StartTimer(SUBSCRIPTION, watch.call_id, WAIT_FOR_NOTIFY)

    def gate(self, rx: Rx) -> None:
        """Of a core of another maker, those named in [ims] are heard. Raises ProtocolError."""
        if rx.point == "Mw":
            admit(rx, self.core.trusted)

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """Status and headers of the error (RFC 3261, 8.2)."""
        return refuse(self, error, rx, self.reply if rx.point == "Gm" else answer_to)

