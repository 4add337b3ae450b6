"""What a question wants, by its words alone: the same words, the same answer, every time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiops.app.chat.wording import Sentence
from aiops.model.thread import Intent

_A_CAUSE: Final = (
    r"\b(?:is|was|could|might|can) (?:it|this|that) (?:be )?(?:an? |the |our )?"
    r"(?:db|database|dns|network|disk|storage|cpu|memory|ram|queue|cache|cloud)$"
)
"""Whether it is a kind of cause asks for the cause, not for what is broken or for a metric."""
_CUES: Final[tuple[tuple[Intent, tuple[str, ...]], ...]] = (
    # An approval that is claimed comes first: whatever else is said beside it, chat gives none.
    (
        "approve",
        (
            r"\bapprov(?:e|es|ed|als?)\b",
            r"\bauthori[sz]ed?\b|\bconfirm(?:ed)?\b|\blgtm\b|\bsign(?:ed)? off\b",
            r"\bpermission\b.*\bgranted\b",
        ),
    ),
    (
        "help",
        (
            r"^(?:hi|hello|hey|thanks?(?: you)?|ok|okay|nice|good|great)$|^help\b|\bhelp(?: me)?$",
            r"\bwhat (?:can|could) you\b|\bwhat can i ask\b|\bwhat do you (?:do|know)$",
            r"\bwho are you\b",
            r"\bhow (?:does this|do you) work",
        ),
    ),
    (
        "advice",
        (
            r"\bwhat (?:should|can|could|do|must|shall) (?:i|we)\b",
            r"\bwhat to do\b|\bwhat (?:now|next)\b|\bnext steps?\b",
            r"\bhow (?:do|can|could|should|to)\b.*\b(?:fix|solve|resolve|repair|mitigate|undo)\b",
            r"\b(?:recommend|suggest|advi[cs]e|propos|remed|runbook|playbook)",
            r"\b(?:what|which|any)\b.*\bactions?\b",
        ),
    ),
    (
        "stop",
        (
            r"^(?:please )?(?:stop|cancel|abort|halt|quit|never mind)\b",
            r"\bstop (?:it|that|this|everything|all|answering|now)\b",
        ),
    ),
    (
        "act",
        (
            r"\bdo (?:it|that|this|so)\b|\bgo ahead\b|\bmake it so\b",
            r"\bcarry (?:it |that |this )?out\b",
            r"^(?:(?:yes|ok|okay|please|now|just|can you|could you) )*(?:execute|apply|fix|run)\b",
            r"^(?:(?:yes|ok|okay|please|now|just|can you|could you) )*(?:restart|scale|proceed)\b",
            r"^(?:(?:yes|ok|okay|please|now|just|can you|could you) )*(?:roll ?back|undo)\b",
            r"\broll (?:it|this|that) back\b",
            r"^(?:(?:yes|ok|okay|please|now|just|can you|could you) )*(?:kill|delete|reboot)\b",
            r"^(?:(?:yes|ok|okay|please|now|just|can you|could you) )*(?:drop|drain|cordon)\b",
        ),
    ),
    (
        "handling",
        (
            r"\back(?:nowledged?)?\b|\bassign(?:ed|ee)?\b|\bon[- ]?call\b|\breopen\b|\bsnooze\b",
            r"^(?:please |can you )*(?:resolve|close|mute|silence|escalate|comment|page|merge)\b",
            r"\bwho (?:is )?(?:work|look|handl|own|respons|tak|deal)\w*\b",
        ),
    ),
    (
        "before",
        (
            r"\b(?:happen(?:ed)?|seen?|occurred|known)\b.*\b(?:before|already|previously|ever)\b",
            r"\b(?:had|have)\b.*\b(?:before|already|previously|earlier|in the past)\b",
            r"\bever\b.*\bhappen|\bhappened again\b|^(?:and )?before$",
            r"\bknown (?:issue|problem|error|fault)\b",
            r"\blast time\b|\bsimilar\b|\bpast incidents?\b|\bhistory\b",
        ),
    ),
    (
        "why",
        (
            r"\bwhy\b|\bcauses?\b|\bcaused\b|\breason\b|\bexplain\b|\bblame\b|\bculprit\b",
            r"\bhow (?:come|did (?:this|it|that) happen)\b",
            _A_CAUSE,
            r"\b(?:are|is|how|so) (?:you |it |this |that )?(?:sure|certain|confident)\b",
            r"\bhow do you know\b|\bwhat else\b|\bevidence\b|\bproof\b",
            r"\breports?$|\bpost-?mortem\b",
        ),
    ),
    (
        "neighbours",
        (
            r"\b(?:who|what|which|does) .*\b(?:calls?|depends?|talks? to|use[sd]?)\b",
            r"\bdependenc(?:y|ies)\b|\bdependents?\b|\b(?:up|down)stream\b|\bneighbou?rs?\b",
            r"\bcall(?:er|ee)s?\b|\btopology\b|\bservice (?:graph|map)\b",
        ),
    ),
    (
        "changes",
        (
            r"\bchang(?:e|es|ed|ing)\b|\bconfig(?:uration)?\b|\bnew version\b",
            r"\bdeploy|\breleased?s?\b|\brolled out\b|\brollouts?\b|\bupgraded?\b",
            r"\bpushed\b|\bshipped\b",
        ),
    ),
    (
        "yesterday",
        (
            r"\byesterday\b|\blast week\b|\bweek ago\b|\bday ago\b",
            r"\bcompared?\b|\bcomparison\b|\bdifferen(?:t|ce)\b",
            r"\b(?:than|as) usual(?:ly)?\b|\bis (?:this|it|that) (?:normal|usual)\b",
        ),
    ),
    (
        "since",
        (
            r"\bsince\b|\bwhen (?:did|was|has|is)\b|^(?:and )?when$|\bhow long\b",
            r"\bwhat time\b|\bstart(?:ed)?\b|\bbeg[ai]n(?:ning)?\b|\bonset\b",
        ),
    ),
    (
        "affected",
        (
            r"\baffect|\bimpact|\busers?\b|\bcustomers?\b|\bhurt\b|\bhow bad\b",
            r"\bslo\b|\bbudget\b|\bseverity\b|\bwho(?:m)? (?:is|does|else)\b",
            r"\bblast radius\b",
        ),
    ),
    ("logs", (r"\blogs?\b|\blogged\b|\bmessages\b|\bexceptions?\b|\bstack ?traces?\b",)),
    ("traces", (r"\btraces?\b|\bspans?\b|\brequests?\b",)),
    (
        "metrics",
        (
            r"\bmetrics?\b|\bgraphs?\b|\bcharts?\b|\bdashboard\b|\bnumbers\b",
            r"\bcpu\b|\bmemory\b|\blatency\b|\bthroughput\b|\btraffic\b|\brates?\b",
            r"\bp\d\d\d?\b|\bpercentiles?\b|\b[rq]ps\b|\bsaturat|\bdisk\b",
        ),
    ),
    (
        "broken",
        (
            r"\bbroken\b|\bbreaking\b|\bdown\b|\bwrong\b|\bfail(?:ed|ing|ures?|s)?\b",
            r"\bfaults?\b|\berrors?\b|\bissues?\b|\bproblems?\b|\bincidents?\b",
            r"\balert(?:s|ing)?\b|\bstatus\b|\b(?:un)?health(?:y)?\b|\bok(?:ay)?\b|\bfine\b",
            r"\boutage\b|\bhappen(?:ing|ed)\b|\bgoing on\b|\bslow\b|\bdegraded\b",
            r"\balive\b|\bworking\b|\banomal(?:y|ies)\b|\bup\b|\bsummary\b|\boverview\b",
            r"\bhow are (?:things|we)\b|\bstill\b|\bis (?:it|this|that) over\b|\btl dr\b",
            r"\brecover|\bfixed\b|\bsleep\b|\bbetter\b|\bworse\b|\bfir(?:ed|ing)\b|\bpaged\b",
            r"\bwhat (?:do you|is) know",
        ),
    ),
)
"""The first that is found decides. What is special stands before what is said of everything:
"why is it down" asks why, not what."""
_MATCHERS: Final = tuple((intent, re.compile("|".join(cues))) for intent, cues in _CUES)
_CONTINUES: Final = re.compile(r"^(?:and|what about|how about|same for|also|or)\b")
_VERB: Final = re.compile(
    r"\b(roll(?:back| back| it back| this back| that back)|restart|scale|undo"
    r"|kill|delete|reboot|drop|drain|cordon)\b"
)
YES: Final = frozenset(
    ("yes", "yes please", "yeah", "yep", "ok", "okay", "sure", "that one", "right")
)
WEEK_DAYS: Final = 7
_TOGETHER: Final[frozenset[Intent]] = frozenset(
    ("broken", "why", "since", "changes", "affected", "before", "advice")
)
"""What is answered from what is kept, so that several can be at once."""
_ALONE: Final[frozenset[Intent]] = frozenset(("act", "approve", "stop", "handling"))
"""What is never taken for a part of something else."""
LOOKED: Final[frozenset[Intent]] = frozenset(("logs", "metrics", "traces", "yesterday"))
"""What a tool is asked for."""
_ASKS: Final = frozenset(
    (
        *("why", "since", "when", "what", "who", "how", "which", "has", "is"),
        *("show", "its", "logs", "metrics", "traces"),
    )
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted.

    Attributes:
        continues: whether it takes up what was asked before: "and cart?".
        verb: of the action asked for, "" where none is named.
        days: back, for comparisons.
        also: what is wanted besides, in its order: "what is broken, and since when?".
        left: what is wanted, too, and needs a question of its own.
    """

    intent: Intent
    continues: bool = False
    verb: str = ""
    days: int = 1
    also: tuple[Intent, ...] = ()
    left: tuple[Intent, ...] = ()


