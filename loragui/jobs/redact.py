"""What a log tells about a person, taken out: folders, names, addresses, passwords. Pure; see ``savelog`` for files.

A log is sent to strangers who help. It has to keep what they need (programs, versions, error lines, the system's own
paths) and lose the rest, in every spelling that programs use: both slashes, doubled in JSON, percent signs in
addresses, Windows' short names, any case, bytes of an old code page shown as ``\\xf6``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from urllib.parse import quote

_NO_SECRET = frozenset(
    [
        "root",
        "user",
        "users",
        "admin",
        "administrator",
        "guest",
        "home",
        "host",
        "localhost",
        "workspace",
        "run",
        "public",
        "default",
        "runner",
        "test",
    ]
)
"""Names that are no one's."""
_SHORTEST = 3
"""Letters of a name that is looked for outside of paths; shorter ones are found in any word."""
_CODE_PAGES = ("cp1252", "cp850", "cp437")

_SLASH = r"(?:[\\/]+|%5[cC]|%2[fF])"
_FLAG = r"(?:(?<![\w.~>…/\\-])|(?<=-[ILBSH])|(?<=/[IF])|(?<=/F[ode]))"
"""Before a path: the start of a word, or a compiler's flag."""
_END = r"(?![A-Za-z0-9_])"

_ADDRESS_SECRET = re.compile(r"(?<=://)(?:[^\s/\"'<>@]*@)+|(?<=://)[^\s:/@]+:(?!\d+(?:[/\s\"']|$))[^\s\"']+@")
_TOKEN = re.compile(
    r"\b(?:hf_|gh[opsur]_|github_pat_|glpat-|sk-|xox[abp]-)[A-Za-z0-9_-]{8,}"
    r"|(?<=Bearer )\S+|(?<=Authorization: Basic )\S+"
)
_TOKEN_MARKS = ("hf_", "gh", "glpat-", "sk-", "xox", "Bearer ", "Basic ")
_NAMED_SECRET = re.compile(
    r"((?:token|passw(?:or)?d|secret|api[-_]?key)(?:\\?[\"'])?\s*[:=]\s*(?:\\?[\"'])?)"
    r"(?!<|\d+\b)[^\s\"'\\,;&<>]{6,}",
    re.IGNORECASE,
)
_SECRET_MARKS = ("token", "passw", "secret", "key")
_MAIL = re.compile(r"(?!git@)\b[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b")

_WORD = r"[^\s\\/:*?\"'<>|,;()\[\]]+"
_WORDS = r"[^\s\\/:*?\"'<>|,;()\[\].]+(?: (?!-)[^\s\\/:*?\"'<>|,;()\[\].]+){0,3}"
"""A folder with blanks in its name, as Windows has them; what follows a file's name is no part of it."""
_DRIVE = r"[A-Za-z]:(?:\\+|/(?!/))"
_PATH = re.compile(
    r"(?=[/\\]|[A-Za-z]:)(?:"
    rf"(?<=\")(?:{_DRIVE}|/(?!/)|\\{{2,4}}(?=\w))[^\"\n\r<>|]+(?=\")"  # in quotes, blanks and all
    rf"|(?<=')(?:{_DRIVE}|/(?!/)|\\{{2,4}}(?=\w))[^'\n\r<>|]+(?=')"
    rf"|{_FLAG}[A-Za-z]:\\+(?:(?:{_WORDS}|{_WORD})\\+)*(?:{_WORD})?"
    rf"|{_FLAG}[A-Za-z]:/(?!/)(?:[Uu]sers/+{_WORDS}/+)?(?:{_WORD}/+)*(?:{_WORD})?"
    rf"|(?<![\w\\:])\\{{2,4}}[\w.$-]+(?:\\{{1,2}}{_WORD})+"  # \\server\share\file
    rf"|(?:{_FLAG}|(?<=file://))/(?!/)(?:{_WORD}/+)+(?:{_WORD})?"
    ")"
)
_SYSTEM = re.compile(
    r"/(?:usr|bin|sbin|lib\w*|etc|opt|proc|sys|dev|nix|snap|Library|System|Applications|var/(?:lib|cache|log))(?:/|$)"
    r"|[a-z]:[\\/]+(?:windows|program files(?: \(x86\))?|programdata)(?:[\\/]|$)",
    re.IGNORECASE,
)
_LAST = re.compile(r"([\\/]+)([^\\/]+)[\\/]*$")


def redact(text: str, *, home: str, user: str, host: str, folders: Mapping[str, str]) -> str:
    """``text`` without anything that names a person. ``folders`` are names (``workspace``) of further places."""
    return Redactor(home=home, user=user, host=host, folders=tuple(folders.items()))(text)


