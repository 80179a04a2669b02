# SPDX-License-Identifier: Apache-2.0
"""S-CSCF with the I-CSCF's duties (TS 24.229, 5.3 and 5.4): registrations, subscriptions to them, sessions."""
