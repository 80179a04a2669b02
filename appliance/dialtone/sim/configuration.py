# SPDX-License-Identifier: Apache-2.0
"""Configuration updates, and what other eNBs send through the MME (TS 36.413, 8.7.4, 8.7.5, 8.16)."""

from dataclasses import dataclass, replace

from dialtone.codec.s1ap.configuration import (
    ENBConfigurationUpdate,
    ENBConfigurationUpdateAcknowledge,
    ENBConfigurationUpdateFailure,
    MMEConfigurationTransfer,
    MMEConfigurationUpdate,
    MMEConfigurationUpdateAcknowledge,
)
from dialtone.codec.s1ap.management import SupportedTAsItem
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event
from dialtone.ids import Plmn
from dialtone.sim.enb import Enb, on


@dataclass(slots=True)
class UpdateCommand(Event):
    """Broadcast other areas from now on and tell the MME so, with every phone staying connected."""

    areas: tuple[tuple[int, tuple[Plmn, ...]], ...]


@on.event(UpdateCommand)
def on_update_command(enb: Enb, event: UpdateCommand, rx: Rx) -> Effects:
    """Only what has changed (8.7.4.2)."""
    enb.proposed = event.areas
    yield enb.send(ENBConfigurationUpdate(
        supported_tas=tuple(SupportedTAsItem(tac, plmns) for tac, plmns in event.areas)))


@on("S1-MME", ENBConfigurationUpdateAcknowledge)
def on_enb_configuration_update_acknowledge(enb: Enb, msg: ENBConfigurationUpdateAcknowledge, rx: Rx) -> Effects:
    """The new areas hold."""
    if enb.proposed:
        enb.config = replace(enb.config, areas=enb.proposed)
        enb.proposed = ()
    yield enb.outcome("eNB configuration update", True, "acknowledged by the MME")


@on("S1-MME", ENBConfigurationUpdateFailure)
def on_enb_configuration_update_failure(enb: Enb, msg: ENBConfigurationUpdateFailure, rx: Rx) -> Effects:
    """The old ones hold."""
    enb.proposed = ()
    yield enb.outcome("eNB configuration update", False, f"refused by the MME: {msg.cause}")


@on("S1-MME", MMEConfigurationUpdate)
def on_mme_configuration_update(enb: Enb, msg: MMEConfigurationUpdate, rx: Rx) -> Effects:
    """Taken note of, and confirmed (8.7.5.2)."""
    enb.mme_name = msg.mme_name or enb.mme_name
    if msg.relative_mme_capacity is not None:
        enb.mme_capacity = msg.relative_mme_capacity
    yield enb.send(MMEConfigurationUpdateAcknowledge())


@on("S1-MME", MMEConfigurationTransfer)
def on_mme_configuration_transfer(enb: Enb, msg: MMEConfigurationTransfer, rx: Rx) -> Effects:
    """Another eNB asks for our X2 address, or tells its own: the simulated X2 needs none."""
    enb.counters["configuration transfer"] += 1
    return ()
