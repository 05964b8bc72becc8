"""How a tool comes onto this PC: fetched into the workspace, by winget or apt, or by the person from its page.

Only plans and texts here. What changes the system (winget, apt) is run or shown, never without the person's word.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from loragui.engine.toolbox import unpacker
from loragui.engine.tools.facts import Tool
from loragui.engine.tools.found import first
from loragui.engine.tools.unpack import needs_cmake
from loragui.errors import AppError
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Command, Plan, Step
from loragui.jobs.pyjob import job_command
from loragui.paths import Workspace
from loragui.units import size

KIND = "tool-install"
FETCH, WINGET, DEBIAN, BRING, PAGE = "fetch", "winget", "debian", "bring", "page"


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to get a tool, the best first. ``command`` is what would be run, ``url`` the page to open.

    ``ours`` says that we can do it; the others are for the person.
    """

    kind: str
    text: str
    command: tuple[str, ...] = ()
    url: str = ""
    ours: bool = False


def ways(tool: Tool, system: str) -> tuple[Way, ...]:
    """Every way to get ``tool`` on ``system`` (``win32``, ``linux``), the most comfortable first."""
    found = []
    if system == "win32":
        if tool.fetch:
            text = f"Download {tool.name} {tool.fetch.version} ({size(tool.fetch.bytes)}) into the workspace"
            found.append(Way(kind=FETCH, text=text, url=tool.fetch.url, ours=True))
        if tool.winget:
            text = f"Let Windows install {tool.name} with winget (about {size(tool.size_bytes)}; Windows may ask you)"
            found.append(Way(kind=WINGET, text=text, command=winget_argv(tool), ours=True))
        if tool.proof:
            text = f"Download an archive of {tool.name} from its page, and give it to us to unpack"
            found.append(Way(kind=BRING, text=text, url=tool.page, ours=True))
    elif system == "linux" and tool.debian:
        command = ("sudo", "apt", "install", *tool.debian)
        found.append(Way(kind=DEBIAN, text="Install it in a terminal (Debian, Ubuntu, Mint)", command=command))
    return (*found, Way(kind=PAGE, text=f"Get {tool.name} from its page", url=tool.page))


def run_folder(tool: Tool, workspace: Workspace) -> RunFolder:
    """Where the getting of ``tool`` is run."""
    return RunFolder(workspace.jobs / f"tool-{tool.id}")


def fetch_plan(tool: Tool, workspace: Workspace) -> Plan:
    """Download the archive, check it, unpack it into the workspace. AppError when we have no download for it."""
    if tool.fetch is None:
        raise AppError(f"There is no download of {tool.name} that we could check.", f"Get it from {tool.page}.")
    archive = workspace.cache / PurePosixPath(urlsplit(tool.fetch.url).path).name
    arguments = {
        "url": tool.fetch.url,
        "sha256": tool.fetch.sha256,
        "bytes": tool.fetch.bytes,
        "into": str(archive),
    }
    download = Step(
        id="download",
        title=f"Download {tool.name} {tool.fetch.version} ({size(tool.fetch.bytes)})",
        weight=3.0,
        command=job_command("tool-download", arguments),
    )
    cmake, fetching = unpacker(workspace) if tool.fetch.kind != "zip" else ("", ())
    into = workspace.tools / f"{tool.id}-{tool.fetch.version}"
    unpack = _unpack_step(
        tool, archive, into, sha256=tool.fetch.sha256, unpacked=tool.fetch.unpacked_bytes, cmake=str(cmake)
    )
    return _plan(tool, (*fetching, download, unpack))


def bring_plan(tool: Tool, archive: Path, workspace: Workspace) -> Plan:
    """Unpack an archive that the person has downloaded. AppError when that cannot be done for this tool."""
    if not tool.proof:
        raise AppError(f"{tool.name} does not come as an archive.", f"Get it from {tool.page}.", code="usage")
    if not archive.is_file():
        raise AppError(f"There is no file {archive}.", "Choose the archive that you have downloaded.", code="usage")
    version = first(r"-v?(\d{1,4}(?:\.\d{1,4})+)", archive.stem) or "own"
    cmake, fetching = unpacker(workspace) if needs_cmake(archive) else ("", ())
    into = workspace.tools / f"{tool.id}-{version}"
    unpack = _unpack_step(tool, archive.absolute(), into, sha256="", unpacked=tool.size_bytes, cmake=str(cmake))
    return _plan(tool, (*fetching, unpack))


def winget_argv(tool: Tool) -> tuple[str, ...]:
    """The exact command that installs ``tool`` on Windows."""
    version = ("--version", tool.winget_version) if tool.winget_version else ()
    override = ("--override", tool.winget_override) if tool.winget_override else ()
    return (
        "winget", "install", "--id", tool.winget, "--exact", "--source", "winget", *version,
        "--accept-package-agreements", "--accept-source-agreements", "--disable-interactivity", *override,
    )  # fmt: skip


def winget_plan(tool: Tool) -> Plan:
    """Let winget install the tool. Only after the person has seen the command and agreed."""
    if not tool.winget:
        raise AppError(f"winget does not offer {tool.name}.", f"Get it from {tool.page}.")
    command = Command(argv=winget_argv(tool))
    return _plan(tool, (Step(id="winget", title=f"Install {tool.name} with winget", command=command),))


def _plan(tool: Tool, steps: tuple[Step, ...]) -> Plan:
    return Plan(kind=KIND, title=f"Getting {tool.name}", steps=steps, facts={"tool": tool.id})


def _unpack_step(tool: Tool, archive: Path, into: Path, *, sha256: str, unpacked: int, cmake: str) -> Step:
    arguments = {
        "tool": tool.id,
        "archive": str(archive),
        "sha256": sha256,
        "bytes": unpacked,
        "into": str(into),
        "proof": tool.proof,
        "delete": bool(sha256),
        "cmake": cmake,
    }
    title = f"Unpack {tool.name} (about {size(unpacked)})"
    return Step(id="unpack", title=title, command=job_command("tool-unpack", arguments))
