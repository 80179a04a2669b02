# SPDX-License-Identifier: Apache-2.0
"""Routes: the simulated phones, where they run beside the core."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from dialtone.api.shapes import Done, Rows, SimPhones
from dialtone.api.visit import Student, Teacher, Visit

router = APIRouter(prefix="/sim", tags=["simulated phones"])


class Program(BaseModel):
    """A program to run on a phone."""

    model_config = ConfigDict(extra="forbid")

    argv: list[str] = Field(min_length=1, examples=[["ping", "-c", "3", "10.45.0.1"]])
    timeout: float = Field(default=30.0, gt=0, le=600, description="seconds")


class Wish(BaseModel):
    """A dedicated bearer for a phone to ask for; rates both ways in kbit/s, flows as IPFilterRules."""

    model_config = ConfigDict(extra="forbid")

    apn: str = "internet"
    qci: int = 8
    gbr: int = 0
    mbr: int = 0
    filters: list[str] = Field(min_length=1, examples=[["permit out 17 from 192.0.2.7 5000 to assigned"]])


class Fault(BaseModel):
    """A mistake for a phone to make; null mends it."""

    model_config = ConfigDict(extra="forbid")

    fault: str | None = Field(default=None, examples=["op_as_opc"])


@router.get("/phones")
async def phones(its: Student) -> SimPhones:
    """Every simulated phone and its state."""
    return [line if its.trusted else _discreet(line) for line in await its.sim.call("sim.status")]


@router.get("/enbs")
async def enbs(its: Student) -> Rows:
    """Every simulated eNB and its state."""
    return await its.sim.call("sim.enbs")


class Areas(BaseModel):
    """What an eNB broadcasts; what is left out stays. `keep`: its phones stay connected."""

    model_config = ConfigDict(extra="forbid")

    plmn: str | None = Field(default=None, examples=["001/01"])
    tac: int | None = None
    keep: bool | None = None


@router.post("/enbs/{enb}:announce")
async def announce(enb: str, areas: Areas, its: Teacher) -> Done:
    """Let an eNB broadcast another PLMN or tracking area: it sets up S1 anew, or says so with `keep`."""
    return await its.sim.call("sim.enb", 60.0, enb=enb, **areas.model_dump(exclude_none=True))


@router.get("/phones/{imsi}/sms")
async def inbox(imsi: str, its: Student) -> Rows:
    """The short messages that came, and over which path."""
    return _sealed(its, await its.sim.call("sim.inbox", imsi=imsi))


def _discreet(line: dict[str, Any]) -> dict[str, Any]:
    """A phone's line without its last words where they may be those of a text."""
    ims = line.get("in_ims")
    return line | {"in_ims": ims | {"last": ""}} if ims and ims["texts"] else line


