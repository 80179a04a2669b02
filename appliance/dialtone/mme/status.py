# SPDX-License-Identifier: Apache-2.0
"""EMM Status and ESM Status (TS 24.301, 5.7 and 6.7): the phone reports an error; never answered."""

from dialtone.codec.nas import EMMStatus, ESMStatus
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Verdict
from dialtone.mme.element import Mme, on


@on("NAS", EMMStatus)
def on_emm_status(mme: Mme, msg: EMMStatus, rx: Rx) -> Effects:
    """Noted; timers of whatever is under way decide."""
    yield Verdict("EMM status", False, f"the phone reports EMM cause #{msg.emm_cause}")


@on("NAS", ESMStatus)
def on_esm_status(mme: Mme, msg: ESMStatus, rx: Rx) -> Effects:
    """Noted; timers of whatever is under way decide."""
    yield Verdict("ESM status", False, f"the phone reports ESM cause #{msg.esm_cause}")
