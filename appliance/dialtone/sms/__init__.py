# SPDX-License-Identifier: Apache-2.0
"""The SMS centre (TS 23.040) with the duties of an IP-SM-GW (TS 23.204): importing it registers its handlers."""

from dialtone.sms import alert, cancel, forget, over_ip, over_nas, page_mode, queue, submission

__all__ = ["alert", "cancel", "forget", "over_ip", "over_nas", "page_mode", "queue", "submission"]
