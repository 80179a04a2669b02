# SPDX-License-Identifier: Apache-2.0
"""Numbers that answer by themselves: an echo, a dial tone, what the network knows of the call, and the emergency desk.

So one phone alone can try voice. To the S-CSCF this is an application server on ISC.
"""

from dialtone.answer import call, session
from dialtone.answer.element import AnswerServices

__all__ = ["AnswerServices", "call", "session"]
