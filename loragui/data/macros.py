"""The placeholders that chat programs leave in texts: ``{{user}}``, ``<BOT>`` and their kin, and reasoning
blocks.

A model that is trained on placeholders writes placeholders, so names are put in and the rest is taken out.
Only names that chat programs are known to use are touched; other double braces are somebody's text.
"""

from __future__ import annotations

import re

_NAMES = re.compile(
    r"\{\{\s*(user|char|charIfNotGroup|group)\s*\}\}|<(USER|BOT|CHAR|CHARIFNOTGROUP|GROUP)>", re.IGNORECASE
)
_NEWLINE = re.compile(r"\{\{\s*newline\s*\}\}", re.IGNORECASE)
_OTHERS = re.compile(
    r"\{\{\s*(?://[^{}]*|(?:trim|noop|original|random|pick|roll|time|time_utc[^{}]*|date|weekday|isotime|isodate"
    r"|datetimeformat|idle_duration|input|persona|mesexamples|lastmessage|lastmessageid|lastcharmessage"
    r"|lastusermessage|setvar|getvar|addvar|setglobalvar|getglobalvar|addglobalvar|banned|bias|reverse|hidden_key"
    r"|comment)\b(?:[\s:][^{}]*)?)\}\}",
    re.IGNORECASE,
)
_THINKING = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)


def fill(text: str, *, user: str, character: str) -> str:
    """``text`` with the names put in and the other known placeholders taken out."""
    if "{{" not in text and "<" not in text:
        return text

    def name(match: re.Match[str]) -> str:
        return user if (match[1] or match[2]).lower() == "user" else character

    return _OTHERS.sub("", _NEWLINE.sub("\n", _NAMES.sub(name, text)))


def holds_others(text: str) -> bool:
    """Whether ``fill`` would take a placeholder out of ``text`` that is not a name or a line end."""
    return "{{" in text and _OTHERS.search(text) is not None


def without_thinking(text: str) -> str:
    """``text`` without a reasoning block at its start; one that never ends takes everything."""
    return _THINKING.sub("", text, count=1) if "<" in text[:200] else text
