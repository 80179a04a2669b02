# SPDX-License-Identifier: Apache-2.0
"""The HTTP side: status, subscribers, the live trace, decoding and diagnosis for people.

A process of its own, joined to the core by the control socket. When it is busy or dead no call drops.
"""
