"""Downloads from a real server that breaks, lies and refuses."""

from __future__ import annotations

import hashlib
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loragui.engine.tools import download
from loragui.errors import AppError
from loragui.jobs.events import Event, Note, Progress
from tests.engine.tools.server import Server, serving

CONTENT = bytes(range(256)) * 2048
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving() as running:
        running.content = CONTENT
        yield running


def get(
    server: Server, into: Path, *, sha256: str = SHA256, expected: int = len(CONTENT), url: str = ""
) -> list[Event]:
    events: list[Event] = []
    download.download(url or server.url, into, sha256, expected, events.append, pause=0)
    return events


def refused(server: Server, into: Path, **more: Any) -> AppError:
    with pytest.raises(AppError) as caught:
        get(server, into, **more)
    return caught.value


def test_a_file_comes_whole(server: Server, tmp_path: Path) -> None:
    into = tmp_path / "cache" / "kit.zip"
    events = get(server, into)
    assert into.read_bytes() == CONTENT
    assert [path.name for path in into.parent.iterdir()] == ["kit.zip"]
    far = [event.done for event in events if isinstance(event, Progress)]
    assert far == sorted(far)
    assert far[-1] <= len(CONTENT)


def test_what_is_there_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    get(server, tmp_path / "kit.zip")
    get(server, tmp_path / "kit.zip")
    assert len(server.asked) == 1


def test_a_damaged_file_of_that_name_is_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "kit.zip").write_bytes(b"half")
    get(server, tmp_path / "kit.zip")
    assert (tmp_path / "kit.zip").read_bytes() == CONTENT


def test_a_connection_that_breaks_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000, 70_000, 0, 200_000]
    get(server, tmp_path / "kit.zip")
    assert (tmp_path / "kit.zip").read_bytes() == CONTENT
    assert server.asked == [
        ("", ""), ("bytes=100000-", '"one"'), ("bytes=170000-", '"one"'), ("bytes=170000-", '"one"'),
        ("bytes=370000-", '"one"'),
    ]  # fmt: skip


def test_a_later_start_goes_on_too(server: Server, tmp_path: Path) -> None:
    server.cuts = [300_000] + [0] * 10
    assert refused(server, tmp_path / "kit.zip").problem.code == "download"
    server.cuts, server.asked = [], []
    get(server, tmp_path / "kit.zip")
    assert server.asked == [("bytes=300000-", '"one"')]
    assert (tmp_path / "kit.zip").read_bytes() == CONTENT


def test_two_states_of_a_file_are_never_joined(server: Server, tmp_path: Path) -> None:
    server.content, server.tag, server.cuts = b"\0" * len(CONTENT), '"old"', [300_000] + [0] * 10
    refused(server, tmp_path / "kit.zip")
    server.content, server.tag, server.cuts = CONTENT, '"new"', []
    get(server, tmp_path / "kit.zip")
    assert (tmp_path / "kit.zip").read_bytes() == CONTENT


@pytest.mark.parametrize("how", ["no ranges", "no tag", "weak tag"])
def test_a_server_that_cannot_go_on_starts_anew(server: Server, tmp_path: Path, how: str) -> None:
    server.ranges = how != "no ranges"
    server.tag = {"no ranges": '"one"', "no tag": "", "weak tag": 'W/"one"'}[how]
    server.cuts = [300_000]
    get(server, tmp_path / "kit.zip")
    assert (tmp_path / "kit.zip").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_dropped(server: Server, tmp_path: Path) -> None:
    (tmp_path / "kit.zip.part").write_bytes(b"x" * len(CONTENT))
    (tmp_path / "kit.zip.part.mark").write_text('"one"')
    get(server, tmp_path / "kit.zip")
    assert (tmp_path / "kit.zip").read_bytes() == CONTENT


def test_without_a_length_the_checksum_decides(server: Server, tmp_path: Path) -> None:
    server.length = False
    get(server, tmp_path / "kit.zip")
    assert (tmp_path / "kit.zip").read_bytes() == CONTENT


def test_another_content_is_refused_and_forgotten(server: Server, tmp_path: Path) -> None:
    server.content = b"<html>Log in to this Wi-Fi</html>"
    problem = refused(server, tmp_path / "kit.zip").problem
    assert problem.code == "checksum"
    assert "login page" in problem.hint
    assert list(tmp_path.iterdir()) == []


def test_a_flood_is_stopped(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_ROOM", 0)
    problem = refused(server, tmp_path / "kit.zip", expected=1000).problem
    assert problem.code == "checksum"
    assert (tmp_path / "kit.zip.part").stat().st_size < len(CONTENT)


@pytest.mark.parametrize(
    ("status", "code"), [(404, "download-gone"), (403, "download-gone"), (410, "download-gone"), (400, "download")]
)
def test_a_refusal_is_told_at_once(server: Server, tmp_path: Path, status: int, code: str) -> None:
    server.status = [status]
    problem = refused(server, tmp_path / "kit.zip").problem
    assert (problem.code, len(server.asked)) == (code, 1)
    assert str(status) in problem.message


def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.status = [503, 429, 502]
    events = get(server, tmp_path / "kit.zip")
    assert (tmp_path / "kit.zip").read_bytes() == CONTENT
    assert sum(isinstance(event, Note) and "trying again" in event.text for event in events) == 3


def test_a_proxy_is_used_and_may_ask_for_a_password(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("no_proxy", "")
    get(server, tmp_path / "kit.zip", url="http://kit.invalid/kit.zip")
    assert (tmp_path / "kit.zip").read_bytes() == CONTENT
    server.status = [407]
    problem = refused(server, tmp_path / "other.zip", url="http://kit.invalid/kit.zip").problem
    assert problem.code == "proxy"
    assert "HTTPS_PROXY" in problem.hint


def test_a_proxy_that_asks_for_a_password_before_it_makes_a_tunnel(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.server_address[1]}")
    problem = refused(server, tmp_path / "kit.zip", url="https://kit.invalid/kit.zip").problem
    assert problem.code == "proxy"


def test_nobody_listens(server: Server, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    problem = refused(server, tmp_path / "kit.zip", url=f"http://127.0.0.1:{port}/kit.zip").problem
    assert problem.code == "download"
    assert f"127.0.0.1:{port}" in problem.message


def test_a_name_that_nobody_knows(server: Server, tmp_path: Path) -> None:
    problem = refused(server, tmp_path / "kit.zip", url="http://kit.invalid/kit.zip").problem
    assert problem.code == "no-network"


def test_a_full_disk_is_told_before(server: Server, tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert refused(server, tmp_path / "kit.zip", expected=free * 2).problem.code == "disk-full"
    assert server.asked == []
