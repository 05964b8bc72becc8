"""What the command line prints: plain sentences, one moving progress line, or one JSON value at the end."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from loragui.errors import Problem

LINE_EVERY = 10.0
"""Seconds between two progress lines where the output is a file or a log."""


class Console:
    """Prints for a person, or (``as_json``) nothing but the result."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._moving = sys.stdout.isatty()
        self._silent = False
        self._open_line = False
        self._last_progress = 0.0

    def say(self, text: str = "") -> None:
        """Print a line for a person."""
        if not self.as_json:
            self._end_line()
            print(text, flush=True)

    def progress(self, text: str) -> None:
        """Show how far it is: rewritten in place on a terminal, now and then elsewhere."""
        if self.as_json:
            return
        now = time.monotonic()
        if self._moving:
            if now - self._last_progress >= 0.2:
                self._last_progress = now
                print(f"\r  {text[:110]:<112}", end="", flush=True)
                self._open_line = True
        elif now - self._last_progress >= LINE_EVERY:
            self._last_progress = now
            print(f"  {text}", flush=True)

    def problem(self, problem: Problem) -> None:
        """Say what failed and what to do, on stderr, whatever stdout is for."""
        self._end_line()
        print(f"\nProblem: {problem.message}", file=sys.stderr)
        if problem.hint:
            print(f"What to do: {problem.hint}", file=sys.stderr)
        if problem.details:
            shown = "\n".join(problem.details.strip().splitlines()[-12:])
            print(f"Details:\n{shown}", file=sys.stderr)
        sys.stderr.flush()

    def quiet_result(self) -> Console:
        """A console for a verb within a verb: what it says is shown, its result is not."""
        inner = Console(as_json=self.as_json)
        inner._silent = True
        return inner

    def result(self, value: Any) -> None:
        """Print the verb's result as one JSON value, if that was asked for."""
        if self.as_json and not self._silent:
            print(json.dumps(value, indent=2, ensure_ascii=False, default=str), flush=True)

    def _end_line(self) -> None:
        if self._open_line:
            self._open_line = False
            print(flush=True)