def wish_of(sentence: Sentence) -> Wish:
    """What the words want; intent "unknown" where nothing says."""
    text = sentence.text
    if not text:
        return Wish("help")
    intent = _intent_of(text)
    verb = _VERB.search(text)
    wanted = _wanted(sentence)
    several = _several(wanted, intent)
    return Wish(
        several[0] if several else intent,
        also=several[1:],
        left=tuple(each for each in wanted if each in LOOKED - {intent}),
        continues=_CONTINUES.search(text) is not None,
        verb="" if verb is None else "rollback" if verb[0].startswith("roll") else verb[0],
        days=WEEK_DAYS if "week" in sentence.meant else 1,
    )


def _intent_of(text: str) -> Intent:
    return next((kind for kind, cue in _MATCHERS if cue.search(text)), "unknown")


def _wanted(sentence: Sentence) -> tuple[Intent, ...]:
    """What each clause wants, each once."""
    meant = sentence.meant
    begins = sorted(
        place
        for place, word in enumerate(meant)
        if place in sentence.first or (word == "and" and set(meant[place + 1 : place + 2]) & _ASKS)
    )
    ends = [*begins, len(meant)]
    clauses = [meant[start:end] for start, end in zip([0, *begins], ends, strict=True)]
    return tuple(dict.fromkeys(_intent_of(" ".join(clause)) for clause in clauses if clause))


def _several(wanted: Sequence[Intent], whole: Intent) -> tuple[Intent, ...]:
    """Of what clauses want more than one thing that can be told at once, in their order.

    Args:
        whole: what the whole question was taken for; () where no clause wants that.
    """
    told = tuple(intent for intent in wanted if intent in _TOGETHER)
    if len(told) < 2 or whole not in told or _ALONE & set(wanted):
        return ()
    return told
