# SPDX-License-Identifier: Apache-2.0
"""One request: who asks, and whom to ask. Each route says by the type of its argument `its` who may use it.

    its: Anybody      no token needed
    its: Student      the class code, or a session; never keys, nor other people's texts
    its: Teacher      the teacher's token, or the unix socket of this machine
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from dialtone.api.access import Access, Role, TooManyGuesses, Who, WrongToken
from dialtone.errors import DialtoneError

if TYPE_CHECKING:
    from dialtone.api.classroom import Classroom
    from dialtone.api.decoder import Decoder
    from dialtone.api.feed import Feed
    from dialtone.control import AsyncClient

COOKIE = "dialtone"


class NoToken(DialtoneError):
    """The route needs a token, and there is none."""


class NotAllowed(DialtoneError):
    """The token is good, and not for this."""


@dataclass(slots=True)
class Appliance:
    """The other processes, and what this one keeps of them."""

    core: "AsyncClient"
    sim: "AsyncClient"
    feed: "Feed"
    decoder: "Decoder"
    access: Access
    classroom: "Classroom"
    socket: str  # the file of our own socket
    power: bool = False  # the machine may be switched off from here
    notebooks: str = ""  # where they are; JupyterLab's port on the same machine when empty


@dataclass(slots=True)
class Visit:
    """Who asks, and what there is to ask."""

    box: Appliance
    who: Who
    address: str = ""
    by_cookie: bool = False  # it is a browser

    @property
    def core(self) -> "AsyncClient":
        """The core."""
        return self.box.core

    @property
    def sim(self) -> "AsyncClient":
        """The simulated phones."""
        return self.box.sim

    @property
    def feed(self) -> "Feed":
        """The trace."""
        return self.box.feed

    @property
    def trusted(self) -> bool:
        """Whether keys and texts may be shown."""
        return self.who.role is Role.TEACHER


def allow(least: Role) -> Callable[[Request], Awaitable[Visit]]:
    """The dependency of the routes for `least` and those above."""

    async def visit(request: Request) -> Visit:
        box: Appliance = request.app.state.appliance
        token, address = token_of(request), request.client.host if request.client else ""
        try:
            who = Who(Role.TEACHER) if is_local(request, box.socket) else box.access.who(token, address)
        except (WrongToken, TooManyGuesses):
            if least is not Role.ANYBODY:
                raise
            who = Who()
        if who.role < least:
            if who.role is Role.ANYBODY:
                raise NoToken("This needs a token.")
            raise NotAllowed("This is for the teacher.")
        return Visit(box, who, address, by_cookie=COOKIE in request.cookies)

    visit.role = least  # type: ignore[attr-defined]
    return visit


def is_local(request: HTTPConnection, socket: str) -> bool:
    """Whether it came by the unix socket: whoever may open that file is the teacher."""
    server = request.scope.get("server")
    return server is not None and tuple(server) == (socket, None)


def token_of(request: HTTPConnection) -> str:
    """What was given: `Authorization: Bearer`, the password of `Authorization: Basic`, or the cookie of a browser."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return "?"  # something was given, and it is wrong
    return request.cookies.get(COOKIE, "")


Anybody = Annotated[Visit, Depends(allow(Role.ANYBODY))]
Student = Annotated[Visit, Depends(allow(Role.STUDENT))]
Teacher = Annotated[Visit, Depends(allow(Role.TEACHER))]