class Redactor:
    """The same for much text with the same names."""

    def __init__(self, *, home: str, user: str, host: str, folders: Iterable[tuple[str, str]] = ()) -> None:
        places = [(name, path) for name, path in (*folders, ("home", home)) if _parts(path)]
        places.sort(key=lambda place: -len(place[1]))
        self._places = [_Sought(_path_pattern(path), f"<{name}>", _parts(path)[-1]) for name, path in places]
        people = {user, *_parts(home)[-1:]}
        names = [(name, "<user>") for name in people] + [(name, "<host>") for name in (host, host.partition(".")[0])]
        names = [(name, shown) for name, shown in names if _is_secret(name)]
        names.sort(key=lambda name: -len(name[0]))
        self._names = [_Sought(_name_pattern(name), shown, name) for name, shown in names]

    def __call__(self, text: str) -> str:
        """The text without secrets. Its lines stay lines."""
        return "\n".join(map(self._line, text.split("\n")))

    def _line(self, line: str) -> str:
        """Looks first whether there can be anything to take out: most lines of a training have nothing."""
        small = line.lower()
        if "@" in line or "%40" in line:
            line = _MAIL.sub("<e-mail>", _ADDRESS_SECRET.sub("<credentials>@", line))
        if any(mark in line for mark in _TOKEN_MARKS):
            line = _TOKEN.sub("<secret>", line)
        if any(mark in small for mark in _SECRET_MARKS):
            line = _NAMED_SECRET.sub(r"\1<secret>", line)
        for place in self._places:
            line = place.replaced(line, small)
        if "/" in line or "\\" in line:
            line = _PATH.sub(_shortened, line)
        for name in self._names:
            line = name.replaced(line, small)
        return line


class _Sought:
    """A pattern, looked for only where one of the spellings of ``name``, without which it cannot be, stands."""

    def __init__(self, pattern: str, shown: str, name: str) -> None:
        self._pattern = re.compile(pattern, re.IGNORECASE)
        self._shown = shown
        self._hints = frozenset(("~", *(text.lower() for text in _written(name))))  # "~" for a short name

    def replaced(self, line: str, small: str) -> str:
        """``line`` with what is found replaced; ``small`` is the line in small letters."""
        return self._pattern.sub(self._shown, line) if any(hint in small for hint in self._hints) else line


def _is_secret(name: str) -> bool:
    return len(name) >= _SHORTEST and name.lower() not in _NO_SECRET


def _shortened(match: re.Match[str]) -> str:
    """A path's last part, unless the path is the system's own."""
    path = match[0]
    last = _LAST.search(path)
    if last is None or _SYSTEM.match(path) or len(_parts(path)) < 2:
        return path
    return f"…{last[1]}{last[2]}"


def _parts(path: str) -> list[str]:
    return [part for part in re.split(r"[\\/]+", path) if part]


def _path_pattern(path: str) -> str:
    """The path in every spelling, with or without what is below it."""
    parts = _parts(path)
    drive = re.fullmatch(r"([A-Za-z]):", parts[0])
    if drive:
        letter = re.escape(drive[1])
        start = rf"(?:(?:[\\/]+[?.][\\/]+)?{letter}(?::|%3[aA])|/(?:mnt/|cygdrive/)?{letter})"
        parts = parts[1:]
    else:
        start = _FLAG if len(parts) == 1 else r"(?<!\.)"
    return start + "".join(f"{_SLASH}(?:{'|'.join(_spellings(part))})" for part in parts) + _END


def _name_pattern(name: str) -> str:
    return rf"(?<![A-Za-z0-9])(?:{'|'.join(_spellings(name))}){_END.replace('_', '')}"


@cache
def _spellings(name: str) -> tuple[str, ...]:
    """Regular expressions for a name as it is, and as programs write it."""
    found = {re.escape(text) for text in _written(name)}
    plain = re.sub(r"[^A-Za-z0-9_-]", "", name)
    if plain and (plain != name or len(name) > 8):
        found.add(rf"{re.escape(plain[:6])}~\d")
        found.add(rf"{re.escape(plain[:2])}[0-9A-F]{{4}}~\d")
    return tuple(sorted(found, key=len, reverse=True))


def _written(name: str) -> Iterator[str]:
    yield name
    yield quote(name, safe="")
    yield quote(name, safe="").replace("%20", "+")
    escaped = json.dumps(name)[1:-1]
    yield escaped
    yield escaped.replace("\\", "\\\\")
    for page in _CODE_PAGES:
        try:
            yield name.encode(page).decode("utf-8", "backslashreplace")
        except UnicodeEncodeError:
            continue
