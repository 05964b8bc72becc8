"""What can go wrong, as a value that says what failed, why, and what to do next.

A ``Problem`` travels through events and JSON and is shown once, at the border (command line or window).
``AppError`` carries one where a function cannot go on.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, in words for a person.

    ``message`` says what failed and why, ``hint`` what to do next, ``details`` what an engineer would ask for.
    ``code`` is a stable name (``disk-full``) for tests and for ``resources/failures.toml``.
    ``blocking`` is false for advice that does not stop the work.
    """

    message: str
    hint: str = ""
    details: str = ""
    code: str = ""
    blocking: bool = True

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class AppError(Exception):
    """An expected failure. Shown to the person as it is, without a traceback."""

    def __init__(self, message: str, hint: str = "", *, details: str = "", code: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(message=message, hint=hint, details=details, code=code)

    def __str__(self) -> str:
        return str(self.problem)

    @classmethod
    def newer(cls, what: object, hint: str = "Update loragui, then open it again.") -> AppError:
        """The error for a file whose schema number this version does not know yet."""
        return cls(f"{what} was written by a newer version of loragui.", hint, code="newer")

    @classmethod
    def of(cls, problem: Problem) -> AppError:
        """The error that carries ``problem``."""
        return cls(problem.message, problem.hint, details=problem.details, code=problem.code)
