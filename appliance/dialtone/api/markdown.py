# SPDX-License-Identifier: Apache-2.0
"""Our own documents as HTML: as much of Markdown as they use, and not a word of HTML from inside them."""

import re
from collections.abc import Iterator
from html import escape

_BLOCKS = re.compile(r"^(```.*\n[\s\S]*?^```|#{1,6} .*|(?:\|.*\n?)+|(?:[*-] .*(?:\n  .*)*\n?)+|(?:[^\n]+\n?)+)",
                     re.MULTILINE)
_INLINE = ((re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"), (re.compile(r"(?<!\*)\*([^*]+)\*"), r"<em>\1</em>"))
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def html(text: str) -> str:
    """The body of a page."""
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    return "\n".join(_block(found[1]) for found in _BLOCKS.finditer(text))


def _block(text: str) -> str:
    if text.startswith("```"):
        return f"<pre>{escape(text.partition(chr(10))[2].removesuffix('```'))}</pre>"
    if text.startswith("#"):
        level, _, words = text.partition(" ")
        return f"<h{len(level)}>{_words(words)}</h{len(level)}>"
    if text.startswith("|"):
        return f"<table>{''.join(_rows(text))}</table>"
    if text.startswith(("* ", "- ")):
        items = re.split(r"^[*-] ", text, flags=re.MULTILINE)[1:]
        return f"<ul>{''.join(f'<li>{_words(item)}</li>' for item in items)}</ul>"
    return f"<p>{_words(text)}</p>"


def _rows(text: str) -> Iterator[str]:
    head, *rows = (re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in text.strip().splitlines())
    yield f"<tr>{''.join(f'<th>{_words(cell)}</th>' for cell in head)}</tr>"
    for row in rows[1:]:
        yield f"<tr>{''.join(f'<td>{_words(cell)}</td>' for cell in row)}</tr>"


def _words(text: str) -> str:
    """Code stays as it is; everything else may be strong, stressed or a link."""
    parts = re.split(r"`([^`]+)`", text.strip())
    for at, part in enumerate(parts):
        part = escape(part.replace("\\|", "|"))
        if at % 2:
            parts[at] = f"\0{part}\0"
            continue
        for pattern, form in _INLINE:
            part = pattern.sub(form, part)
        parts[at] = part
    joined = _LINK.sub(lambda link: f'<a href="{_target(link[2])}">{link[1]}</a>', "".join(parts))
    return re.sub("\0([^\0]*)\0", r"<code>\1</code>", joined)


def _target(where: str) -> str:
    """Documents among themselves; what is no document is not here, and the link says so by leading to the list."""
    if where.startswith(("http://", "https://", "/")):
        return where
    name = where.partition("#")[0]
    return f"/docs/{name.removesuffix('.md')}" if name.endswith(".md") and "/" not in name else "/docs/"
