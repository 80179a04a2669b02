# SPDX-License-Identifier: Apache-2.0
"""The gateway: S-GW and P-GW in one (TS 23.401, 4.4.3); one file a procedure."""

from dialtone.pgw import bearer, downlink_data, forwarding, path_failure, session

__all__ = ["bearer", "downlink_data", "forwarding", "path_failure", "session"]
