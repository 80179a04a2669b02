# SPDX-License-Identifier: Apache-2.0
"""Authentication functions, the EPS key tree and NAS security. Pure: keys and randomness are passed in."""
