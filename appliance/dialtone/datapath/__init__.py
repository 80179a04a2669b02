# SPDX-License-Identifier: Apache-2.0
"""The user plane: GTP-U on S1-U at one side, a TUN device at the other, the elements' tunnels in between."""
