# SPDX-License-Identifier: Apache-2.0
"""The cause in a verdict's sentence, as few words as can be counted: `cause 15`, `ESM cause 27`, `SIP 403`, `T3450`."""

import re

OTHER = "other"
_CAUSES = (
    (re.compile(r"\b((?:ESM |RP |CP |GTP )?cause) #?(\d{1,3})\b"), "{0} {1}"),
    (re.compile(r"(#)(\d{1,3})\b"), "cause {1}"),
    (re.compile(r"\b(radioNetwork|transport|nas|protocol|misc): ([a-z][a-z0-9-]{1,60})"), "{0}: {1}"),
    (re.compile(r"\b(T\d{4}) expired"), "{0}"),
    (re.compile(r"(?:^|: |, )([3-6]\d\d) [A-Z]"), "SIP {0}"),
    (re.compile(r"does not answer|did not answer|does not confirm|never confirmed|no answer"), "no answer"),
)


def cause_of(text: str) -> str:
    """The cause that a sentence names; `other` for none. There are not many, whatever strangers send."""
    for pattern, form in _CAUSES:
        if found := pattern.search(text):
            return form.format(*found.groups())
    return OTHER
