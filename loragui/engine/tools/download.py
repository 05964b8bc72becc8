"""One file from the web: gone on with after a break, checked by its sha256, through the person's proxy.

``urllib`` is enough: it takes proxies and certificates from the system, and we need nothing that it lacks.
"""

from __future__ import annotations

import http
import http.client
import os
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from loragui import __version__
from loragui.errors import AppError
from loragui.jobs.events import Note, Progress
from loragui.jobs.pyjob import Emit
from loragui.paths import file_sha256, require_space
from loragui.units import size

_SECONDS = 30
"""Without a single byte, then the connection counts as broken."""
_ATTEMPTS = 5
"""In a row without a new byte."""
_PIECE = 1 << 16
_ROOM = 16 << 20
_RETRIED = {408, 425, 429, 500, 502, 503, 504}


class _BrokenError(Exception):
    """The connection ended early; what came is kept."""


def download_job(args: Mapping[str, Any], emit: Emit) -> None:
    """Job ``tool-download``: the file of ``url`` at ``into``, about ``bytes`` long, with that ``sha256``."""
    download(str(args["url"]), Path(args["into"]), str(args["sha256"]), int(args["bytes"]), emit)


def download(url: str, into: Path, sha256: str, expected: int, emit: Emit, *, pause: float = 2.0) -> None:
    """Fetch ``url`` into the file ``into``; AppError when that cannot be. ``pause`` seconds before trying again."""
    if into.is_file() and file_sha256(into) == sha256:
        emit(Note(text=f"{into.name} is downloaded already."))
        return
    into.parent.mkdir(parents=True, exist_ok=True)
    part = into.with_name(f"{into.name}.part")
    require_space(into.parent, expected - _length(part), into.name)
    emit(Note(text=f"Downloading {into.name} from {urllib.request.Request(url).host}"))  # noqa: S310 - https in facts
    _until_all_is_there(url, part, expected, emit, pause)
    found = file_sha256(part)
    if found != sha256:
        _forget(part)
        raise _other_file(into.name, f"{url}\nsha256 {found}, expected {sha256}")
    part.replace(into)
    _forget(part)


def _until_all_is_there(url: str, part: Path, expected: int, emit: Emit, pause: float) -> None:
    failed = 0
    while True:
        before = _length(part)
        try:
            _receive(url, part, expected, emit)
        except (_BrokenError, urllib.error.URLError) as error:
            failed = 1 if _length(part) > before else failed + 1
            if failed >= _ATTEMPTS or not _worth_trying(error):
                raise _failure(url, error) from error
            emit(Note(text="The connection broke; trying again."))
            time.sleep(pause * failed)
        else:
            return


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _mark(part).unlink(missing_ok=True)


def _mark(part: Path) -> Path:
    """Holds what the server called this state of the file, so that two states are never joined."""
    return part.with_name(f"{part.name}.mark")


def _length(part: Path) -> int:
    try:
        return part.stat().st_size
    except OSError:
        return 0


def _receive(url: str, part: Path, expected: int, emit: Emit) -> None:
    have = _length(part) if _mark(part).is_file() else 0
    headers = {"User-Agent": f"loragui/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": _mark(part).read_text(encoding="utf-8")}
    answer = _asked(urllib.request.Request(url, headers=headers), part)  # noqa: S310
    with closing(answer):
        goes_on = answer.status == http.HTTPStatus.PARTIAL_CONTENT and _starts_at(answer.headers, have)
        length = answer.headers.get("Content-Length", "")
        total = (have if goes_on else 0) + int(length) if length.isdecimal() else 0
        if not goes_on:
            _mark(part).unlink(missing_ok=True)
        with part.open("ab" if goes_on else "wb") as out:
            tag = answer.headers.get("ETag", "")
            mark = answer.headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag
            if mark:
                _mark(part).write_text(mark, encoding="utf-8")
            _copy(answer, out, total, expected, emit)


def _asked(request: urllib.request.Request, part: Path) -> Any:
    try:
        return urllib.request.build_opener().open(request, timeout=_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # what we have is of another file
            _forget(part)
            raise _BrokenError from error
        raise
    except urllib.error.URLError:
        raise
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(repr(error)) from error


def _starts_at(headers: Mapping[str, str], have: int) -> bool:
    return str(headers.get("Content-Range", "")).startswith(f"bytes {have}-")


def _copy(answer: Any, out: Any, total: int, expected: int, emit: Emit) -> None:
    told = out.tell()
    whole = total or expected
    while piece := _piece(answer):
        out.write(piece)
        done = out.tell()
        if done > 4 * expected + _ROOM:
            out.truncate(0)
            raise _other_file(Path(out.name).stem, f"more than {size(done)} came, {size(expected)} were expected")
        if done - told >= whole // 100:
            told = done
            emit(Progress(done=min(done, whole), total=whole, unit="bytes"))
    out.flush()
    os.fsync(out.fileno())
    if total and out.tell() < total:
        raise _BrokenError(f"{out.tell()} of {total} bytes came")


def _piece(answer: Any) -> bytes:
    try:
        return bytes(answer.read(_PIECE))
    except (OSError, http.client.HTTPException) as error:  # of the web; one of the disk is not caught
        raise _BrokenError(repr(error)) from error


def _worth_trying(error: Exception) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _RETRIED
    reason = getattr(error, "reason", error)
    return not isinstance(reason, ssl.SSLCertVerificationError) and "407" not in str(reason)


def _failure(url: str, error: Exception) -> AppError:
    """What a failed download means, in words for a person."""
    reason = getattr(error, "reason", error)
    code = error.code if isinstance(error, urllib.error.HTTPError) else 0
    where, details = urllib.request.Request(url).host or url, f"{url}\n{error!r}"  # noqa: S310
    if code == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED or "407" in str(reason):
        message, hint = "The proxy of this network asks for a name and a password.", _PROXY
        return AppError(message, hint, details=details, code="proxy")
    if code in {403, 404, 410, 451}:
        message = f"{where} does not offer this file (answer {code})."
        hint = "It may have moved: look at the tool's page, and get it from there. Some networks also block downloads."
        return AppError(message, hint, details=details, code="download-gone")
    if code:
        message, hint = f"{where} cannot give the file now (answer {code}).", "Try again later; it goes on from here."
        return AppError(message, hint, details=details, code="download")
    if isinstance(reason, ssl.SSLCertVerificationError):
        message = f"The connection to {where} cannot be trusted: its certificate is not one that this PC knows."
        hint = "A virus scanner or a company's network may look into connections. Check this PC's clock, too."
        return AppError(message, hint, details=details, code="certificate")
    if isinstance(reason, socket.gaierror):
        message, hint = f"{where} cannot be reached: there is no internet connection.", "Connect, then try again."
        return AppError(message, hint, details=details, code="no-network")
    message, hint = f"The connection to {where} breaks again and again.", "Try again; it goes on from where it was."
    return AppError(message, hint, details=details, code="download")


_PROXY = "Set HTTPS_PROXY to http://NAME:PASSWORD@ADDRESS:PORT, or download the file by hand from the tool's page."


def _other_file(name: str, details: str) -> AppError:
    return AppError(
        f"What arrived for {name} is not the file we know: its checksum differs.",
        "Try again. If it happens twice, this network changes downloads (a login page, for example); use another.",
        details=details,
        code="checksum",
    )
