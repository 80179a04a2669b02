# SPDX-License-Identifier: Apache-2.0
"""The simulated phone's IMS client: registration with IPsec, texts, calls and their media; no input or output."""

# Importing the package registers every handler.
from dialtone.sim.ims import (  # noqa: F401
    called,
    calling,
    connection,
    emergency,
    registration,
    session,
    sms,
    subscription,
    text,
)
