# SPDX-License-Identifier: Apache-2.0
"""Benches: `./build.sh bench`. Each row says what it compares, in one run, and where it ran."""
