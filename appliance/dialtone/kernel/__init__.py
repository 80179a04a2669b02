# SPDX-License-Identifier: Apache-2.0
"""What we ask of the machine: addresses and routes, the firewall, the phones' resolver."""
