# SPDX-License-Identifier: Apache-2.0
"""Routes: the pages for browsers. They hold no data: what they show they ask of the API, by its visitor's token."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from dialtone.api import markdown
from dialtone.api.problems import Missing
from dialtone.api.visit import Anybody

router = APIRouter(include_in_schema=False)

_KINDS = {".js": "text/javascript", ".css": "text/css"}
_FILES = {
    **dict.fromkeys(("page.js", "page.css", "index.js", "watch.js"), "api/web"),
    **dict.fromkeys(("ladder.js", "ladder.css"), "lab"),
}
DOCUMENTS = Path(__file__).parents[3] / "docs"
# The ladder brings its colours along; nothing else is allowed that did not come from here.
_HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"}


@cache
def _read(name: str, place: str = "api/web") -> str:
    return (files("dialtone") / place / name).read_text("utf-8")


@router.get("/")
async def landing(its: Anybody) -> Response:
    """The landing page."""
    return HTMLResponse(_read("index.html"), headers=_HEADERS)


@router.get("/watch")
async def watch(its: Anybody) -> Response:
    """The live ladder."""
    return HTMLResponse(_read("watch.html"), headers=_HEADERS)


@router.get("/static/{file}")
async def static(file: str, its: Anybody) -> Response:
    """What the pages are made of."""
    if file not in _FILES:
        raise Missing(f"There is no {file}.")
    return Response(_read(file, _FILES[file]), media_type=_KINDS["." + file.rpartition(".")[2]], headers=_HEADERS)


@router.get("/docs/")
async def documents(its: Anybody) -> Response:
    """The documents that there are."""
    names = sorted(path.stem for path in DOCUMENTS.glob("*.md"))
    return _document("Documents", "\n".join(f"* [{name.capitalize()}](/docs/{name})" for name in names))


@router.get("/docs/{name}")
async def document(name: str, its: Anybody) -> Response:
    """One document, offline."""
    name = name.removesuffix(".md")
    if name not in {path.stem for path in DOCUMENTS.glob("*.md")}:
        raise Missing(f"There is no document {name}.")
    return _document(name.capitalize(), (DOCUMENTS / f"{name}.md").read_text("utf-8"))


def _document(title: str, text: str) -> Response:
    page = _read("document.html")
    return HTMLResponse(page.replace("{title}", title).replace("{body}", markdown.html(text)), headers=_HEADERS)