def _sealed(its: Visit, texts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What texts say is for the teacher; students see that they came."""
    return texts if its.trusted else [{**text, "text": None, "length": len(text["text"])} for text in texts]


@router.get("/phones/{imsi}/sms/sent")
async def sent(imsi: str, its: Student) -> Rows:
    """The latest short messages that the phone sent, and what it knows of them."""
    return await its.sim.call("sim.sent", imsi=imsi)


class Text(BaseModel):
    """A text for a phone to send."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(examples=["+15550102"])
    text: str
    report: bool = False
    over: Literal["auto", "ip", "nas"] = "auto"


@router.post("/phones/{imsi}:sms")
async def sms(imsi: str, new: Text, its: Teacher) -> Done:
    """It sends a short message; answers when the service centre has it, or not."""
    return await its.sim.call("sim.sms", 60.0, imsi=imsi, **new.model_dump())


class Memory(BaseModel):
    """Whether there is room for short messages."""

    model_config = ConfigDict(extra="forbid")

    full: bool
    over: Literal["auto", "ip", "nas"] = "auto"


@router.post("/phones/{imsi}:memory")
async def memory(imsi: str, room: Memory, its: Teacher) -> Done:
    """Its memory is full, or has room again, which the network is told."""
    return await its.sim.call("sim.memory", 60.0, imsi=imsi, **room.model_dump())


@router.post("/phones/{imsi}:attach")
async def attach(imsi: str, its: Teacher) -> Done:
    """Switch the phone on: it attaches."""
    return await its.sim.call("sim.attach", 60.0, imsi=imsi)


@router.post("/phones/{imsi}:detach")
async def detach(imsi: str, its: Teacher, switch_off: bool = False) -> Done:
    """Detach the phone."""
    return await its.sim.call("sim.detach", 60.0, imsi=imsi, switch_off=switch_off)


@router.post("/phones/{imsi}:open")
async def open_pdn(imsi: str, apn: str, its: Teacher) -> Done:
    """Let the phone connect to an APN, besides those it has."""
    return await its.sim.call("sim.open", 60.0, imsi=imsi, apn=apn)


@router.post("/phones/{imsi}:close")
async def close_pdn(imsi: str, apn: str, its: Teacher) -> Done:
    """Let the phone disconnect from an APN; from its last one only a detach does."""
    return await its.sim.call("sim.close", 60.0, imsi=imsi, apn=apn)


@router.post("/phones/{imsi}:ask")
async def ask(imsi: str, wish: Wish, its: Teacher) -> Done:
    """Let the phone ask for a dedicated bearer."""
    return await its.sim.call("sim.ask", 60.0, imsi=imsi, **wish.model_dump())


@router.post("/phones/{imsi}:drop")
async def drop(imsi: str, ebi: int, its: Teacher) -> Done:
    """Let the phone give a dedicated bearer back."""
    return await its.sim.call("sim.drop", 60.0, imsi=imsi, ebi=ebi)


@router.post("/phones/{imsi}:power")
async def power(imsi: str, its: Teacher) -> Done:
    """Switch the phone off without a word and on again: it forgets sticky causes."""
    return await its.sim.call("sim.power", 60.0, imsi=imsi)


@router.post("/phones/{imsi}:idle")
async def idle(imsi: str, its: Teacher) -> Done:
    """Let the eNB find the phone quiet, and release its connection."""
    return await its.sim.call("sim.idle", imsi=imsi)


@router.post("/phones/{imsi}:service")
async def service(imsi: str, its: Teacher, extended: bool = False, call: bool = False) -> Done:
    """Let an idle phone ask for its bearers; `call`: for a call in a circuit switched network."""
    return await its.sim.call("sim.service", 60.0, imsi=imsi, extended=extended, call=call)


@router.post("/phones/{imsi}:update")
async def update(imsi: str, its: Teacher, active: bool = False, periodic: bool = False) -> Done:
    """Let the phone update its tracking area."""
    return await its.sim.call("sim.update", 60.0, imsi=imsi, active=active, periodic=periodic)


@router.post("/phones/{imsi}:handover")
async def handover(imsi: str, its: Teacher, enb: str, s1: bool = False, forward: bool = True,
                   direct: bool = True) -> Done:
    """Hand the phone over to another simulated eNB, by X2 or by way of the MME."""
    return await its.sim.call("sim.handover", 60.0, imsi=imsi, enb=enb, s1=s1, forward=forward, direct=direct)


@router.post("/phones/{imsi}:exec")
async def execute(imsi: str, program: Program, its: Teacher) -> Done:
    """Run a program on the phone, its packets going through the LTE bearer."""
    return await its.sim.call("sim.exec", program.timeout + 10, imsi=imsi, argv=program.argv, timeout=program.timeout)


@router.post("/phones/{imsi}:break")
async def break_it(imsi: str, fault: Fault, its: Teacher) -> Done:
    """Give the phone a fault for the next attach."""
    return await its.sim.call("sim.break", imsi=imsi, fault=fault.fault)


class Words(BaseModel):
    """A text for somebody."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(min_length=1, max_length=200, examples=["1002"])
    text: str = Field(max_length=10_000, examples=["Hello"])


@router.post("/phones/{imsi}:register")
async def register(imsi: str, its: Teacher) -> Done:
    """Let the phone register to IMS, or refresh its registration."""
    return await its.sim.call("sim.ims-register", 60.0, imsi=imsi)


@router.post("/phones/{imsi}:deregister")
async def deregister(imsi: str, its: Teacher) -> Done:
    """Let the phone leave IMS."""
    return await its.sim.call("sim.ims-deregister", 60.0, imsi=imsi)


@router.post("/phones/{imsi}:text")
async def text(imsi: str, words: Words, its: Teacher) -> Done:
    """Let the phone send a text to a number or URI."""
    return await its.sim.call("sim.text", 60.0, imsi=imsi, to=words.to, text=words.text)


@router.get("/phones/{imsi}/texts")
async def texts(imsi: str, its: Student) -> Rows:
    """The texts that have come to the phone."""
    return _sealed(its, await its.sim.call("sim.texts", imsi=imsi))


@router.post("/phones/{imsi}:call")
async def call(imsi: str, to: str, its: Teacher, video: bool = False) -> Done:
    """Let the phone call a number or URI; answers when the call is answered or has failed."""
    return await its.sim.call("sim.call", 60.0, imsi=imsi, to=to, video=video)


@router.post("/phones/{imsi}:answer")
async def answer(imsi: str, its: Teacher) -> Done:
    """Let the phone take the call that rings."""
    return await its.sim.call("sim.answer", 60.0, imsi=imsi)


@router.post("/phones/{imsi}:hold")
async def hold(imsi: str, its: Teacher, resume: bool = False) -> Done:
    """Let the phone put its call on hold, or take it back."""
    return await its.sim.call("sim.hold", 60.0, imsi=imsi, resume=resume)


@router.post("/phones/{imsi}:video")
async def video(imsi: str, its: Teacher, off: bool = False) -> Done:
    """Let the phone add video to its call, or go on without it."""
    return await its.sim.call("sim.video", 60.0, imsi=imsi, off=off)


@router.post("/phones/{imsi}:hangup")
async def hang_up(imsi: str, its: Teacher) -> Done:
    """Let the phone end its call, or refuse the one that rings."""
    return await its.sim.call("sim.hangup", 60.0, imsi=imsi)
