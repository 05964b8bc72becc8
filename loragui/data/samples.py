"""Samples: one reply each, with the card and the last whole turns before it that fit the context.

The engine ends a sample's learning with the end token right behind the reply, so one reply per sample is how
a model learns to stop. Both speakers' replies are used, so that "impersonate" works too (guide, Appendix B).
Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from loragui.data.conversation import Conversation, Place, Role, Turn
from loragui.data.counting import TokenCounter
from loragui.data.cut import shorten
from loragui.data.report import Finding
from loragui.data.template import Template
from loragui.errors import AppError

RESERVED = 2  # tokens of the context that the engine uses itself: the begin token and the end token
SMALLEST_CONTEXT = 32  # tokens; below this the template's own words leave no room
LONGEST_TOKEN = 64  # characters per token that no real text reaches; bounds the work on a giant message
CARD_SHARE = 0.5  # of the budget; a longer card would leave no room for the chat


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One training example. ``tokens`` is the count of the whole text; ``place`` is where the reply stands.

    ``turns_before`` whole turns are in the prompt, ``turns_left_out`` older ones did not fit.
    """

    prompt: str
    reply: str
    tokens: int
    speaker: str
    role: Role
    place: Place
    turns_before: int
    turns_left_out: int
    shortened: bool = False

    @property
    def text(self) -> str:
        """What the model is trained on."""
        return self.prompt + self.reply


@dataclass(frozen=True, kw_only=True)
class Options:
    """How samples are made. ``context_size`` in tokens; ``seed`` chooses among a template's first lines."""

    context_size: int
    seed: int = 1
    both_speakers: bool = True

    @property
    def budget(self) -> int:
        """Tokens that a sample may have. AppError if the context is too small for any."""
        if self.context_size < SMALLEST_CONTEXT:
            raise AppError(
                f"A context of {self.context_size} tokens is too small for training.",
                f"Choose at least {SMALLEST_CONTEXT}; 256 or more suits most chats.",
                code="context-too-small",
            )
        return self.context_size - RESERVED


def samples_of(
    conversation: Conversation,
    template: Template,
    counter: TokenCounter,
    options: Options,
    reached: Callable[[int], None] = lambda _: None,
) -> Iterator[Sample | Finding]:
    """The samples of one conversation in its order, and what had to be left out or shortened.

    ``reached`` is told how many turns are done.
    """
    builder = _Builder(conversation=conversation, template=template, counter=counter, options=options)
    yield from builder.findings
    windowed = 0
    for index, turn in enumerate(conversation.turns):
        reached(index)
        if index and (turn.role == "character" or (turn.role == "user" and options.both_speakers)):
            for item in builder.sample(index, turn):
                windowed += isinstance(item, Sample) and item.turns_left_out > 0
                yield item
    if windowed:
        yield Finding(
            code="history-cut",
            action="noted",
            place=conversation.source,
            message=f"In {windowed} samples of this chat the oldest turns were left out, so that they fit.",
            hint="A larger context keeps more of them and takes more memory and time.",
        )


