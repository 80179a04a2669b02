# SPDX-License-Identifier: Apache-2.0
"""The lab kernel: which features this kernel has, and user-mode Linux where some are missing."""
