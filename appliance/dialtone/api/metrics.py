# SPDX-License-Identifier: Apache-2.0
"""Route: figures for Prometheus, in its text format. Names follow its conventions: counters end with `_total`."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from dialtone.api.visit import Student
from dialtone.control import Away

router = APIRouter(tags=["network"])

Sample = tuple[dict[str, str], float]

# Of the core: its name there, our name, type and help.
_METRICS = (
    ("start_time", "dialtone_start_time_seconds", "gauge", "When the core was started, in Unix seconds."),
    ("messages", "dialtone_messages_total", "counter", "Messages received and sent at each reference point."),
    ("procedures", "dialtone_procedures_total", "counter", "Procedures that ended well, and those that failed."),
    ("failures", "dialtone_procedure_failures_total", "counter", "Procedures that failed, by cause."),
    ("events", "dialtone_events_total", "counter", "Whatever else is counted."),
    ("enbs", "dialtone_enbs", "gauge", "eNBs that have set up S1."),
    ("phones", "dialtone_phones", "gauge", "Phones that the MME knows, by EMM and ECM state."),
    ("sessions", "dialtone_sessions", "gauge", "PDN connections at the gateway."),
    ("bearers", "dialtone_bearers", "gauge", "Bearers of phones, by QCI."),
    ("ims_users", "dialtone_ims_users", "gauge", "Users whom the S-CSCF serves."),
    ("calls", "dialtone_calls", "gauge", "Calls under way."),
    ("diameter", "dialtone_diameter_events_total", "counter", "What the Diameter node counts."),
    ("xfrm", "dialtone_xfrm_events_total", "counter", "What the kernel's IPsec refused (/proc/net/xfrm_stat)."),
    ("user_packets", "dialtone_user_packets_total", "counter", "Packets of phones through the user plane."),
    ("user_bytes", "dialtone_user_bytes_total", "counter", "Their octets."),
    ("dropped", "dialtone_user_dropped_packets_total", "counter", "Packets that the user plane dropped, by reason."),
)


class Exposition(PlainTextResponse):
    """The text format of Prometheus."""

    media_type = "text/plain; version=0.0.4"


@router.get("/metrics", response_class=Exposition)
async def metrics(its: Student) -> str:
    """Figures for Prometheus; it logs in with the token as its password (`basic_auth`)."""
    try:
        found: dict[str, Any] = await its.core.call("metrics")
    except Away:
        found = {}
    lines = [*_metric("dialtone_up", "gauge", "Whether the core answers.", [({}, bool(found))])]
    for key, name, kind, what in _METRICS:
        if key in found:
            lines += _metric(name, kind, what, found[key])
    lines += _metric("dialtone_trace_events", "gauge", "Events of the trace that are kept.",
                     [({}, len(its.feed.ring))])
    lines += _metric("dialtone_trace_readers", "gauge", "Readers of the live trace.", [({}, its.feed.readers)])
    return "\n".join(lines) + "\n"


def _metric(name: str, kind: str, what: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {what}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        said = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{said}}} {float(value):.16g}" if said else f"{name} {float(value):.16g}"


def _escaped(label: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", label).replace("\n", "\\n")
