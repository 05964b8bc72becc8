"""What an engine program's last words mean; the list and its reading are those of all programs."""

from __future__ import annotations

from loragui.jobs.failures import explain, is_error, known, unsaid

__all__ = ["explain", "is_error", "known", "unsaid"]
