# SPDX-License-Identifier: Apache-2.0
"""Our documents as HTML: every one of them, and what is inside is text."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dialtone.api import markdown
from dialtone.api.pages import DOCUMENTS


class Checker(HTMLParser):
    """Whatever is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.links += [str(value) for name, value in attributes if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", sorted(DOCUMENTS.glob("*.md")), ids=lambda path: path.stem)
def test_every_document(path: Path) -> None:
    text = path.read_text("utf-8")
    found = markdown.html(text)
    checker = Checker()
    checker.feed(found)
    assert checker.open == []
    assert found.startswith("<h1>")
    assert len(re.findall("<h2>", found)) == len(re.findall("(?m)^## ", re.sub(r"(?s)```.*?```", "", text)))
    names = {document.stem for document in DOCUMENTS.glob("*.md")}
    for link in checker.links:
        assert link.startswith("http") or link == "/docs/" or link.removeprefix("/docs/") in names


@pytest.mark.parametrize(("text", "html"), [
    ("# A *b* **c**", "<h1>A <em>b</em> <strong>c</strong></h1>"),
    ("see `<b>` and [that](security.md#keys)",
     '<p>see <code>&lt;b&gt;</code> and <a href="/docs/security">that</a></p>'),
    ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
    ("* one\n  more\n* two", "<ul><li>one\n  more</li><li>two</li></ul>"),
    ("| a | b |\n|---|---|\n| 1 | `x` |",
     "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td><code>x</code></td></tr></table>"),
    ("```\n*x*\n```", "<pre>*x*\n</pre>"),
    ("[x](javascript:alert(1))", '<p><a href="/docs/">x</a>)</p>'),
    ('[x](http://a/"onclick=1)', '<p><a href="http://a/&quot;onclick=1">x</a></p>'),
])
def test_pieces(text: str, html: str) -> None:
    assert markdown.html(text) == html
