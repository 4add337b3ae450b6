"""Conversations: questions about incidents, and answers that say what they rest on."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status
from pydantic import Field

from aiops.model.access import Role
from aiops.model.thread import LONGEST_TEXT, Ending, Exchange, Intent, Reply
from aiops.web.answering import Answering
from aiops.web.bodies import Given, Id, Limit, Text, Told
from aiops.web.errors import ERRORS
from aiops.web.security import Viewer
from aiops.web.site import AtSite

router = APIRouter(prefix="/threads", tags=["threads"], responses=ERRORS)


class NewThread(Given):
    """What it is about; nothing: whatever is asked."""

    incident: Text | None = Field(default=None, min_length=1, max_length=200)


class NewQuestion(Given):
    """What is asked, in words."""

    text: Text = Field(max_length=LONGEST_TEXT)


class ThreadBody(Told):
    """A conversation."""

    id: str
    opened_by: str
    opened_at: datetime
    last_at: datetime
    incident: str | None
    asked: int = Field(description="questions so far")


class ThreadsBody(Told):
    """Conversations, newest first; ``next`` is ``before`` of the page after, if any."""

    threads: list[ThreadBody]
    next: str | None


class CitedBody(Told):
    """Something that an answer rests on."""

    id: str = Field(description="as it stands in the text, such as E4 or T1")
    of: str = Field(description="where to look it up: an investigation, a call, a kind of thing")
    claim: str


class TopicBody(Told):
    """What is talked about."""

    incident: str | None
    service: str | None


class ReplyBody(Told):
    """An answer."""

    at: datetime
    text: str
    intent: Intent
    ending: Ending
    topic: TopicBody
    cites: list[CitedBody]
    choices: list[str] = Field(description="names that may have been meant")
    approval: str | None = Field(description="that waits for a person because of it")
    by: str = Field(description='"rules", or the language model that phrased it')
    basis: str = Field(description="what a model phrased, as the rules say it; else empty")
    note: str


class QuestionBody(Told):
    """What was asked."""

    author: str
    role: Role
    at: datetime
    text: str


class MessageBody(Told):
    """A question, and its answer; null while it is worked on."""

    thread: str
    number: int
    question: QuestionBody
    reply: ReplyBody | None


class MessagesBody(Told):
    """The last questions, oldest first; ``earlier`` is ``before`` of those before them, if any."""

    messages: list[MessageBody]
    earlier: int | None


_TAKEN: dict[int | str, dict[str, Any]] = {
    202: {"model": MessageBody, "description": "Taken down; the answer comes later"}
}


def answering_of(request: Request) -> Answering:
    """Where questions to this site are answered."""
    found: Answering = request.app.state.answering
    return found


AtDesk = Annotated[Answering, Depends(answering_of)]


@router.get("", summary="Conversations, newest first")
def find(
    who: Viewer,
    site: AtSite,
    incident: Annotated[Text | None, Query(max_length=200, description="Opened about it.")] = None,
    before: Annotated[Text | None, Query(max_length=200, description="Go on below it.")] = None,
    limit: Limit = 50,
) -> ThreadsBody:
    """Everybody's: what one has found out, the next one need not ask."""
    del who
    found = site.service.threads.newest(
        incident=incident or None, before=before or None, limit=limit + 1
    )
    page = [ThreadBody.model_validate(each) for each in found[:limit]]
    return ThreadsBody(threads=page, next=page[-1].id if len(found) > limit else None)


@router.post("", summary="Begin a conversation", status_code=status.HTTP_201_CREATED)
def begin(who: Viewer, desk: AtDesk, body: NewThread | None = None) -> ThreadBody:
    """404 where there is no such incident."""
    thread = desk.desk.open(who.name, None if body is None else body.incident)
    return ThreadBody.model_validate(thread)


@router.get("/{thread_id}", summary="One conversation")
def get(who: Viewer, site: AtSite, thread_id: Id) -> ThreadBody:
    """Its messages are under it."""
    del who
    return ThreadBody.model_validate(site.service.threads.get(thread_id))


@router.get("/{thread_id}/messages", summary="What was said")
def messages(
    who: Viewer,
    site: AtSite,
    thread_id: Id,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Go on below it.")] = None,
    limit: Limit = 50,
) -> MessagesBody:
    """Questions with their answers."""
    del who
    found = site.service.threads.exchanges(thread_id, before=before, limit=limit)
    first = found[0].number if found else 1
    return MessagesBody(
        messages=[told(each) for each in found], earlier=first if first > 1 else None
    )


@router.get("/{thread_id}/messages/{number}", summary="One question and its answer")
def message(
    who: Viewer,
    site: AtSite,
    thread_id: Id,
    number: Annotated[int, Path(ge=1, le=2**31 - 1, description="Of the question.")],
) -> MessageBody:
    """Its reply is null while it is worked on."""
    del who
    return told(site.service.threads.exchange(thread_id, number))


@router.post(
    "/{thread_id}/messages",
    summary="Ask",
    status_code=status.HTTP_201_CREATED,
    response_model=MessageBody,
    responses=_TAKEN,
)
async def ask(
    who: Viewer,
    desk: AtDesk,
    thread_id: Id,
    body: NewQuestion,
    response: Response,
    wait: Annotated[bool, Query(description="For the answer; else 202 at once.")] = True,
) -> MessageBody:
    """What happens meanwhile is told on /api/v1/events, about the thread: ``thread.asked``,
    ``thread.call`` for each tool, ``thread.answered``.

    No answer approves or carries out anything: what is asked for waits for a person.
    """
    asked = await asyncio.to_thread(desk.desk.take, thread_id, who.name, who.role, body.text)
    answer = desk.begin(asked)
    if not wait:
        response.status_code = status.HTTP_202_ACCEPTED
        return told(asked)
    reply = await asyncio.wrap_future(answer)
    return told(asked, reply)


def told(exchange: Exchange, reply: Reply | None = None) -> MessageBody:
    """An exchange as the API shows it; without halves of characters, which JSON has no room for."""
    given = reply or exchange.reply
    question = QuestionBody.model_validate(exchange.question)
    return MessageBody(
        thread=exchange.thread,
        number=exchange.number,
        question=question.model_copy(update={"text": _sound(question.text)}),
        reply=None if given is None else _reply(given),
    )


def _reply(reply: Reply) -> ReplyBody:
    cites = [
        CitedBody(id=_sound(one.id), of=_sound(one.of), claim=_sound(one.claim))
        for one in reply.cites
    ]
    body = ReplyBody.model_validate(reply)
    sound = {name: _sound(getattr(reply, name)) for name in ("text", "basis", "note")}
    return body.model_copy(update={**sound, "cites": cites})


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
