# SPDX-License-Identifier: Apache-2.0
"""Puts simulated eNBs and phones into a loop, and brings their radio bearers together with their interfaces."""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from typing import Any, Protocol

from dialtone.codec import s1ap
from dialtone.codec.tft import PacketFilter
from dialtone.element import Link
from dialtone.errors import DialtoneError
from dialtone.loop import Loop
from dialtone.sim.enb import Enb, RadioBearerDown, RadioBearerUp, RadioExpect, RadioFlush, RadioForward
from dialtone.sim.phone import InterfaceDown, InterfaceUp, Phone

Done = Callable[[Exception | None], None]


def add_enb(loop: Loop, enb: Enb, s1_mme: Link, *, inside: bool = False) -> Enb:
    """Give an eNB its place; `inside`: the MME is in the same loop. PeerUp starts its S1 Setup."""
    loop.add(enb)
    loop.bind(enb.name, "S1-MME", s1ap, s1_mme, inside=inside)
    return enb


def add_phone(loop: Loop, phone: Phone) -> Phone:
    """Give a phone its place; its cell's eNB is in the same loop."""
    loop.add(phone)
    for point, stack in phone.stacks.items():
        loop.stacks[phone.name, point] = stack
    return phone


class Plane(Protocol):
    """What carries the phones' packets: `dialtone.datapath.radio.RadioUserPlane`."""

    mtu: int

    def open_bearer(self, imsi: str, ebi: int, ue: bytes, teid: int, remote: bytes, remote_teid: int, *,
                    namespace: str, identifier: bytes = b"", filters: tuple[PacketFilter, ...] = ()) -> None: ...

    def close_bearer(self, teid: int) -> None: ...

    def expect_bearer(self, teid: int, forward_teid: int | None) -> None: ...

    def flush_bearer(self, teid: int) -> None: ...

    def forward_bearer(self, teid: int, remote: bytes, remote_teid: int) -> None: ...


class Devices(Protocol):
    """The phones' own devices: `dialtone.datapath.phones.Phones`."""

    def close(self, imsi: str) -> None: ...


class Bearers:
    """The performers of both sides. The eNB knows tunnels and no addresses, the phone its address and no
    tunnels: a bearer opens when both have spoken. `planes` are by the eNB's name; for an eNB that has none (tests)
    it only keeps the books. A phone keeps its device among `devices` while it is idle."""

    def __init__(self, loop: Loop, planes: Mapping[str, Plane] | None = None,
                 namespace_of: Callable[[str], str] = str, devices: Devices | None = None) -> None:
        self.planes = {} if planes is None else planes
        self.devices = devices
        self.namespace_of = namespace_of
        self.radio: dict[tuple[str, str, int], RadioBearerUp] = {}  # by eNB: in a handover there are two
        self.interfaces: dict[tuple[str, int], InterfaceUp] = {}
        for effect, perform in ((RadioBearerUp, self._radio_up), (RadioBearerDown, self._radio_down),
                                (RadioExpect, self._radio_expect), (RadioFlush, self._radio_flush),
                                (RadioForward, self._radio_forward),
                                (InterfaceUp, self._interface_up), (InterfaceDown, self._interface_down)):
            loop.performers[effect] = answered(perform)

    def address(self, phone: str) -> IPv4Address | None:
        """The phone's first IPv4 address."""
        return next((up.address for (name, _), up in sorted(self.interfaces.items()) if name == phone and up.address),
                    None)

    def _radio_up(self, effect: RadioBearerUp) -> None:
        self.radio[effect.enb, effect.phone, effect.ebi] = effect
        self._open(effect)

    def _radio_down(self, effect: RadioBearerDown) -> None:
        self.radio.pop((effect.enb, effect.phone, effect.ebi), None)
        if effect.enb in self.planes:
            self.planes[effect.enb].close_bearer(effect.teid_in)

    def _radio_expect(self, effect: RadioExpect) -> None:
        if effect.enb in self.planes:
            self.planes[effect.enb].expect_bearer(effect.teid_in, effect.forward_in)

    def _radio_flush(self, effect: RadioFlush) -> None:
        if effect.enb in self.planes:
            self.planes[effect.enb].flush_bearer(effect.teid_in)

    def _radio_forward(self, effect: RadioForward) -> None:
        if effect.enb in self.planes:
            self.planes[effect.enb].forward_bearer(effect.teid_in, effect.remote, effect.remote_teid)

    def _interface_up(self, effect: InterfaceUp) -> None:
        self.interfaces[effect.phone, effect.ebi] = effect
        for radio in self._carrying(effect.phone, effect.ebi):
            self._open(radio)

    def _interface_down(self, effect: InterfaceDown) -> None:
        self.interfaces.pop((effect.phone, effect.ebi), None)
        for radio in self._carrying(effect.phone, effect.ebi):
            if radio.enb in self.planes:
                self.planes[radio.enb].close_bearer(radio.teid_in)
        if self.devices is not None and all(phone != effect.phone for phone, _ in self.interfaces):
            self.devices.close(effect.imsi)

    def _carrying(self, phone: str, ebi: int) -> list[RadioBearerUp]:
        return [radio for (_, name, number), radio in self.radio.items() if (name, number) == (phone, ebi)]

    def _open(self, radio: RadioBearerUp) -> None:
        interface, ebi = self.interfaces.get((radio.phone, radio.ebi)), radio.ebi
        if interface is None or radio.enb not in self.planes:
            return
        plane = self.planes[radio.enb]
        plane.mtu = interface.mtu
        plane.open_bearer(interface.imsi, ebi, interface.address.packed if interface.address else b"",
                          radio.teid_in, radio.uplink, radio.teid_out,
                          namespace=self.namespace_of(interface.imsi), identifier=interface.identifier,
                          filters=interface.filters)


def answered(perform: Callable[[Any], object]) -> Callable[[Any, Done], None]:
    """A performer of what is done at once, or fails."""
    def perform_and_say(effect: Any, done: Done) -> None:
        try:
            perform(effect)
        except (DialtoneError, OSError, LookupError, ValueError) as error:
            done(error)
        else:
            done(None)

    return perform_and_say
