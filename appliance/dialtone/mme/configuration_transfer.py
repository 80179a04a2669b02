# SPDX-License-Identifier: Apache-2.0
"""What eNBs have to say to each other, and to cells of other technologies, through us (TS 36.413, 8.13, 8.15, 8.16).

A SON Configuration Transfer goes to the eNB that it names, its octets as they came: so eNBs find out each other's
X2 addresses. The other kinds of transfer (EN-DC, other systems, RIM) lead to networks that are not here.
"""

from dialtone.codec.s1ap import (
    ENBConfigurationTransfer,
    ENBDirectInformationTransfer,
    MMEConfigurationTransfer,
    son_target,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Verdict
from dialtone.mme.element import Mme, on


@on("S1-MME", ENBConfigurationTransfer)
def on_enb_configuration_transfer(mme: Mme, msg: ENBConfigurationTransfer, rx: Rx) -> Effects:
    """Pass it on (8.15.2). There is no answer to one that leads nowhere."""
    name = mme.enbs[rx.peer].name
    transfer = msg.son_configuration_transfer
    if transfer is None:
        yield Verdict("configuration transfer", False, f"{name} sends information for a network that is not here")
        return
    target = mme.enb_of(son_target(transfer).global_enb_id)
    if target is None:
        yield Verdict("configuration transfer", False, f"{name} sends information for an eNB that is not connected")
        return
    yield Send("S1-MME", target.peer, MMEConfigurationTransfer(son_configuration_transfer=transfer))
    yield Verdict("configuration transfer", True, f"from {name} to {target.name}")


@on("S1-MME", ENBDirectInformationTransfer)
def on_enb_direct_information_transfer(mme: Mme, msg: ENBDirectInformationTransfer, rx: Rx) -> Effects:
    """Information for a cell of GERAN, UTRAN or eHRPD (8.13.2): there is none behind us, and no answer to it."""
    yield Verdict("direct information transfer", False,
                  f"{mme.enbs[rx.peer].name} sends information for another radio technology, which is not here")
