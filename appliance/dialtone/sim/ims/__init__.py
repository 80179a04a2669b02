# SPDX-License-Identifier: Apache-2.0
"""The simulated phone's IMS client: registration with IPsec, texts, calls and their media; no input or output."""

# Importing the package registers every handler.
from dialtone.sim.ims import called, calling, connection, registration, session, sms, subscription, text  # noqa: F401
