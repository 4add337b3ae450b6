"""One question of a conversation: taken down, understood, answered once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from aiops.analyze.wording import listed
from aiops.app.chat import acting, incident_answers, looking, neighbours, recalling
from aiops.app.chat.intents import LOOKED, YES, Wish, wish_of
from aiops.app.chat.model_words import Words
from aiops.app.chat.naming import Named, named
from aiops.app.chat.saying import Draft, Said, did_you_mean
from aiops.app.chat.scene import Scene
from aiops.app.chat.subjects import Subject, subject_of
from aiops.app.chat.when import When, when_of
from aiops.app.chat.wording import Sentence, sentence
from aiops.errors import AiopsError, InvalidInput, StoreUnavailable
from aiops.model.access import Role
from aiops.model.thread import LONGEST_TEXT, Exchange, Intent, Question, Reply, Thread, Topic
from aiops.ports.events import EventBus
from aiops.ports.ids import Ids
from aiops.ports.threads import ThreadRepo

HELP: Final = """\
I answer questions about incidents, in English, from what is kept here and what tools see:
- what is broken? is NAME down?
- why? since when? what changed? who is affected?
- show logs of NAME, metrics of NAME, traces of NAME; compare NAME with yesterday
- who calls NAME? has this happened before? what should I do?
- do it (asks for the proposed action; a person approves it, never a chat)
- stop
Go on with "and its logs?" or "and NAME?": I keep what we talk about."""
MOST_OF_A_NAME: Final = 2
"""Words of a message that is nothing but a name."""
MOST_OF_A_WORD: Final = 30
_REMEMBERED: Final = 10
"""Questions back that a topic is looked for."""
_KEPT: Final[Mapping[Intent, Callable[[Scene, Subject], Said]]] = {
    "broken": incident_answers.broken,
    "why": incident_answers.why,
    "since": incident_answers.since,
    "changes": incident_answers.changes,
    "affected": incident_answers.affected,
    "advice": incident_answers.advice,
    "before": recalling.before,
    "neighbours": neighbours.neighbours,
    "handling": acting.handling,
    "approve": acting.approve,
}
_OF_A_TIME: Final[frozenset[Intent]] = LOOKED | {"broken", "changes"}
"""What is answered for the time that a question names; the rest is about a whole incident."""
_OF_NOTHING: Final[frozenset[Intent]] = frozenset(("help", "stop", "unknown", "approve"))
"""What needs no subject, so that a strange word in it is not asked about."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where questions are answered; safe for many at once, in as many conversations.

    Attributes:
        events: is told "thread.asked", "thread.call" and "thread.answered" about a thread.
        words: language models that sort and phrase; None: rules do all of it.
        hide: takes secrets out of what somebody typed, before it is kept.
    """

    scene: Scene
    threads: ThreadRepo
    events: EventBus
    ids: Ids
    words: Words | None = None
    hide: Callable[[str], str] = str

    def open(self, author: str, incident: str | None = None) -> Thread:
        """A new conversation.

        Args:
            incident: that it is about.

        Raises:
            NotKept: there is no such incident.
        """
        if incident is not None:
            self.scene.incidents.get(incident)
        now = self.scene.now
        thread = Thread(self.ids.new("thr"), author, now, now, incident)
        self.threads.open(thread)
        return thread

    def take(self, thread_id: str, author: str, role: Role, text: str) -> Exchange:
        """Take a question down; it is answered by ``answer``.

        Raises:
            NotKept: there is no such thread.
            InvalidInput: it is too long.
        """
        if len(text) > LONGEST_TEXT:
            raise InvalidInput(
                f"the question has {len(text):,} characters, {LONGEST_TEXT:,} are read at most; "
                "ask in a sentence"
            )
        question = Question(author, role, self.scene.now, self.hide(text))
        asked = self.threads.ask(thread_id, question)
        self._tell("thread.asked", asked)
        return asked

    def is_stop(self, text: str) -> bool:
        """Whether these words stop answers: they never wait behind one."""
        return wish_of(sentence(text)).intent == "stop"

    def answer(self, asked: Exchange) -> Reply:
        """The answer, kept; the one that is kept already where there is one.

        Raises:
            NotKept: the thread is forgotten.
            StoreUnavailable: nothing was answered; it can be asked for again.
        """
        try:
            reply = self._replied(asked)
        except StoreUnavailable:
            raise
        except AiopsError as error:
            return self.fail(asked, str(error))
        return self._kept(asked, reply)

    def fail(self, asked: Exchange, reason: str) -> Reply:
        """Say that there is no answer, and why, unless there is one."""
        text = f"That did not work: {reason}"
        return self._kept(asked, Reply(self.scene.now, text, "unknown", "failed"))

    def _kept(self, asked: Exchange, reply: Reply) -> Reply:
        if self.threads.answer(asked, reply):
            self._tell("thread.answered", asked)
        return self._answered(asked) or reply

    def _replied(self, asked: Exchange) -> Reply:
        thread = self.threads.get(asked.thread)
        former = self.threads.exchanges(thread.id, before=asked.number, limit=_REMEMBERED)
        known, at = self.scene.services(), asked.question.at
        understood = _Understood.of(asked, former, thread, known, at)
        if understood.wish.intent == "stop":
            return self._stopped(asked, former)
        understood = self._sorted(understood, asked.question.text)
        subject = self._subject(understood)
        said = subject if isinstance(subject, Said) else self._said(asked, understood, subject)
        topic = understood.topic if isinstance(subject, Said) else subject.topic
        for intent in understood.wish.also:
            if said.ending != "answered":
                break
            further = replace(understood, wish=replace(understood.wish, intent=intent))
            other = self._subject(further)
            more = other if isinstance(other, Said) else self._said(asked, further, other)
            said = _beside(said, more)
            if said.ending == "asks":  # what is said next goes on with that
                understood = further
        reply = _reply(self.scene, understood, said, topic)
        strange = understood.strange
        if strange:
            reply = replace(reply, text=f"{reply.text}\nNot understood: {strange}.")
        left = listed(understood.wish.left)
        if left and said.ending == "answered" and understood.wish.intent not in _OF_NOTHING:
            reply = replace(reply, text=f"{reply.text}\nAsk again for: {left}.")
        if self.words is not None and said.ending == "answered":
            reply = self.words.phrased(asked.question.text, reply, understood.known)
        return replace(reply, note=" ".join(filter(None, (understood.note, reply.note))))

    def _sorted(self, understood: "_Understood", text: str) -> "_Understood":
        """What a model makes of a question that no rule understands; it never makes it an act."""
        if self.words is None or understood.wish.intent != "unknown" or not text.strip():
            return understood
        meant = self.words.meant(text, understood.known)
        if isinstance(meant, str):
            return replace(understood, note=f"Not understood without a model: {meant}.")
        names = understood.names
        if meant.service is not None and not names.services:
            names = Named((meant.service,), names.incidents)
        return replace(
            understood,
            wish=replace(understood.wish, intent=meant.intent),
            names=names,
            note=f"Taken for a question of the kind {meant.intent!r} by {meant.by}.",
        )

    def _subject(self, understood: "_Understood") -> Subject | Said:
        names, intent = understood.names, understood.wish.intent
        if names.unknown and intent not in _OF_NOTHING:
            return did_you_mean(names.unknown, names.near, understood.known)
        return subject_of(self.scene, intent, names, understood.topic)

    def _said(self, asked: Exchange, understood: "_Understood", subject: Subject) -> Said:
        wish, question = understood.wish, asked.question
        call = f"{asked.thread}:{asked.number}"
        look = looking.Look(
            id=call,
            run=call,
            author=question.author,
            told=lambda: self._tell("thread.call", asked),
            stopped=lambda: self._answered(asked) is not None,
        )
        window = None if understood.when is None else understood.when.window
        if wish.intent in LOOKED:
            return looking.looked(
                self.scene, subject, wish.intent, look, days=wish.days, named=window
            )
        if window is not None and wish.intent == "changes":
            return incident_answers.changed_in(self.scene, subject, window)
        if wish.intent == "act":
            return acting.act(self.scene, subject, wish.verb, question.role, look, asked.thread)
        if wish.intent == "unknown":
            return Said(f"I did not understand that. {HELP}")
        if window is not None and wish.intent == "broken":
            said = incident_answers.happened(self.scene, subject, window)
        else:
            said = _KEPT.get(wish.intent, _help)(self.scene, subject)
        if wish.intent == "broken" and subject.named:
            seen = looking.looked(self.scene, subject, "broken", look, named=window)
            return _beside(said, seen)
        return said

    def _stopped(self, asked: Exchange, former: tuple[Exchange, ...]) -> Reply:
        """End the answers that are being worked on: whoever comes second finds them ended."""
        given = Reply(self.scene.now, f"Stopped by {asked.question.author}.", "stop", "stopped")
        running = [one for one in former if one.reply is None]
        stopped = [one for one in running if self.threads.answer(one, given)]
        for one in stopped:
            self._tell("thread.answered", one)
        said = acting.stop(self.scene, len(stopped))
        return Reply(self.scene.now, said.text, "stop", topic=_topic_of(former))

    def _tell(self, kind: str, asked: Exchange) -> None:
        self.events.publish(kind, asked.thread)

    def _answered(self, asked: Exchange) -> Reply | None:
        return self.threads.exchange(asked.thread, asked.number).reply


@dataclass(frozen=True, slots=True)
class _Understood:
    """A question with what it leaves out filled in from those before it."""

    wish: Wish
    names: Named
    topic: Topic
    known: tuple[str, ...] = ()
    when: When | None = None
    note: str = ""

    @property
    def strange(self) -> str:
        """Words that had no part in what was understood; "" where that is nobody's concern."""
        if self.wish.intent in _OF_NOTHING or self.note:
            return ""
        shown = [word[:MOST_OF_A_WORD] for word in self.names.ignored]
        if self.when is not None and self.wish.intent not in _OF_A_TIME:
            shown.append(self.when.said)
        return listed([f'"{word}"' for word in dict.fromkeys(shown)])

    @classmethod
    def of(
        cls,
        asked: Exchange,
        former: tuple[Exchange, ...],
        thread: Thread,
        known: tuple[str, ...],
        now: datetime,
    ) -> "_Understood":
        words = sentence(asked.question.text, known)
        when = when_of(words, now)
        names = named(words, known, frozenset() if when is None else when.places)
        wish = wish_of(words.without(names.places))
        topic = _topic_of(former)
        if topic == Topic():
            topic = Topic(thread.incident)
        last = next((one.reply for one in reversed(former) if one.reply is not None), None)
        wish, names = _continued(wish, names, words, last)
        return cls(wish, names, topic, known, when)


