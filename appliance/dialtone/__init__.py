# SPDX-License-Identifier: Apache-2.0
"""Dialtone: a private VoLTE network in a box."""

__version__ = "0.1.0"
