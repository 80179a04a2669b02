# SPDX-License-Identifier: Apache-2.0
"""The notebooks in a real browser: all cells run, and a click on the ladder takes a message apart."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from conftest import SCREENSHOTS, Jupyter

pytestmark = pytest.mark.browser
SLOWLY = 120_000  # milliseconds


PANEL = "window.jupyterapp?.shell?.currentWidget"
KERNEL_READY = f"""() => {{ const kernel = {PANEL}?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === 'connected' && kernel.status === 'idle'; }}"""
CELLS_RAN = f"""() => {{ const cells = {PANEL}.content.widgets.filter((cell) => cell.model.type === 'code');
    return cells.every((cell) => cell.model.executionCount !== null); }}"""
ERRORS = f"""() => {PANEL}.content.widgets.filter((cell) => cell.model.type === 'code')
    .flatMap((cell) => cell.model.outputs.toJSON()).filter((output) => output.output_type === 'error')
    .map((output) => output.ename + ': ' + output.evalue)"""
"""Asked of JupyterLab itself: cells out of sight are not in the page."""


def run_all(page: Page) -> None:
    """Menu Run, Run All Cells; wait until every cell has run, and none failed."""
    # A run before the kernel is there would ask which kernel to take.
    page.wait_for_function(KERNEL_READY, timeout=SLOWLY)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(f"() => ({CELLS_RAN})() || ({ERRORS})().length", timeout=SLOWLY)
    assert page.evaluate(ERRORS) == []


def first_ladder(page: Page) -> Locator:
    """The first ladder of the notebook, scrolled to: only what is near is drawn."""
    page.evaluate(f"""() => {{ const notebook = {PANEL}.content;
        return notebook.scrollToItem(notebook.widgets.findIndex((cell) =>
            cell.model.type === 'code' && cell.model.sharedModel.source.includes('lab.ladder('))); }}""")
    ladder = page.locator(".dtl").first
    expect(ladder.locator("svg.dt")).to_be_visible(timeout=SLOWLY)
    return ladder


def test_attach_notebook_shows_and_opens_the_ladder(page: Page, jupyter: Jupyter) -> None:
    page.goto(jupyter.notebook("03_attach"))
    run_all(page)
    ladder = first_ladder(page)

    row = ladder.locator(".row[data-point='NAS'][data-name='Attach request']").last
    row.locator(".hit").click()
    expect(ladder.locator("h4")).to_have_text("Attach request · TS 24.301, 8.2.4", timeout=SLOWLY)
    expect(ladder.locator(".dtl-text")).to_contain_text("(Attach request)")
    expect(row).to_have_class(re.compile("picked"))

    ladder.get_by_role("tab", name="Hex").click()
    expect(ladder.locator(".dtl-text")).to_contain_text("0000  ")
    ladder.get_by_role("tab", name="Explain").click()
    expect(ladder.locator(".dtl-text")).to_contain_text("The phone wants to be known here")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "03_attach.png")


def test_the_ladder_by_keyboard_and_filter(page: Page, jupyter: Jupyter) -> None:
    page.goto(jupyter.notebook("03_attach"))
    run_all(page)
    ladder = first_ladder(page)
    ladder.get_by_label("Reference point").select_option("S11")
    seen = ladder.locator(".row:visible")
    assert {row.get_attribute("data-point") for row in seen.all()} == {"S11"}
    seen.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(ladder.locator("h4")).to_contain_text("Create Session Response", timeout=SLOWLY)


def test_welcome_runs(page: Page, jupyter: Jupyter) -> None:
    page.goto(jupyter.notebook("00_welcome"))
    run_all(page)
    first_ladder(page)