def _continued(wish: Wish, names: Named, words: Sentence, last: Reply | None) -> tuple[Wish, Named]:
    """What a bare name, "and X?" or "yes" after a question back means."""
    if last is not None and words.text in YES and last.ending == "asks" and len(last.choices) == 1:
        choice = last.choices[0]
        if choice.startswith("inc-"):
            return Wish(last.intent), Named(incidents=(choice,))
        return Wish(last.intent), Named((choice,))
    if wish.intent != "unknown" or not (names.services or names.incidents):
        return wish, names
    goes_on = wish.continues or len(words.said) <= MOST_OF_A_NAME
    if last is not None and goes_on and last.intent not in _OF_NOTHING:
        return replace(wish, intent=last.intent), names
    return replace(wish, intent="broken"), names


def _topic_of(former: tuple[Exchange, ...]) -> Topic:
    replies = [one.reply for one in former if one.reply is not None]
    return next((one.topic for one in reversed(replies) if one.topic != Topic()), Topic())


def _reply(scene: Scene, understood: _Understood, said: Said, topic: Topic) -> Reply:
    return Reply(
        at=scene.now,
        text=said.text,
        intent=understood.wish.intent,
        ending=said.ending,
        topic=topic,
        cites=said.cites,
        choices=said.choices,
        approval=said.approval,
    )


def _help(scene: Scene, subject: Subject) -> Said:
    del scene, subject
    return Said(HELP)


def _beside(first: Said, second: Said) -> Said:
    """Both; what they are about is said once."""
    draft = Draft()
    draft.add(first.text, *first.cites)
    about, _, rest = second.text.partition("\n")
    again = bool(rest) and about == first.text.partition("\n")[0]
    draft.add(rest if again else second.text, *second.cites)
    ending = second.ending if second.ending == "asks" else "answered"
    return replace(draft.said(ending), choices=second.choices)
