# SPDX-License-Identifier: Apache-2.0
"""Bytes to messages and back: pure, strict, without state. One package or file a protocol."""
