"""A network that fails, for real: a closed port, no such name, a proxy that refuses, a certificate nobody knows."""

from __future__ import annotations

import http.server
import os
import shutil
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from loragui.engine.logs import NinjaReader
from loragui.errors import AppError, Problem
from loragui.jobs import packages
from loragui.jobs.events import Event, Trouble
from loragui.jobs.packages import Package
from loragui.jobs.pyjob import os_problem

CLOSED, NOWHERE = "https://127.0.0.1:9/x", "https://nowhere.invalid/x"
git = pytest.mark.skipif(shutil.which("git") is None, reason="no git")


class Refusing(http.server.BaseHTTPRequestHandler):
    """A proxy that asks everybody for a name and a password."""

    def do_CONNECT(self) -> None:
        self.send_response(407)
        self.send_header("Proxy-Authenticate", 'Basic realm="company"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_CONNECT  # noqa: N815

    def log_message(self, *_words: object) -> None:
        pass


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, *_words: object) -> None:
        """A client that does not trust the certificate hangs up; that is meant."""


def serving(server: http.server.ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def proxy() -> Iterator[str]:
    yield from serving(Quiet(("127.0.0.1", 0), Refusing))


@pytest.fixture
def unknown_certificate() -> Iterator[str]:
    server = Quiet(("127.0.0.1", 0), Refusing)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("self-signed.pem"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from serving(server)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this PC's own settings for proxies and mirrors."""
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.startswith(("PIP_", "GIT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("LC_ALL", "C")


# --- git ------------------------------------------------------------------------------------------------------------


def fetched(folder: Path, *words: str, owner: int | None = None) -> Problem:
    """Run the real git in a repository of its own; what its reader says."""
    if not (folder / "r").exists():
        subprocess.run(["git", "init", "-q", "r"], cwd=folder, check=True)
    if owner is not None:
        os.chown(folder / "r", owner, owner)
    argv = ["git", "-C", "r", "-c", "protocol.version=2", *words]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    reader = NinjaReader(folder, {"program": "git"})
    for line in (done.stdout + done.stderr).splitlines():
        reader.line(line, "stderr")
    (trouble,) = (event for event in reader.end(done.returncode) if isinstance(event, Trouble))
    return trouble.problem


@git
def test_git_and_a_closed_port(tmp_path: Path) -> None:
    assert fetched(tmp_path, "fetch", CLOSED).code == "network"


@git
def test_git_and_no_such_name(tmp_path: Path) -> None:
    assert fetched(tmp_path, "fetch", NOWHERE).code == "no-network"


@git
@pytest.mark.parametrize("address", [NOWHERE, NOWHERE.replace("https", "http")])
def test_git_behind_a_proxy(address: str, proxy: str, tmp_path: Path) -> None:
    assert fetched(tmp_path, "-c", f"http.proxy=http://{proxy}", "fetch", address).code == "proxy"


@git
def test_git_and_an_unknown_certificate(unknown_certificate: str, tmp_path: Path) -> None:
    assert fetched(tmp_path, "fetch", f"https://{unknown_certificate}/x").code == "certificate"


@git
def test_git_and_an_unknown_revision(tmp_path: Path) -> None:
    assert fetched(tmp_path, "fetch", ".", "1" * 40).code == "commit-missing"
    assert fetched(tmp_path, "checkout", "1" * 40).code == "commit-missing"


@git
def test_git_and_another_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "r"], cwd=tmp_path, check=True)
    (tmp_path / "r" / ".git" / "index.lock").touch()
    (tmp_path / "r" / "x").touch()
    assert fetched(tmp_path, "add", "x").code == "git-locked"


@git
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a folder away")
def test_git_and_a_folder_of_another_user(tmp_path: Path) -> None:
    found = fetched(tmp_path, "status", owner=65534)
    assert found.code == "git-owner"
    assert str(tmp_path) in found.message


# --- pip ------------------------------------------------------------------------------------------------------------


def downloaded(folder: Path) -> Problem:
    """Run our job with the real pip; what it says."""
    wanted = Package(name="lamp", version="1.0", sha256=("0" * 64,))
    with pytest.raises(AppError, match=r"^Downloading lamp 1\.0 failed\. ") as caught:
        packages.download_job({"package": wanted.to_json(), "into": str(folder)}, nobody)
    return caught.value.problem


def nobody(_event: Event) -> None:
    pass


def test_pip_and_a_closed_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", CLOSED)
    assert downloaded(tmp_path).code == "network"


def test_pip_and_no_such_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", NOWHERE)
    assert downloaded(tmp_path).code == "no-network"


def test_pip_behind_a_proxy(proxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", NOWHERE)
    monkeypatch.setenv("PIP_PROXY", f"http://{proxy}")
    assert downloaded(tmp_path).code == "proxy"


def test_pip_and_an_unknown_certificate(
    unknown_certificate: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"https://{unknown_certificate}/x")
    assert downloaded(tmp_path).code == "certificate"


# --- our own downloads ----------------------------------------------------------------------------------------------


def opened(address: str, proxy: str = "") -> Problem:
    proxies = {"http": f"http://{proxy}", "https": f"http://{proxy}"} if proxy else {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    with pytest.raises(OSError, match=r".") as caught:
        opener.open(address, timeout=10)
    if isinstance(caught.value, urllib.error.HTTPError):
        caught.value.close()
    return os_problem(caught.value)


def test_python_and_the_network(proxy: str, unknown_certificate: str) -> None:
    assert opened(CLOSED).code == "network"
    assert opened(NOWHERE).code == "no-network"
    assert opened(NOWHERE, proxy).code == "proxy"
    assert opened(NOWHERE.replace("https", "http"), proxy).code == "proxy"
    assert opened(f"https://{unknown_certificate}/").code == "certificate"
