# SPDX-License-Identifier: Apache-2.0
"""What every SIP element stands on: flows, transactions, dialogs, the duties of a proxy."""
