"""What every verb gets: where the workspace is, how to print, whether to do anything at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loragui.cli import watch
from loragui.cli.console import Console
from loragui.errors import AppError
from loragui.jobs.folder import RunFolder
from loragui.jobs.plan import Plan
from loragui.paths import Workspace


@dataclass(frozen=True, kw_only=True)
class Context:
    """The surroundings of one verb."""

    console: Console
    workspace: Workspace
    dry_run: bool

    def show_plan(self, plan: Plan) -> None:
        """Print what would be done."""
        self.console.say(plan.describe())
        self.console.result(plan.to_json())

    def would(self, text: str) -> None:
        """Say what a verb without a plan would do."""
        self.console.say(f"Would {text}.")
        self.console.result({"would": text})

    def perform(self, folder: RunFolder, plan: Plan) -> dict[str, Any]:
        """Run ``plan`` in ``folder`` to its end and return its results; join it if that very work is going on.

        ``watch.Stopped`` after Ctrl-C, AppError when it failed or when other work is going on there.
        """
        if folder.is_running():
            if folder.load_plan().fingerprint != plan.fingerprint:
                raise AppError(
                    f"Other work is going on in {folder.path}.",
                    "Wait for its end, or stop it.",
                    code="already-running",
                )
        else:
            folder.save_plan(plan)
        return watch.execute(folder, self.console)

    def project_folder(self, name: str) -> Path:
        """The folder of a project given by its path or by its name in the workspace."""
        for folder in (Path(name), self.workspace.projects / name):
            if (folder / "project.json").is_file():
                return folder.resolve()
        raise AppError(
            f"There is no project “{name}”.",
            f"Give its folder, or its name in {self.workspace.projects}. “loragui project new” makes one.",
            code="no-project",
        )
