# SPDX-License-Identifier: Apache-2.0
"""Errors as RFC 9457 problem details, each with a `remedy`; and the guard against other people's web pages."""

from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from dialtone.api.access import WINDOW, TooManyGuesses, WrongToken
from dialtone.api.visit import COOKIE, NotAllowed, NoToken
from dialtone.control import Away, Defect
from dialtone.errors import DialtoneError, LocalError


class Missing(DialtoneError):
    """What the path names does not exist."""


class Busy(LocalError):
    """There is no room for more just now."""


_TOKEN = "Open the link that the appliance printed, or ask your teacher for the class code."


def problem(status: int, detail: str, remedy: str = "", **more: Any) -> Response:
    """One problem document."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail,
            "remedy": remedy, **more}
    return JSONResponse(body, status, media_type="application/problem+json")


class Problem(BaseModel):
    """What every error looks like (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str


class Guard:
    """Lets through requests to `hosts` or an address only, and changes only from our own pages.

    The host check keeps a foreign name that resolves to us (DNS rebinding) and the origin check a foreign
    page from steering the appliance through the user's browser.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin", "")
        name = host.strip("[]") if host.endswith("]") else host.rsplit(":", 1)[0].strip("[]")
        if self.hosts and name not in self.hosts and not _is_address(name):
            return problem(403, f"This is not {name!r}.", f"Use one of: {', '.join(sorted(self.hosts))}.")
        if origin and scope["method"] not in ("GET", "HEAD") and origin.split("://", 1)[-1] != host:
            return problem(403, f"A page of {origin} may not change anything here.", "Use the lab or the CLI.")
        return None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _with(answer: Response, headers: dict[str, str]) -> Response:
    answer.headers.update(headers)
    return answer


def install(app: FastAPI, hosts: frozenset[str]) -> None:
    """Turn every error of `app` into a problem, and guard it; no `hosts` means any."""
    app.add_middleware(Guard, hosts=hosts)

    @app.exception_handler(Away)
    async def away(request: Request, error: Away) -> Response:
        return problem(503, error.text, error.remedy)

    @app.exception_handler(Defect)
    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> Response:
        return problem(500, "A defect of the program stopped this.", "Its log says more; please report it.")

    @app.exception_handler(Busy)
    async def busy(request: Request, error: Busy) -> Response:
        return problem(503, error.text, error.remedy)

    @app.exception_handler(NoToken)
    async def no_token(request: Request, error: NoToken) -> Response:
        return _with(problem(401, str(error), _TOKEN), {"WWW-Authenticate": "Bearer"})

    @app.exception_handler(WrongToken)
    async def wrong_token(request: Request, error: WrongToken) -> Response:
        answer = _with(problem(401, str(error), _TOKEN), {"WWW-Authenticate": "Bearer"})
        if COOKIE in request.cookies:
            answer.delete_cookie(COOKIE)  # or the browser would go on guessing with it
        return answer

    @app.exception_handler(TooManyGuesses)
    async def too_many(request: Request, error: TooManyGuesses) -> Response:
        return _with(problem(429, str(error), f"Wait for {WINDOW:.0f} seconds. {_TOKEN}"),
                     {"Retry-After": f"{WINDOW:.0f}"})

    @app.exception_handler(NotAllowed)
    async def not_allowed(request: Request, error: NotAllowed) -> Response:
        return problem(403, str(error), "Students read and answer questions. The teacher's token may do the rest.")

    @app.exception_handler(Missing)
    async def missing(request: Request, error: Missing) -> Response:
        return problem(404, str(error), "GET /api/v1/trace lists what is kept.")

    @app.exception_handler(DialtoneError)
    async def refused(request: Request, error: DialtoneError) -> Response:
        if isinstance(error, LocalError):
            return problem(422, error.text, error.remedy)
        return problem(422, str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        # Never the input itself: it may hold a key.
        faults = [f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()]
        return problem(422, "; ".join(faults), "See /openapi.json for what is expected.")

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        remedy = "See /openapi.json for the paths." if error.status_code == 404 else ""
        return problem(error.status_code, str(error.detail), remedy)
