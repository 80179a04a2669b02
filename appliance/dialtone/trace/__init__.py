# SPDX-License-Identifier: Apache-2.0
"""Everything that is seen: the bus and its ring, record and replay, export, ladder, diagnosis."""