class _Builder:
    """The parts of one conversation's samples that stay the same from reply to reply."""

    def __init__(
        self, *, conversation: Conversation, template: Template, counter: TokenCounter, options: Options
    ) -> None:
        self._template, self._counter, self._options = template, counter, options
        self._budget = options.budget
        self._turns = [template.turn_text(turn) for turn in conversation.turns]
        self._costs: dict[int, int] = {}
        self.findings: list[Finding] = []
        self._card = self._fitting_card(conversation)

    def _fitting_card(self, conversation: Conversation) -> str:
        card = self._template.card_text(conversation.card, user=conversation.user, character=conversation.character)
        most = int(self._budget * CARD_SHARE)
        if conversation.card is None or self._counter.count(card) <= most:
            return card
        self.findings.append(
            Finding(
                code="card-shortened",
                action="shortened",
                place=conversation.card.place,
                message=f"The card of {conversation.card.name} is longer than half of the context, so its "
                f"end was cut off in the samples of {conversation.source}.",
                hint="Shorten the card to what matters most, or choose a larger context.",
            )
        )
        return shorten(card, lambda text: self._counter.count(text) <= most)

    def sample(self, index: int, turn: Turn) -> Iterator[Sample | Finding]:
        """The sample whose reply is the turn at ``index``."""
        template, count = self._template, self._counter.count
        preamble = template.preamble(self._options.seed, turn.text)
        cue = template.cue_text(turn.speaker, turn.role)

        def prompt(turns: int) -> str:
            history = self._turns[index - turns : index]
            return template.prompt_text(preamble=preamble, card=self._card, turns=history, cue=cue)

        @cache
        def tokens(turns: int) -> int:
            return count(prompt(turns) + template.reply_text(turn.speaker, turn.text))

        def fits(turns: int) -> bool:
            return self._cost(index - turns) <= self._budget and tokens(turns) <= self._budget

        if tokens(0) > self._budget:
            yield from self._shortened(turn, prompt(0), tokens(0), left_out=index)
            return
        before = _most(self._guess(index, self._budget - tokens(0)), index, fits)
        yield Sample(
            prompt=prompt(before),
            reply=template.reply_text(turn.speaker, turn.text),
            tokens=tokens(before),
            speaker=turn.speaker,
            role=turn.role,
            place=turn.place,
            turns_before=before,
            turns_left_out=index - before,
        )

    def _shortened(self, turn: Turn, prompt: str, tokens: int, *, left_out: int) -> Iterator[Sample | Finding]:
        """The sample of a reply that does not fit even without any turn before it."""
        reply_text, count = self._template.reply_text, self._counter.count
        text = shorten(
            turn.text[: LONGEST_TOKEN * self._budget],
            lambda part: count(prompt + reply_text(turn.speaker, part)) <= self._budget,
        )
        if not text:
            yield _does_not_fit(turn, self._options.context_size)
            return
        yield _too_long(turn, tokens, text, self._options.context_size, exact=self._counter.exact)
        reply = reply_text(turn.speaker, text)
        yield Sample(
            prompt=prompt,
            reply=reply,
            tokens=count(prompt + reply),
            speaker=turn.speaker,
            role=turn.role,
            place=turn.place,
            turns_before=0,
            turns_left_out=left_out,
            shortened=True,
        )

    def _cost(self, index: int) -> int:
        """The tokens of one turn, counted when it is first needed: a long chat shows progress from its start."""
        if index not in self._costs:
            self._costs[index] = self._counter.count(self._turns[index] + self._template.turn_separator)
        return self._costs[index]

    def _guess(self, index: int, room: int) -> int:
        """How many turns before ``index`` fit into ``room`` if counts add up; the real count decides."""
        turns = 0
        while turns < index:
            room -= self._cost(index - turns - 1)
            if room < 0:
                break
            turns += 1
        return turns


def _most(guess: int, limit: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to ``limit`` that fits, searched from ``guess``; 0 is known to fit."""
    turns = guess
    while turns and not fits(turns):
        turns -= 1
    if turns == guess:
        while turns < limit and fits(turns + 1):
            turns += 1
    return turns


def _too_long(turn: Turn, tokens: int, text: str, context: int, *, exact: bool) -> Finding:
    about = "" if exact else "about "
    return Finding(
        code="reply-shortened",
        action="shortened",
        place=turn.place,
        message=f"This message of {turn.speaker} alone needs {about}{tokens} tokens with the card, more than "
        f"the context of {context}; {len(text):,} of its {len(turn.text):,} characters were kept.",
        hint="Choose a larger context to keep it whole.",
    )


def _does_not_fit(turn: Turn, context: int) -> Finding:
    return Finding(
        code="does-not-fit",
        action="dropped",
        place=turn.place,
        message=f"With the card there is no room for this message in a context of {context}.",
        hint="Choose a larger context, or shorten the card.",
    )
