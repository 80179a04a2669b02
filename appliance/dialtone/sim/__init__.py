# SPDX-License-Identifier: Apache-2.0
"""Simulated eNB and phones: sans-IO elements like those of the core, written from the specifications.

They share the codecs and algorithms with the core, and no procedure: what the core says is checked
here as a phone and an eNB would check it. RRC is not simulated; `air.py` says what stands in its place.
"""

# Importing the package registers every handler.
from dialtone.sim import (  # noqa: F401
    attach,
    authentication,
    configuration,
    connection,
    dedicated,
    detach,
    emergency,
    erab,
    esm,
    handover,
    identification,
    information,
    location,
    mobility,
    moving,
    nas_transport,
    overload,
    paging,
    pdn,
    power,
    reset,
    resource,
    retry,
    s1_setup,
    security_mode,
    service,
    sms,
    tracking,
    transaction,
    ue_context,
    warning,
    x2,
)
