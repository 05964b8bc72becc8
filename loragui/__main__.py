"""Entry point: chooses between the window and the command line before anything heavy is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from loragui.paths import Workspace, default_workspace


def main() -> int:
    """Run the program. Returns its exit code: 0 done, 1 could not, 2 wrong use, 130 stopped."""
    try:
        window = window_wanted(sys.argv[1:])
        if window is not None:
            from loragui.gui.app import main as show

            return show(*window)
        from loragui.cli import main as command_line

        return command_line(sys.argv[1:])
    except KeyboardInterrupt:  # Ctrl-C while the program is still being loaded
        return 130


def window_wanted(words: Sequence[str]) -> tuple[Workspace, Path | None] | None:
    """The workspace and project of the window, or None for the command line.

    The window is meant by no words at all, or by a project: its folder, its ``project.json``, or its name.
    """
    words = [part for word in words for part in (word.split("=", 1) if word.startswith("--workspace=") else [word])]
    root = default_workspace()
    if "--workspace" in words[:-1]:
        at = words.index("--workspace")
        root = Path(words[at + 1])
        del words[at : at + 2]
    workspace = Workspace(root.absolute())
    if not words:
        return workspace, None
    if len(words) > 1 or words[0].startswith("-"):
        return None
    named = Path(words[0])
    folders = [named.parent] if named.name == "project.json" else [named, workspace.projects / named]
    for folder in folders:
        if (folder / "project.json").is_file():
            return None if _is_verb(words[0]) else (workspace, folder.resolve())
    return None


def _is_verb(word: str) -> bool:
    from loragui.cli import verbs

    return word in verbs()


if __name__ == "__main__":
    sys.exit(main())
