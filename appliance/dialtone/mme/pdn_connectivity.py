# SPDX-License-Identifier: Apache-2.0
"""What a registered phone asks of its PDN connections beyond the attach (TS 24.301, 6.5): refused for now."""

from dialtone.codec.nas import (
    BearerResourceAllocationReject,
    BearerResourceAllocationRequest,
    BearerResourceModificationReject,
    BearerResourceModificationRequest,
    PDNConnectivityReject,
    PDNConnectivityRequest,
    PDNDisconnectReject,
    PDNDisconnectRequest,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send
from dialtone.mme.element import Mme, on

NOT_SUPPORTED, LAST_PDN = 32, 49


@on("NAS", PDNConnectivityRequest)
def on_pdn_connectivity_request(mme: Mme, msg: PDNConnectivityRequest, rx: Rx) -> Effects:
    """A second PDN connection."""
    yield Send("NAS", rx.peer, PDNConnectivityReject(
        procedure_transaction_identity=msg.procedure_transaction_identity, esm_cause=NOT_SUPPORTED))


@on("NAS", PDNDisconnectRequest)
def on_pdn_disconnect_request(mme: Mme, msg: PDNDisconnectRequest, rx: Rx) -> Effects:
    """The only one cannot go without a detach (6.5.2.4)."""
    yield Send("NAS", rx.peer, PDNDisconnectReject(
        procedure_transaction_identity=msg.procedure_transaction_identity, esm_cause=LAST_PDN))


@on("NAS", BearerResourceAllocationRequest)
def on_bearer_resource_allocation_request(mme: Mme, msg: BearerResourceAllocationRequest, rx: Rx) -> Effects:
    """A dedicated bearer of the phone's own wish."""
    yield Send("NAS", rx.peer, BearerResourceAllocationReject(
        procedure_transaction_identity=msg.procedure_transaction_identity, esm_cause=NOT_SUPPORTED))


@on("NAS", BearerResourceModificationRequest)
def on_bearer_resource_modification_request(mme: Mme, msg: BearerResourceModificationRequest, rx: Rx) -> Effects:
    """Another quality for a bearer."""
    yield Send("NAS", rx.peer, BearerResourceModificationReject(
        procedure_transaction_identity=msg.procedure_transaction_identity, esm_cause=NOT_SUPPORTED))
