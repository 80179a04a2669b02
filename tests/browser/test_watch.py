# SPDX-License-Identifier: Apache-2.0
"""The landing page and /watch in a real browser, as a student and as the teacher: no notebook, no kernel."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from conftest import ARGUMENTS, CHROMIUM, SCREENSHOTS

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from api_server import CODE, TEACHER, StandIn, serving
from trace_samples import IMSI

from dialtone.lab.client import Client
from dialtone.trace.bus import Event

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)  # milliseconds, on a machine that does other things, too


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[StandIn, str]]:
    with serving(tmp_path) as (stand_in, url):
        yield stand_in, Client(url).url


@pytest.fixture(params=["light", "dark"])
def page(tmp_path: Path, server: tuple[StandIn, str], request: pytest.FixtureRequest) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, headless=True, args=ARGUMENTS,
            color_scheme=request.param, viewport={"width": 1300, "height": 900})
        window = browser.pages[0] if browser.pages else browser.new_page()
        strangers: list[str] = []
        errors: list[str] = []
        window.on("request", lambda asked: None if asked.url.startswith((server[1], "data:", "blob:")) else
                  strangers.append(asked.url))
        window.on("pageerror", lambda error: errors.append(str(error)))
        yield window
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        window.screenshot(path=SCREENSHOTS / f"{request.node.name}.png".replace("[", "_").replace("]", ""))
        browser.close()
        assert strangers == []
        assert errors == []


def names(rows: Locator) -> list[str]:
    return [str(row.get_attribute("data-name")) for row in rows.all()]


def more(stand_in: StandIn, **changes: object) -> int:
    """Another message; returns its id."""
    newest = stand_in.bus.ring[-1].id + 1
    stand_in.bus._put(stand_in.bus.ring[2]._replace(id=newest, **changes))
    return newest


def test_a_student_watches(page: Page, server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    page.goto(f"{url}/watch?code={CODE}")
    expect(page.locator("#login")).to_be_visible()
    assert CODE not in page.url, "the code does not stay in the address"
    page.get_by_label("Nickname").fill("Ann")
    page.get_by_role("button", name="Come in").click()
    expect(page.locator(".me")).to_contain_text("Ann")
    rows = page.locator(".row:visible")
    attach = page.locator(".row[data-name='Attach request']").first
    expect(attach).to_be_visible()

    # Live: what comes is appended.
    number = more(stand_in, name="Service request")
    expect(page.locator(f"#e{number}")).to_be_visible()

    # Click: decode, hex, state, explain.
    attach.locator(".hit").click()
    expect(page.locator("h4")).to_have_text("Attach request · TS 24.301, 8.2.4")
    expect(page.locator(".dtl-text")).to_contain_text("(Attach request)")
    expect(attach).to_have_class(re.compile("picked"))
    for tab, words in (("Hex", "0000  07 41 71"), ("Explain", "The phone wants to be known here"), ("State", "")):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(".dtl-text")).to_contain_text(words)

    # Filters by point, element and text.
    page.get_by_label("Reference point").select_option("NAS")
    assert {row.get_attribute("data-point") for row in rows.all()} == {"NAS"}
    page.keyboard.press("Escape")
    page.get_by_label("Element").select_option("hss")
    assert {row.get_attribute("data-point") for row in rows.all()} == {"S6a"}
    page.get_by_label("Element").select_option("")
    page.get_by_label("Text").fill("service")
    assert names(rows) == ["Service request"]
    page.get_by_label("Text").press("Escape")
    assert len(rows.all()) > 5

    # Quiz.
    page.get_by_label("Answer").last.fill("nonsense")
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".said")).to_contain_text("not quite")
    assert [answer.nickname for answer in stand_in.box.classroom.answers()] == ["Ann"]


def test_by_keyboard_with_times_and_mates(page: Page, server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    page.goto(f"{url}/watch?token={TEACHER}")
    first = page.locator(".row").first
    expect(first).to_be_visible()
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h4")).to_contain_text("Attach request")
    time = page.locator(".row .time").nth(1)
    expect(time).to_have_text("1000.0 ms")
    page.keyboard.press("t")
    expect(time).to_have_text(re.compile(r"\d\d:\d\d:\d\d\.\d{3}"))
    page.keyboard.press("t")
    expect(time).to_have_text("+1000.0 ms")
    time.click()
    expect(time).to_have_text("1000.0 ms")
    page.keyboard.press("End")
    page.keyboard.press("Home")
    expect(first).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Text")).to_be_focused()

    # Request and answer light up together.
    octets = bytes.fromhex("4820000800000001aabbcc00")
    one = more(stand_in, point="S11", src="mme", dst="pgw", name="Create Session Request", data=octets)
    two = more(stand_in, point="S11", src="pgw", dst="mme", name="Create Session Response", data=octets)
    page.locator(f"#e{one} .hit").hover()
    expect(page.locator(f"#e{two}")).to_have_class(re.compile("mate"))
    expect(first).not_to_have_class(re.compile("mate"))


def test_pause_and_the_end_of_a_class(page: Page, server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    page.goto(f"{url}/watch?token={TEACHER}")
    expect(page.locator(".row").first).to_be_visible()
    page.get_by_role("button", name="pause").click()
    number = more(stand_in, name="Service request")
    page.wait_for_timeout(500)
    expect(page.locator(f"#e{number}")).to_have_count(0)
    page.get_by_role("button", name="go on").click()
    expect(page.locator(f"#e{number}")).to_be_visible()
    stand_in.box.feed.forget()
    expect(page.locator(".row")).to_have_count(0, timeout=20_000)


def test_what_comes_from_outside_is_text(page: Page, server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    page.goto(f"{url}/watch?token={TEACHER}")
    expect(page.locator(".row").first).to_be_visible()
    evil = "<img src=x onerror=document.title='owned'>"
    number = stand_in.bus.ring[-1].id + 1
    stand_in.bus._put(Event(number, 1790000009.0, "rx", "S1-MME", f"enb{evil}", "mme", evil, info=evil))
    expect(page.locator(f"#e{number}")).to_be_visible()
    page.locator(f"#e{number} .hit").click()
    expect(page.locator("h4")).to_contain_text("<img")
    assert page.title() == "Dialtone: watch"


def test_the_teachers_landing_page(page: Page, server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    Client(url, token=CODE).login("Bob")
    page.goto(f"{url}/?token={TEACHER}")
    assert TEACHER not in page.url
    expect(page.locator("#health")).to_contain_text("Dialtone, PLMN 001/01")
    expect(page.locator("#phones")).to_contain_text(IMSI)
    expect(page.locator("#steps")).to_contain_text("An eNB has set up S1")
    expect(page.locator(".code")).to_have_text(CODE)
    expect(page.locator(".qr svg")).to_be_visible()
    expect(page.locator(".progress")).to_contain_text("Bob")
    expect(page.locator("#power")).to_be_hidden()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".code")).to_have_text("The class is closed.")
    page.get_by_role("button", name="Open").click()
    expect(page.locator(".code")).not_to_have_text("The class is closed.")
    assert stand_in.box.access.code not in ("", CODE)
    page.get_by_role("link", name="Documents").click()
    page.get_by_role("link", name="Security").click()
    expect(page.locator("article h1")).to_have_text("Security")


def test_a_students_landing_page_has_no_class_and_no_power(page: Page, server: tuple[StandIn, str]) -> None:
    _, url = server
    page.goto(url)
    page.get_by_label("Class code").fill("zzzz-zzzz")
    page.get_by_role("button", name="Come in").click()
    expect(page.locator("#login .problem")).to_contain_text("nobody's")
    page.get_by_label("Class code").fill(CODE)
    page.get_by_role("button", name="Come in").click()
    expect(page.locator("#health")).to_contain_text("Dialtone, PLMN 001/01")
    for section in ("#class", "#power", "#notebooks"):
        expect(page.locator(section)).to_be_hidden()
