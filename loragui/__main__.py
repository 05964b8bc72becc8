"""Entry point: chooses between the window and the command line before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the program. Returns its exit code: 0 done, 1 could not, 2 wrong use, 130 stopped."""
    try:
        from loragui.cli import main as command_line

        return command_line(sys.argv[1:])
    except KeyboardInterrupt:  # Ctrl-C while the program is still being loaded
        return 130


if __name__ == "__main__":
    sys.exit(main())
