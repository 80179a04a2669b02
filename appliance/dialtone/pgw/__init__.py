# SPDX-License-Identifier: Apache-2.0
"""The gateway: S-GW and P-GW in one (TS 23.401, 4.4.3), with policy beside it; one file a procedure."""

from dialtone.pgw import (
    bearer,
    bearer_resource,
    change_notification,
    connection_end,
    dedicated,
    downlink_data,
    enb_path,
    forwarding,
    path_failure,
    policy,
    session,
    subscribed_qos,
    suspension,
)
from dialtone.pgw.rx import abortion, authorization, notification, stray, termination

__all__ = ["abortion", "authorization", "bearer", "bearer_resource", "change_notification", "connection_end",
           "dedicated", "downlink_data", "enb_path", "forwarding", "notification", "path_failure", "policy", "session",
           "stray", "subscribed_qos", "suspension", "termination"]
