# SPDX-License-Identifier: Apache-2.0
"""MME Configuration Update (TS 36.413, 8.7.5): every eNB learns our new name or relative capacity."""

from dataclasses import dataclass

from dialtone.codec.s1ap import (
    MMEConfigurationUpdate,
    MMEConfigurationUpdateAcknowledge,
    MMEConfigurationUpdateFailure,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Send, Verdict
from dialtone.mme.element import Mme, on


@dataclass(slots=True)
class SetCapacity(Event):
    """A command: our weight among the MMEs of an eNB from now on, 0 to 255; with 0 no new phone comes here."""

    capacity: int


@on.event(SetCapacity)
def on_set_capacity(mme: Mme, event: SetCapacity, rx: Rx) -> Effects:
    """Tell all eNBs."""
    mme.capacity = event.capacity
    for enb in mme.enbs.values():
        yield Send("S1-MME", enb.peer, MMEConfigurationUpdate(
            mme_name=mme.config.network.name, relative_mme_capacity=mme.capacity))


@on("S1-MME", MMEConfigurationUpdateAcknowledge)
def on_mme_configuration_update_acknowledge(mme: Mme, msg: MMEConfigurationUpdateAcknowledge, rx: Rx) -> Effects:
    """The eNB has taken note."""
    yield Verdict("MME configuration update", True, f"{mme.enbs[rx.peer].name} has taken note")


@on("S1-MME", MMEConfigurationUpdateFailure)
def on_mme_configuration_update_failure(mme: Mme, msg: MMEConfigurationUpdateFailure, rx: Rx) -> Effects:
    """Both sides go on with what was before (8.7.5.3)."""
    yield Verdict("MME configuration update", False, f"{mme.enbs[rx.peer].name} refuses it: {msg.cause}")
