# SPDX-License-Identifier: Apache-2.0
"""Overload at the eNB (TS 36.413, 8.7.6): which connection requests are turned away."""

from dialtone.codec.s1ap.configuration import OverloadAction, OverloadStart, OverloadStop
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.sim.air import EstablishmentCause
from dialtone.sim.enb import Enb, on

ALLOWED = {
    OverloadAction.REJECT_NON_EMERGENCY_MO_DT: set(EstablishmentCause) - {EstablishmentCause.MO_DATA},
    OverloadAction.REJECT_RRC_CR_SIGNALLING: {EstablishmentCause.EMERGENCY, EstablishmentCause.MT_ACCESS},
    OverloadAction.PERMIT_EMERGENCY_SESSIONS_AND_MOBILE_TERMINATED_SERVICES_ONLY: {
        EstablishmentCause.EMERGENCY, EstablishmentCause.MT_ACCESS},
    OverloadAction.PERMIT_HIGH_PRIORITY_SESSIONS_AND_MOBILE_TERMINATED_SERVICES_ONLY: {EstablishmentCause.MT_ACCESS},
}
"""Establishment causes that still get a connection; every one for an action that is not here (8.7.6.2)."""


@on("S1-MME", OverloadStart)
def on_overload_start(enb: Enb, msg: OverloadStart, rx: Rx) -> Effects:
    """Until Overload Stop, or until another Overload Start takes its place."""
    enb.overload = OverloadAction(msg.overload_response)
    return ()


@on("S1-MME", OverloadStop)
def on_overload_stop(enb: Enb, msg: OverloadStop, rx: Rx) -> Effects:
    """All may come again."""
    enb.overload = None
    return ()


def turned_away(enb: Enb, cause: EstablishmentCause) -> bool:
    """Whether a connection for that cause is refused at present."""
    return enb.overload is not None and cause not in ALLOWED.get(enb.overload, set(EstablishmentCause))
