"""Templates: how a card, turns and a reply become the text of one sample. They are TOML files that people can
edit.

Only the braces that a template's own text holds are filled in, once, so braces in somebody's chat stay what
they are.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loragui.data import macros
from loragui.data.conversation import CharacterCard, Place, Turn
from loragui.errors import AppError
from loragui.paths import resource_path

SCHEMA = 1
DEFAULT = "guide-appendix-b"

_SLOT = re.compile(r"\{([a-z_]+)\}")
_CARD_SLOTS = {"world", "system_prompt", "description", "personality", "scenario", "examples", "user", "char"}
_SLOTS = {
    "prompt": {"preamble", "body", "cue"},
    "card": _CARD_SLOTS,
    "turn": {"name", "text"},
    "cue": {"name"},
    "reply": {"name", "text"},
}


@dataclass(frozen=True, kw_only=True)
class Template:
    """One way to write samples; ``resources/templates/guide-appendix-b.toml`` says what each part means."""

    name: str
    title: str
    about: str
    preambles: tuple[str, ...]
    card: tuple[str, ...]
    prompt: str
    reply: str
    turn: Mapping[str, str]
    cue: Mapping[str, str]
    block_separator: str = "\n\n"
    turn_separator: str = "\n"

    def preamble(self, seed: int, key: str) -> str:
        """The first line for the sample known by ``key``: the same for the same seed, spread over all."""
        return self.preambles[zlib.crc32(f"{seed}\0{key}".encode("utf-8", "replace")) % len(self.preambles)]

    def card_text(self, card: CharacterCard | None, *, user: str, character: str) -> str:
        """The card's lines with the names of this chat; empty without a card."""
        if card is None:
            return ""
        slots = {slot: getattr(card, slot) for slot in _CARD_SLOTS - {"user", "char"}}
        filled = {key: macros.fill(text, user=user, character=character) for key, text in slots.items()}
        filled |= {"user": user, "char": character}
        lines = (_fill(line, filled).strip() for line in self.card if _worth_showing(line, filled))
        return "\n".join(line for line in lines if line)

    def turn_text(self, turn: Turn) -> str:
        """One message of the body."""
        pattern = self.turn.get(turn.role, self.turn["narrator"])
        return _fill(pattern, {"name": turn.speaker, "text": turn.text})

    def cue_text(self, speaker: str, role: str) -> str:
        """The end of the prompt when ``speaker`` is to reply."""
        return _fill(self.cue[role], {"name": speaker})

    def prompt_text(self, *, preamble: str, card: str, turns: Sequence[str], cue: str) -> str:
        """Everything before the reply."""
        blocks = (card, self.turn_separator.join(turns))
        body = self.block_separator.join(block for block in blocks if block)
        return _fill(self.prompt, {"preamble": preamble, "body": body, "cue": cue})

    def outline(self) -> str:
        """The form of a prompt. What is put in stands in round brackets, names as in a character card."""
        turn = Turn(speaker="{{user}}", role="user", text="(message)", place=Place(file=""))
        turns = (turn, replace(turn, speaker="{{char}}", role="character"), turn)
        return self.prompt_text(
            preamble=self.preambles[0],
            card="(the character: description, personality and the like)",
            turns=[self.turn_text(each) for each in turns],
            cue=self.cue_text("{{char}}", "character"),
        )

    def reply_text(self, speaker: str, text: str) -> str:
        """The reply as it stands behind the prompt."""
        return _fill(self.reply, {"name": speaker, "text": text})


def _fill(pattern: str, slots: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda match: slots[match[1]], pattern)


def _worth_showing(line: str, slots: Mapping[str, str]) -> bool:
    """Whether one of the card's own texts in ``line`` is not empty; a line of fixed text always is."""
    own = [name for name in _SLOT.findall(line) if name not in ("user", "char")]
    return not own or any(slots[name].strip() for name in own)


def template_names() -> tuple[str, ...]:
    """The templates that come with the program."""
    return tuple(sorted(path.stem for path in resource_path("templates").glob("*.toml")))


def load_template(name: str = DEFAULT) -> Template:
    """The template called ``name``, or the one in the file of that path. AppError if it cannot be used."""
    path = Path(name) if name.endswith(".toml") else resource_path("templates", f"{name}.toml")
    if not path.is_file() or (path.suffix != ".toml"):
        known = ", ".join(template_names())
        raise AppError(f"There is no template called {name}.", f"Choose one of: {known}.", code="template-unknown")
    try:
        return _template(path.stem, tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError, OSError) as error:
        raise AppError(
            f"The template {path} cannot be used: {_reason(error)}.",
            f"Correct it, or start again from a copy of {DEFAULT}.toml.",
            details=repr(error),
            code="template-damaged",
        ) from error


def _reason(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)


def _template(name: str, value: Mapping[str, Any]) -> Template:
    if value["schema"] != SCHEMA:
        raise ValueError(f"its schema is {value['schema']}, this version of loragui reads {SCHEMA}")
    template = Template(
        name=name,
        title=_text("title", value["title"]),
        about=_text("about", value.get("about", "")),
        preambles=tuple(_text("preambles", line) for line in value["preambles"]) or ("",),
        card=tuple(_checked("card", line) for line in value["card"]),
        prompt=_checked("prompt", value["prompt"]),
        reply=_checked("reply", value["reply"]),
        turn={role: _checked("turn", value["turn"][role]) for role in ("user", "character", "narrator")},
        cue={role: _checked("cue", value["cue"][role]) for role in ("user", "character")},
        block_separator=_text("block_separator", value.get("block_separator", "\n\n")),
        turn_separator=_text("turn_separator", value.get("turn_separator", "\n")),
    )
    if "{text}" not in template.reply or "{body}" not in template.prompt:
        raise ValueError("the prompt must hold {body} and the reply must hold {text}")
    return template


def _text(part: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{part} must be text")
    return value.replace("\r\n", "\n")


def _checked(part: str, value: Any) -> str:
    text = _text(part, value)
    unknown = set(_SLOT.findall(text)) - _SLOTS[part]
    if unknown:
        raise ValueError(f"{part} holds {{{min(unknown)}}}, which is not known there")
    return text
