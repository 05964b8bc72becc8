"""What is to be done, as frozen values: a ``Plan`` of steps, each with one ``Command``. Doing is the runner's part."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loragui.errors import AppError

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Command:
    """One program to run, never through a shell.

    ``cwd`` is relative to the run folder (``.`` is the run folder itself) or absolute.
    ``env`` is laid over the runner's own environment; ``None`` removes a variable.
    ``reader`` names the log reader that turns output lines into events (see the registry in ``cli/readers.py``);
    ``reader_args`` are its JSON-able arguments.
    """

    argv: tuple[str, ...]
    cwd: str = "."
    env: Mapping[str, str | None] = field(default_factory=dict)
    reader: str = "plain"
    reader_args: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return shlex.join(self.argv)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command with a title for a person. ``weight`` is its share of the plan's time (any unit)."""

    id: str
    title: str
    command: Command
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Steps in order. ``kind`` says what sort of work it is (``train``, ``engine-build``)."""

    kind: str
    title: str
    steps: tuple[Step, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON-able values, with its schema number."""
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "title": self.title,
            "facts": dict(self.facts),
            "steps": [
                {
                    "id": step.id,
                    "title": step.title,
                    "weight": step.weight,
                    "argv": list(step.command.argv),
                    "cwd": step.command.cwd,
                    "env": dict(step.command.env),
                    "reader": step.command.reader,
                    "reader_args": dict(step.command.reader_args),
                }
                for step in self.steps
            ],
        }

    @property
    def fingerprint(self) -> str:
        """Tells this plan from any other; a changed plan starts from its first step."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    @staticmethod
    def from_json(value: Any) -> Plan:
        """The inverse of ``to_json``. AppError for a newer schema or a damaged plan."""
        if not isinstance(value, dict) or value.get("schema", 0) > SCHEMA:
            raise AppError.newer("This run")
        try:
            steps = tuple(
                Step(
                    id=str(row["id"]),
                    title=str(row["title"]),
                    weight=float(row["weight"]),
                    command=Command(
                        argv=tuple(str(word) for word in row["argv"]),
                        cwd=str(row["cwd"]),
                        env=dict(row["env"]),
                        reader=str(row["reader"]),
                        reader_args=dict(row["reader_args"]),
                    ),
                )
                for row in value["steps"]
            )
            return Plan(kind=str(value["kind"]), title=str(value["title"]), steps=steps, facts=dict(value["facts"]))
        except (KeyError, TypeError, ValueError) as error:
            raise AppError(
                "The plan of this run is damaged.",
                "Start the step again; nothing else is lost.",
                details=repr(error),
            ) from error

    def describe(self) -> str:
        """The plan for a dry run: titles and exact command lines."""
        lines = [self.title]
        for number, step in enumerate(self.steps, start=1):
            lines.append(f"  {number}. {step.title}")
            lines.append(f"     in {step.command.cwd}: {step.command}")
        return "\n".join(lines)
