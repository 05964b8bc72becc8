"""Proof that a LoRA learned: the same prompt at temperature 0 on base, base + LoRA and merged model.

Base + LoRA and the merged model at full precision must say the same; what is packed to 8 bits may choose another word
where two are nearly as likely (measured: it does), so of it only the direction is asked: it must differ from the base
towards the training text. The direction is the share of a reply's word triples that stand in the training text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from loragui.engine import classic
from loragui.engine.installed import Engine
from loragui.errors import AppError
from loragui.gguf.read import GgufFile, read
from loragui.jobs.events import Result, StepStarted
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan, Step
from loragui.model import truename
from loragui.training.start import next_folder, relative

KIND = "prove"
PROMPT = "prompt.txt"
AGREEMENT = 0.8
"""Share of characters in common from which two replies count as the same (sums are rounded in another order)."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One of the models to compare: ``id`` is base, lora, wide (merged at full precision) or merged."""

    id: str
    title: str
    model: Path
    lora: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was said, and what it proves. ``likeness`` maps candidate to the share of triples from the data."""

    texts: dict[str, str]
    likeness: dict[str, float]
    agreement: float
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the LoRA is proved to have learned and to be in the merged model."""
        return not self.problems


def create(
    runs: Path, engine: Engine, candidates: Sequence[Candidate], prompt: str, *, tokens: int, threads: int, seed: int
) -> RunFolder:
    """Make the run folder that asks every candidate the same."""
    folder = RunFolder(next_folder(runs))
    # main drops one newline at the end of a prompt file, so one more is written.
    (folder.path / PROMPT).write_text(prompt + "\n", encoding="utf-8", newline="\n")

    def step(candidate: Candidate) -> Step:
        header = read(candidate.model)
        argv = classic.generate_argv(
            engine,
            model=relative(candidate.model, folder.path),
            lora=relative(candidate.lora, folder.path) if candidate.lora else None,
            prompt_file=PROMPT,
            tokens=tokens,
            threads=threads,
            seed=seed,
            pre=truename.engine_name(header),
        )
        args = {"end": end_token(header), **({"echo": PROMPT} if classic.echoes(engine) else {})}
        command = Command(argv=argv, env=engine.environment, reader="generate", reader_args=args)
        return Step(id=candidate.id, title=candidate.title, command=command)

    folder.save_plan(Plan(kind=KIND, title="Trying the models", steps=tuple(map(step, candidates))))
    return folder


def end_token(model: GgufFile) -> str:
    """How the model's end-of-text token is written, which the engine prints after a finished reply; or nothing."""
    number, tokens = model.number("tokenizer.ggml.eos_token_id"), model.array("tokenizer.ggml.tokens")
    if tokens is None or number is None:
        return ""
    return str(next(islice(tokens, int(number), None), ""))


def texts(folder: RunFolder) -> dict[str, str]:
    """What each candidate said, by its id."""
    found: dict[str, str] = {}
    current = ""
    for stamped in folder.events():
        match stamped.event:
            case StepStarted(id=current):
                pass
            case Result(values=values) if "text" in values:
                found[current] = str(values["text"]).strip()
    return found


def weigh(said: Mapping[str, str], training_text: str) -> Proof:
    """Compare the replies of ``base``, ``lora``, ``wide`` (if asked) and ``merged`` with the training text."""
    missing = {"base", "lora", "merged"} - set(said)
    if missing:
        raise AppError(f"No reply came from {', '.join(sorted(missing))}.", "Run the proof again.", code="no-reply")
    known = triples(training_text)
    likeness = {name: share(triples(text), known) for name, text in said.items()}
    twin = said.get("wide", said["merged"])
    agreement = difflib.SequenceMatcher(None, said["lora"], twin, autojunk=False).ratio()
    problems = []
    if agreement < AGREEMENT:
        problems.append("The merged model does not say the same as the base model with the LoRA.")
    if said["merged"] == said["base"]:
        problems.append("The merged model says exactly what the base model says.")
    elif likeness["merged"] <= likeness["base"]:
        problems.append("The merged model is no closer to the training text than the base model.")
    return Proof(texts=dict(said), likeness=likeness, agreement=agreement, problems=tuple(problems))


def triples(text: str) -> frozenset[tuple[str, ...]]:
    """Every three words in a row, in lower case; asterisks and quotes count as words of their own."""
    words = re.findall(r"\w+|[*\"“”]", text.lower())
    return frozenset(zip(words, words[1:], words[2:], strict=False))


def share(part: frozenset[tuple[str, ...]], whole: frozenset[tuple[str, ...]]) -> float:
    """How much of ``part`` stands in ``whole``, 0 to 1."""
    return len(part & whole) / len(part) if part else 0.0
