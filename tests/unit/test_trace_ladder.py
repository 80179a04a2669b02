# SPDX-License-Identifier: Apache-2.0
"""The ladder as SVG and as text."""

import time
import xml.etree.ElementTree as ET

from trace_samples import IMSI, sample

from dialtone.trace.bus import Event
from dialtone.trace.ladder import LIMIT, Ladder, columns_of, svg, text_ladder

SVG = "{http://www.w3.org/2000/svg}"


def rows(picture: str) -> list[ET.Element]:
    return [g for g in ET.fromstring(picture).iter(f"{SVG}g") if "row" in (g.get("class") or "").split()]


def test_columns_stand_in_their_order() -> None:
    assert columns_of(reversed(sample())) == ["UE", "enb1", "mme", "pgw", "hss"]


def test_an_enb_that_comes_back_keeps_its_column() -> None:
    setup = sample()[0]
    events = [setup._replace(src="10.0.1.9:5001"), setup._replace(id=2, src="10.0.1.9:6002")]
    assert columns_of(events) == ["eNB 10.0.1.9", "mme"]
    assert len(rows(svg(events))) == 2


def test_every_row_is_reachable_and_says_what_it_is() -> None:
    found = rows(svg(sample()))
    assert len(found) == len(sample()) - 1  # the identity event is for programs
    assert all(row.get("tabindex") == "0" and row.get("role") == "button" for row in found)
    attach = next(row for row in found if row.get("data-name") == "Attach request")
    assert (attach.get("id"), attach.get("data-point"), attach.get("data-imsi")) == ("e3", "NAS", IMSI)
    assert attach.get("aria-label") == "NAS Attach request, mme-ue-1 to mme"


def test_one_phone() -> None:
    names = [row.get("data-name") for row in rows(svg(sample(), IMSI))]
    assert names == ["InitialUEMessage", "Attach request", "EMM", "Authentication-Information Request",
                     "Authentication request", "Security mode command", "attach"]


def test_arrows_go_from_sender_to_receiver() -> None:
    picture = rows(svg(sample()))
    up = next(row for row in picture if row.get("data-name") == "Attach request").find(f"{SVG}line")
    down = next(row for row in picture if row.get("data-name") == "Authentication request").find(f"{SVG}line")
    assert up is not None
    assert down is not None
    assert int(up.attrib["x1"]) < int(up.attrib["x2"])
    assert int(down.attrib["x1"]) > int(down.attrib["x2"])


def test_appending_gives_the_same_picture_as_drawing_at_once() -> None:
    events = sample()
    for cut in range(len(events) + 1):
        grown = Ladder(events[:cut], IMSI)
        grown.append(events[cut:])
        assert grown.svg() == svg(events, IMSI)


def test_append_returns_only_new_rows_while_the_columns_stay() -> None:
    events = sample()
    ladder = Ladder(events)
    more = ladder.append([events[2]._replace(id=99, time=events[-1].time + 1)])
    assert more is not None
    assert more.count('class="row') == 1
    assert 'id="e99"' in more
    assert more in ladder.svg()
    assert ladder.append([events[0]._replace(src="enb2")]) is None


def test_names_from_outside_cannot_break_out() -> None:
    evil = '"><script>alert(1)</script>'
    event = Event(1, 1.0, "rx", "S1-MME", evil, "mme", evil, evil, info=evil)
    ET.fromstring(svg([event]))
    assert "<script" not in svg([event])


def test_a_long_trace_keeps_its_newest_rows() -> None:
    event = sample()[2]
    ladder = Ladder(event._replace(id=number) for number in range(LIMIT + 50))
    assert len(ladder.rows) == LIMIT
    assert ladder.rows[-1].id == LIMIT + 49
    start = time.perf_counter()
    ladder.svg()
    assert time.perf_counter() - start < 2


def test_no_event_no_crash() -> None:
    assert rows(svg([])) == []
    assert text_ladder([]) == "\n"


def test_text() -> None:
    assert text_ladder(sample()[:8]) == """\
UE      enb1    MME     S/P-GW  HSS
|       |------>|       |       |       S1-MME  S1SetupRequest
|       |------>|       |       |       S1-MME  InitialUEMessage
|-------------->|       |       |       NAS     Attach request
|       |       *       |       |       EMM: EMM-DEREGISTERED -> EMM-COMMON
|       |       |-------------->|       S6a     Authentication-Information Request
|<--------------|       |       |       NAS     Authentication request
|       |       |------>|       |       S11     Echo Request
"""


def test_long_names_get_wide_columns_in_text() -> None:
    setup = sample()[0]._replace(src="10.0.1.134:40001")
    assert text_ladder([setup]) == """\
eNB 10.0.1.134  MME
|-------------->|               S1-MME  S1SetupRequest
"""
