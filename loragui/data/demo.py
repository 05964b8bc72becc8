"""The demonstration's data: files, settings, and the prompt that proves that the model learned."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loragui.data.conversation import CharacterCard, Place, Turn
from loragui.data.gather import gather
from loragui.data.template import load_template
from loragui.errors import AppError
from loragui.paths import resource_path


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What ``resources/demo/demo.toml`` says. ``context_size`` and ``tokens`` in tokens.

    ``training`` holds the hyperparameters that suffice, by their names in ``project.Hyperparameters``.
    ``prompt`` is the proof's prompt, ready for the engine. A reply of the trained model holds any of
    ``expected``, a reply of the base model none.
    """

    files: tuple[Path, ...]
    template: str
    context_size: int
    seed: int
    training: Mapping[str, int | float]
    prompt: str
    tokens: int
    prompt_seed: int
    expected: tuple[str, ...]
    habit: str

    def learned(self, reply: str) -> bool:
        """Whether ``reply`` shows the habit that the data teaches."""
        return any(phrase in reply for phrase in self.expected)


def load_demo(folder: Path | None = None) -> Demo:
    """The demonstration in ``folder``, the one that comes with the program by default."""
    folder = folder or resource_path("demo")
    path = folder / "demo.toml"
    try:
        value = tomllib.loads(path.read_text("utf-8"))
        proof = value["proof"]
        return Demo(
            files=tuple(folder / name for name in value["files"]),
            template=str(value["template"]),
            context_size=int(value["context_size"]),
            seed=int(value["seed"]),
            training={str(key): _number(number) for key, number in value["training"].items()},
            prompt=_prompt(folder, str(value["template"]), proof),
            tokens=int(proof["tokens"]),
            prompt_seed=int(proof["seed"]),
            expected=tuple(str(phrase) for phrase in proof["expected"]),
            habit=str(proof["habit"]),
        )
    except (OSError, AttributeError, ValueError, KeyError, TypeError) as error:
        raise AppError(
            f"{path} cannot be used.", "Install loragui again.", details=repr(error), code="demo-damaged"
        ) from error


def _number(value: Any) -> int | float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return value


def _prompt(folder: Path, template_name: str, proof: dict[str, Any]) -> str:
    """The prompt of the proof, rendered by the same code as the samples."""
    template = load_template(template_name)
    user, character = str(proof["user"]), str(proof["character"])
    cards = gather([folder / str(proof["card"])]).cards
    turns = [
        Turn(speaker=user, role="user", text=str(text), place=Place(file="demo.toml")) for text in proof["messages"]
    ]
    return template.prompt_text(
        preamble=template.preambles[0],
        card=template.card_text(_only(cards), user=user, character=character),
        turns=[template.turn_text(turn) for turn in turns],
        cue=template.cue_text(character, "character"),
    )


def _only(cards: tuple[CharacterCard, ...]) -> CharacterCard:
    if len(cards) != 1:
        raise ValueError(f"the proof's card file holds {len(cards)} cards")
    return cards[0]
