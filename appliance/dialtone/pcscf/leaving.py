# SPDX-License-Identifier: Apache-2.0
"""The end of a registration (TS 24.229, 5.2.5): by the phone, by the network, or because it was not renewed."""

from dialtone.dispatch import Rx
from dialtone.effects import Effects, StartTimer, Verdict
from dialtone.pcscf.element import Pcscf, on
from dialtone.pcscf.registration import Registration, RegistrationKey
from dialtone.pcscf.states import RegistrationState
from dialtone.pcscf.timers import OLD_SAS


def leave(pcscf: Pcscf, registration: Registration) -> Effects:
    """The registration is over; its SAs, or its way in plain text, stay a moment for what is repeated, and for the end
    of its dialogs: the phone has to hear of it (5.2.5.2)."""
    kept = [one for one in registration.associations if one is not registration.pending]
    contact, plain = registration.contact, registration.plain
    registration.old, registration.current = [], None
    yield from pcscf.let_go(registration)
    registration.old, registration.since, registration.plain = kept, 0.0, plain
    if kept or plain is not None:
        pcscf.registrations[registration.key] = registration
        if contact is not None:
            pcscf.by_contact[contact] = registration
        yield StartTimer("old SAs", registration.key, OLD_SAS)


@on.timer("old SAs", "TS 33.203, 7.4")
def on_old_sas(pcscf: Pcscf, key: RegistrationKey, rx: Rx) -> Effects:
    registration = pcscf.registrations[key]
    rx.subject = registration.subject
    for one in list(registration.old):
        yield from pcscf.drop(registration, one)
    if registration.state == RegistrationState.NONE:
        yield from pcscf.let_go(registration)


@on.timer("registration", "TS 24.229, 5.2.5")
def on_registration(pcscf: Pcscf, key: RegistrationKey, rx: Rx) -> Effects:
    registration = pcscf.registrations[key]
    rx.subject = registration.subject
    yield from pcscf.let_go(registration)
    yield Verdict("register", False, "The registration has run out: the phone did not renew it, so it is away or idle.")
