# SPDX-License-Identifier: Apache-2.0
"""What the phone's LTE side tells its IMS client, and what its user does (TS 24.229, 5.1.1.1, B.2.2)."""

from dataclasses import dataclass

from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event
from dialtone.ids import Tai
from dialtone.sim.faults import Faults
from dialtone.sim.ims import call, emergency, registration
from dialtone.sim.ims.client import AddressIs, FindAddress, GmDown, GmUp, ImsClient, family, on
from dialtone.sim.ims.identity import Identity
from dialtone.sim.ims.states import RegistrationState
from dialtone.sim.ims.timers import TIMERS
from dialtone.sim.phone import BearerIsDown
from dialtone.sim.power import BreakCommand, PowerCycle
from dialtone.sim.volte import BearerIsUp, PdnIsUp

_CELL = 1  # the simulated cell's number: a phone is told no more than its tracking area


@dataclass(slots=True)
class NoPort(Event):
    """The SIP port could not be opened."""


@on.event(PdnIsUp)
def on_pdn_is_up(client: ImsClient, event: PdnIsUp, rx: Rx) -> Effects:
    """The IMS connection stands: register with the P-CSCF that it named."""
    client.mark(rx)
    if event.emergency != client.emergency or not (client.emergency or event.apn == client.apn):
        return
    client.anonymous = event.anonymous
    client.ebi, client.p_cscfs, client.access = event.ebi, event.p_cscf, _access(event.tai)
    yield from client.move("connected")
    if event.identifier and (client.handset.ipv6 or event.address is None):
        yield FindAddress(client.name, client.imsi, event.ebi, event.identifier, NoPort())
    else:
        yield from _ready(client, str(event.address or ""))


@on.event(AddressIs)
def on_address_is(client: ImsClient, event: AddressIs, rx: Rx) -> Effects:
    """The IPv6 address is complete."""
    client.mark(rx)
    if client.ebi is not None and not client.address:
        yield from _ready(client, event.address)


def _ready(client: ImsClient, address: str) -> Effects:
    client.address = address
    client.p_cscf = family(client.p_cscfs, 6 if ":" in address else 4) if address else ""
    if not client.p_cscf:
        yield client.outcome(registration.REGISTER, False,
                             "the network named no P-CSCF that this phone can reach (PCO), so it cannot register")
        return
    yield GmUp(client.name, client.imsi, client.address, client.handset.port, NoPort())
    yield from emergency.connected(client) if client.emergency else registration.begin(client)


def _access(tai: Tai) -> str:
    """P-Access-Network-Info (TS 24.229, 7.2A.4): MCC, MNC, TAC and cell identity."""
    return f"3GPP-E-UTRAN-FDD;utran-cell-id-3gpp={tai.plmn.mcc}{tai.plmn.mnc}{tai.tac:04x}{_CELL:07x}"


@on.event(NoPort)
def on_no_port(client: ImsClient, event: NoPort, rx: Rx) -> Effects:
    """This machine's doing, not the network's; or no router has said where an IPv6 phone is."""
    client.mark(rx)
    yield client.outcome(registration.REGISTER, False, "this machine lets the phone have no SIP port")


@on.event(BearerIsUp)
def on_bearer_is_up(client: ImsClient, event: BearerIsUp, rx: Rx) -> Effects:
    """A bearer beside the IMS connection: calls may wait for it (RFC 3312, 5.1)."""
    client.mark(rx)
    if event.linked == client.ebi:
        client.bearers[event.ebi] = event.qci
        yield from call.bearers_changed(client)


@on.event(BearerIsDown)
def on_bearer_is_down(client: ImsClient, event: BearerIsDown, rx: Rx) -> Effects:
    """A bearer is gone; with its default bearer all of IMS is, and nothing more can be said."""
    client.mark(rx)
    client.bearers.pop(event.ebi, None)
    if event.ebi != client.ebi:
        return
    yield from call.all_lost(client, "the IMS connection is gone")
    yield from registration.lost(client, "the IMS connection is gone")
    yield from client.move("disconnected")
    yield GmDown(client.name, client.imsi, client.address)
    client.ebi, client.address, client.p_cscf, client.p_cscfs = None, "", "", ()
    client.bearers.clear()


@on.event(BreakCommand)
def on_break_command(client: ImsClient, event: BreakCommand, rx: Rx) -> Effects:
    """Break the phone on purpose, or mend it (sim/faults.py)."""
    client.mark(rx)
    client.faults = Faults.named(event.fault)
    client.identity = Identity.of(client.usim, client.isim, client.faults)
    return ()


@on.event(PowerCycle)
def on_power_cycle(client: ImsClient, event: PowerCycle, rx: Rx) -> Effects:
    """Off and on: what it held against the network is forgotten."""
    client.mark(rx)
    client.credential_failures = 0
    client.retry_seconds = TIMERS["retry"].seconds
    if client.state != RegistrationState.NO_CONNECTION:
        yield from registration.lost(client, "switched off and on")
