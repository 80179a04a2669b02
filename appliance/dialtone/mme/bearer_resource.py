# SPDX-License-Identifier: Apache-2.0
"""Bearer resources that the phone asks for (TS 24.301, 6.5.3 and 6.5.4): refused for now."""

from dialtone.codec.nas import (
    BearerResourceAllocationReject,
    BearerResourceAllocationRequest,
    BearerResourceModificationReject,
    BearerResourceModificationRequest,
)
from dialtone.codec.nas.causes import EsmCause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send
from dialtone.mme.element import Mme, on


@on("NAS", BearerResourceAllocationRequest)
def on_bearer_resource_allocation_request(mme: Mme, msg: BearerResourceAllocationRequest, rx: Rx) -> Effects:
    """A dedicated bearer of the phone's own wish."""
    yield Send("NAS", rx.peer, BearerResourceAllocationReject(
        procedure_transaction_identity=msg.procedure_transaction_identity,
        esm_cause=EsmCause.SERVICE_OPTION_NOT_SUPPORTED))


@on("NAS", BearerResourceModificationRequest)
def on_bearer_resource_modification_request(mme: Mme, msg: BearerResourceModificationRequest, rx: Rx) -> Effects:
    """Another quality for a bearer."""
    yield Send("NAS", rx.peer, BearerResourceModificationReject(
        procedure_transaction_identity=msg.procedure_transaction_identity,
        esm_cause=EsmCause.SERVICE_OPTION_NOT_SUPPORTED))
