# SPDX-License-Identifier: Apache-2.0
"""Rx beside the gateway (TS 29.214): what an application function, the P-CSCF, tells of a call becomes its bearers."""
