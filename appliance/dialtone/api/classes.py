# SPDX-License-Identifier: Apache-2.0
"""Routes: tokens, the class, its students and their answers."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from dialtone.api.access import NAME_LIMIT, Role
from dialtone.api.shapes import Class, Done, Me
from dialtone.api.visit import COOKIE, Anybody, Student, Teacher, Visit
from dialtone.control import Away
from dialtone.lab import checks, qr

router = APIRouter(tags=["class"])
Nickname = Annotated[str, Path(max_length=NAME_LIMIT)]
FOREVER = 366 * 24 * 3600  # seconds that a browser stays logged in


class Token(BaseModel):
    """What one has been given, and what one would like to be called."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(default="", max_length=200, description="the teacher's token or the class code")
    nickname: str = Field(default="", max_length=2 * NAME_LIMIT, description="joins the class by this name")


class Reply(BaseModel):
    """The answer to a question of a notebook."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(max_length=20, examples=["03.1"])
    answer: str | None = Field(max_length=500)
    seen: bool = Field(default=False, description="the notebook has found this answer in a trace of its own")


class Picture(Response):
    """An SVG file."""

    media_type = "image/svg+xml"


class Csv(PlainTextResponse):
    """A file for a spreadsheet."""

    media_type = "text/csv"


@router.get("/me")
async def me(its: Anybody) -> Me:
    """Who the asker is: role and nickname."""
    return _me(its)


@router.post("/login")
async def login(given: Token, its: Anybody, response: Response) -> Done:
    """Give a browser a cookie for its token. With the class code and a nickname the answer is a token of the
    student's own."""
    who = its.box.access.who(given.token, its.address) if given.token else its.who
    token = given.token
    if given.nickname and who.role is Role.STUDENT and not who.nickname:
        token = its.box.access.join(given.nickname)
        who = its.box.access.who(token, its.address)
    if token:
        response.set_cookie(COOKIE, token, max_age=FOREVER, httponly=True, samesite="strict")
    return _me(its, who.role, who.nickname) | {"token": token}


@router.post("/logout")
async def logout(its: Anybody, response: Response) -> Done:
    """Take a browser's cookie away."""
    response.delete_cookie(COOKIE)
    return {}


@router.post("/tokens/{role}:rotate")
async def rotate(role: Literal["student", "teacher"], its: Teacher, response: Response) -> Done:
    """Make a new token; whoever came by the old one is out."""
    token = its.box.access.rotate(Role[role.upper()])
    if role == "teacher" and its.by_cookie:
        response.set_cookie(COOKIE, token, max_age=FOREVER, httponly=True, samesite="strict")
    return {"role": role, "token": token}


@router.get("/class")
async def show(its: Teacher) -> Class:
    """The class code and the progress of each student."""
    access, room = its.box.access, its.box.classroom
    return {"open": bool(access.code), "code": access.code, "questions": list(checks.questions()),
            "students": room.progress(access.students)}


@router.post("/class:open")
async def open_class(its: Teacher) -> Done:
    """Open the class, with a new code when it was closed."""
    code = its.box.access.code or its.box.access.rotate(Role.STUDENT)
    return {"open": True, "code": code}


@router.post("/class:close")
async def close_class(its: Teacher) -> Done:
    """Close the class: its code is worth nothing any more, and all answers are deleted."""
    its.box.access.close()
    its.box.classroom.clear()
    return {"open": False}


@router.post("/class:reset")
async def reset(its: Teacher) -> Done:
    """Begin anew with the same students: simulated phones are switched off and mended; texts, answers and the trace are
    deleted. SIM cards stay."""
    its.box.classroom.clear()
    try:
        phones = len(await its.sim.call("sim.reset", 120.0))
    except Away:
        phones = 0  # there are none
    found = await its.core.call("class.forget")
    its.feed.forget()
    return {"phones": phones, **found}


@router.get("/class/questions")
async def questions(its: Student) -> Done:
    """The questions of the notebooks that can be answered."""
    return {"questions": checks.questions()}


@router.get("/class/code.svg", response_class=Picture)
async def code(its: Teacher, link: Annotated[str, Query(max_length=100)]) -> Response:
    """A link as QR code, for the projector."""
    return Picture(qr.svg(link, 4))


@router.delete("/class/students/{nickname}")
async def expel(nickname: Nickname, its: Teacher) -> Done:
    """Take a student out, with the answers; the name is free again."""
    its.box.access.leave(nickname)
    its.box.classroom.clear(nickname)
    return {}


@router.post("/class/answers")
async def answer(reply: Reply, its: Student) -> Done:
    """Check an answer; that of a student who has joined is noted."""
    def own(message: str, field: str) -> set[str]:
        """Where the answer is another one in each trace, the notebook's word is taken."""
        return {str(reply.answer)} if message and reply.seen else set()

    right, text = checks.check(reply.question, reply.answer, own)
    if its.who.nickname and reply.answer is not None:
        its.box.classroom.take(its.who.nickname, reply.question, reply.answer, right)
    return {"right": right, "text": text, "noted": bool(its.who.nickname)}


@router.get("/class/answers.csv", response_class=Csv)
async def answers(its: Teacher) -> Response:
    """All answers, for a spreadsheet."""
    return Csv(its.box.classroom.table(),
               headers={"Content-Disposition": 'attachment; filename="dialtone-answers.csv"'})


def _me(its: Visit, role: Role | None = None, nickname: str = "") -> dict[str, Any]:
    role = its.who.role if role is None else role
    return {"role": role.name.lower(), "nickname": nickname or its.who.nickname, "class": bool(its.box.access.code)}
