# SPDX-License-Identifier: Apache-2.0
"""EMM information and EMM status in the phone (TS 24.301, 5.4.5 and 5.7)."""

from dialtone.codec import nas
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.sim.phone import Phone, on


@on("NAS", nas.EMMInformation)
def on_emm_information(phone: Phone, msg: nas.EMMInformation, rx: Rx) -> Effects:
    """The network's name and time, for the screen (5.4.5.3)."""
    name = msg.full_name_for_network or msg.short_name_for_network
    if name is not None:
        phone.network_name = name.text
    if msg.universal_time_and_local_time_zone is not None:
        phone.network_time = msg.universal_time_and_local_time_zone
    return ()


@on("NAS", nas.EMMStatus)
def on_emm_status(phone: Phone, msg: nas.EMMStatus, rx: Rx) -> Effects:
    """The network did not like a message of ours; no state changes (5.7)."""
    phone.counters[f"EMM status {msg.emm_cause}"] += 1
    return ()
