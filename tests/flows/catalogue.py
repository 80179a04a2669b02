# SPDX-License-Identifier: Apache-2.0
"""Rows of the diagnosis catalogue as flows: a fault at a phone or in the network, and what is said of it.

Each case is played twice: by the first phone of a fresh network, and by another one much later, after others, and it
itself, attached, registered, called and registered again, all of it without a fault. The verdict must be the same, and
nobody else may be blamed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from network import ONE_TRY, Network, imsi_of, msisdn_of

from dialtone.codec.nas.values import PdnType
from dialtone.effects import EspRefused
from dialtone.element import Link
from dialtone.kernel.ipsec import COUNTERS
from dialtone.sim.faults import Faults
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand
from dialtone.sim.ims.client import ImsClient, ImsHandset
from dialtone.sim.ims.registration import DeregisterCommand, RegisterCommand
from dialtone.sim.ims.sms import SmsCommand
from dialtone.sim.network_faults import FAULTS
from dialtone.sim.phone import Handset
from dialtone.sim.power import BreakCommand, PowerCycle
from dialtone.sim.resource import drop
from dialtone.sim.tampering import Tampering
from dialtone.sip.flow import Flow
from dialtone.trace.diagnose import Level, Verdict, diagnose

OTHER, THIRD = 2, 3


@dataclass(slots=True)
class Scene:
    """A network, the phone that the fault meets, and another one for it to call."""

    net: Network
    number: int

    @property
    def imsi(self) -> str:
        return imsi_of(self.number)

    @property
    def client(self) -> ImsClient:
        return self.net.ims[self.imsi]

    @property
    def other(self) -> ImsClient:
        return self.net.ims[imsi_of(OTHER)]

    def verdicts(self, number: int = 0) -> list[Verdict]:
        return diagnose(self.net.events(), imsi_of(number or self.number))

    def healthy(self, number: int = 0) -> bool:
        """Whether all is said to be well, and nothing else."""
        found = self.verdicts(number)
        return bool(found) and all(verdict.level is Level.OK for verdict in found)


# ---- what phones and people do ------------------------------------------------------------------------------


def attach(scene: Scene, seconds: float = 45.0) -> None:
    """Switched on, and left alone."""
    scene.net.attach(scene.imsi, seconds)


def attach_for_ipv6(scene: Scene) -> None:
    """It would use an IPv6 P-CSCF only."""
    scene.net.command(scene.client.name, BreakCommand("no_sip"))
    attach(scene)


def with_a_stale_card(scene: Scene) -> None:
    """Between its attach and its registration another HSS has served the card, which has seen higher numbers since."""
    net = scene.net
    net.attach(scene.imsi, 1)
    usim = scene.client.usim
    usim.seq_ms = [max(usim.seq_ms) + 1_000_000] * len(usim.seq_ms)
    net.run(200)


def wait(scene: Scene) -> None:
    """Long enough for every timer of SIP on the radio."""
    attach(scene, 200.0)


def wait_long(scene: Scene) -> None:
    """Long enough for it to try several times."""
    attach(scene, 500.0)


def call(scene: Scene) -> None:
    """It calls the other phone, which answers; they talk, and it hangs up."""
    _call(scene, scene.client, scene.other)


def be_called(scene: Scene) -> None:
    """The other phone calls it, and hangs up."""
    _call(scene, scene.other, scene.client, seconds=60)


def be_called_and_hang_up(scene: Scene) -> None:
    """The other phone calls it, and it hangs up."""
    _call(scene, scene.other, scene.client, ends=scene.client)


def _call(scene: Scene, caller: ImsClient, called: ImsClient, ends: ImsClient | None = None,
          seconds: float = 20) -> None:
    net = scene.net
    net.command(caller.name, CallCommand(f"+{msisdn_of(int(called.imsi[-4:]))}"), seconds)
    net.command(called.name, AnswerCommand(), 30)
    net.command((ends or caller).name, HangUpCommand(), 100)
    for one in (caller, called):
        if one.calls:
            net.command(one.name, HangUpCommand(), 100)


def call_without_end(scene: Scene) -> None:
    """It calls, they talk, and nobody hangs up for an hour; then it does, if the call still stands."""
    net = scene.net
    net.command(scene.client.name, CallCommand(f"+{msisdn_of(OTHER)}"), 20)
    net.command(scene.other.name, AnswerCommand(), 3600)
    net.command(scene.client.name, HangUpCommand(), 100)


def change_the_bearer(scene: Scene) -> None:
    """In a call it gives one of the packet filters of its voice bearer back."""
    net = scene.net
    net.command(scene.client.name, CallCommand(f"+{msisdn_of(OTHER)}"), 20)
    net.command(scene.other.name, AnswerCommand(), 10)
    phone = net.phones[scene.imsi]
    (bearer,) = phone.dedicated.values()
    net.command(phone.name, drop(bearer.ebi, max(bearer.filters)), 100)
    net.command(scene.client.name, HangUpCommand(), 100)


def text(scene: Scene) -> None:
    """It sends a text to the other phone."""
    scene.net.command(scene.client.name, SmsCommand(f"+{msisdn_of(OTHER)}", "hello"), 60)


def get_text(scene: Scene) -> None:
    """The other phone sends it one."""
    scene.net.command(scene.other.name, SmsCommand(f"+{msisdn_of(scene.number)}", "hello"), 60)


def attach_and_get_text(scene: Scene) -> None:
    """Switched on, it is sent a text."""
    attach(scene)
    get_text(scene)


def register_again(scene: Scene) -> None:
    """It refreshes its registration, and an hour passes."""
    scene.net.command(scene.client.name, RegisterCommand(), 3600)


def call_after_registering_again(scene: Scene) -> None:
    register_again(scene)
    call(scene)


# ---- the kernel's part of IPsec -------------------------------------------------------------------------------


@dataclass(slots=True)
class Esp:
    """Stands on a phone's link on Gm, and lets pass what the P-CSCF's kernel would let pass, with the SAs it has."""

    net: Network
    client: ImsClient
    below: Link

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        flow = Flow.parse(peer)
        if flow.port in self.net.config.ims.ports[1:] and (counter := self._refused(flow)):
            self.net.loop.tell("pcscf", EspRefused(counter, 1, COUNTERS[counter], self.client.address))
        else:
            self.below.send(element, peer, data, stream)

    def _refused(self, flow: Flow) -> str:
        def ports(one: object) -> tuple[int, int]:
            return one.phone.port_c, one.phone.port_s  # type: ignore[attr-defined]

        mine = [one.sas for one in self.client.agreements() if flow.local_port in ports(one.sas)]
        theirs = [sas for sas in self.net.sas if mine and sas.phone == mine[0].phone]
        if not theirs:
            return "XfrmInNoStates"
        return "" if mine[0] in theirs else "XfrmInStateProtoError"


# ---- cases --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """A fault by name, and what is to be said of it: the rule, who has to change, words of the sentence. `before` is
    done without the fault, `play` with it. `lte` and `ims` are the phone's make, where it matters; `blames` are other
    phones that are hit as well."""

    fault: str
    rule: str
    change: str
    words: str
    play: Callable[[Scene], None] = attach
    before: tuple[Callable[[Scene], None], ...] = ()
    lte: Handset = ONE_TRY
    ims: ImsHandset = field(default_factory=ImsHandset)
    others: ImsHandset = field(default_factory=ImsHandset)
    level: Level = Level.FAILURE
    hits_other: bool = False

    @property
    def row(self) -> str:
        """Of the catalogue, as the tables of faults have it."""
        known = {one.name: one.row for one in (*Faults.table(), *FAULTS.values())}
        return known[self.fault]


REGISTERED = (attach,)
COMBINED = replace(ONE_TRY, combined=True)
BOTH = replace(ONE_TRY, pdn_type=PdnType.IPV4V6)


def scene_of(net: Network, case: Case, number: int) -> Scene:
    """The phone of the case and two others, which are attached."""
    for one, ims in ((number, case.ims), (OTHER, case.others), (THIRD, ImsHandset())):
        client = net.add_ims(one, ims)
        if one == number:
            phone = net.phones[client.imsi]
            phone.handset = replace(case.lte, ims=phone.handset.ims)
        port = net.loop.ports[client.name, "Gm"]
        port.link = Esp(net, client, port.link)
    for one in (OTHER, THIRD):
        net.attach(imsi_of(one), 3)
    return Scene(net, number)


def warm_up(scene: Scene, case: Case) -> None:
    """A healthy day: everybody does everything, the phone of the case as well, and all is said to be well."""
    net = scene.net
    attach(scene)
    third = Scene(net, THIRD)
    for each in (call, text):
        each(third)
    for each in (*case.before[1:], case.play) if case.before else ():
        each(scene)
    net.command(scene.client.name, RegisterCommand(), 10)
    everybody_is_well(scene)
    net.command(scene.client.name, DeregisterCommand(), 60)
    everybody_is_well(scene)
    net.detach(scene.imsi, switch_off=True, seconds=3700)
    everybody_is_well(scene)


def go_on(net: Network) -> None:
    """A minute later something else happens in the network."""
    net.run(60)
    net.idle(imsi_of(THIRD))


def everybody_is_well(scene: Scene) -> None:
    """Of each of the three phones that is said, and nothing else."""
    for number in (scene.number, OTHER, THIRD):
        assert scene.healthy(number), scene.verdicts(number)


def broken(scene: Scene, case: Case) -> list[Verdict]:
    """Play the case with its fault; returns what is said of its phone."""
    for each in case.before:
        each(scene)
    net = scene.net

    def concerns(peer: str) -> bool:
        flow = Flow.find(peer)
        if flow is not None:
            return flow.host in (scene.client.address, scene.client.p_cscf)
        return not peer.startswith("ue-") or scene.imsi in peer

    if case.fault in FAULTS:
        with Tampering(net.loop, case.fault, concerns):
            case.play(scene)
            go_on(net)
    else:
        for element in (scene.client.name, scene.client.phone):
            net.command(element, BreakCommand(case.fault), 0)
        case.play(scene)
        go_on(net)
    return scene.verdicts()


def mend(scene: Scene) -> None:
    """The phone is repaired, switched off and on, and registers: nothing of the fault is left anywhere."""
    for element in (scene.client.name, scene.client.phone):
        for event in (BreakCommand(), PowerCycle()):
            scene.net.command(element, event, 0)
    attach(scene, 10)


def check(net: Network, case: Case, number: int, *, late: bool) -> tuple[str, ...]:
    """The whole of it; returns what must be the same for every phone and time."""
    scene = scene_of(net, case, number)
    if late:
        warm_up(scene, case)
    found = broken(scene, case)
    verdict = next((one for one in found if one.rule == case.rule), None)
    assert verdict is not None, found
    assert (verdict.row, verdict.level, verdict.change) == (case.row, case.level, case.change), verdict
    assert case.words in verdict.line
    others = [one for one in found if one.rule != case.rule and one.level is not Level.OK]
    assert not others, others
    ids = {event.id for event in net.events()}
    assert verdict.evidence
    assert set(verdict.evidence) <= ids
    for innocent in (OTHER, THIRD):
        if innocent == THIRD or not case.hits_other:
            assert scene.healthy(innocent), scene.verdicts(innocent)
    mend(scene)
    return verdict.rule, verdict.row, verdict.network.replace(scene.imsi, "IMSI"), verdict.phone
