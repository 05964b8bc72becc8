"""The neutral form that every reader yields: who said what, and where exactly it stands in the person's
files.

Readers turn formats into these values, samples are built from them, and nothing in between knows any format.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

Role = Literal["user", "character", "narrator", "system"]

DEFAULT_USER = "User"
DEFAULT_CHARACTER = "Character"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something stands: a file as the person chose it, and a line or record in it (from 1)."""

    file: str
    line: int | None = None
    record: int | None = None

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.file}, line {self.line}"
        return f"{self.file}, record {self.record}" if self.record is not None else self.file


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message. ``speaker`` is a name on one line; ``text`` is cleaned and never empty."""

    speaker: str
    role: Role
    text: str
    place: Place


@dataclass(frozen=True, kw_only=True)
class CharacterCard:
    """What a character is. Texts may still hold ``{{user}}`` and ``{{char}}``: the names are known per chat.

    ``world`` is background that always applies (a lorebook's constant entries).
    """

    name: str
    place: Place
    description: str = ""
    personality: str = ""
    scenario: str = ""
    first_message: str = ""
    examples: str = ""
    system_prompt: str = ""
    world: str = ""
    nickname: str = ""


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """The turns of one chat in order; ``source`` is its file, ``card`` its main character's if found."""

    turns: tuple[Turn, ...]
    source: Place
    title: str = ""
    card: CharacterCard | None = None

    def main_speaker(self, role: Role, default: str) -> str:
        """The name that speaks most often in this role (the earliest one if several do), else ``default``."""
        names = Counter(turn.speaker for turn in self.turns if turn.role == role)
        return names.most_common(1)[0][0] if names else default

    @property
    def user(self) -> str:
        """The name of the person in this chat."""
        return self.main_speaker("user", DEFAULT_USER)

    @property
    def character(self) -> str:
        """The name of the main character in this chat."""
        return self.main_speaker("character", DEFAULT_CHARACTER)
