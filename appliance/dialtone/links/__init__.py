# SPDX-License-Identifier: Apache-2.0
"""How octets travel: kernel SCTP, UDP, TCP, or a pair in memory. All have the same few methods."""
