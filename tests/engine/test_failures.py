from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loragui.jobs.failures import explain, failures, first_error, known, parse, signal_of
from tests.engine.conftest import cases


def test_the_list_is_readable_and_every_entry_says_what_to_do() -> None:
    assert len(failures()) > 30
    for failure in failures():
        assert failure.message.endswith(".")
        assert failure.hint.endswith(".")
        assert failure.source


def test_sources_name_captures_that_exist() -> None:
    known = {case.name for case in cases()}
    for failure in failures():
        if failure.source.startswith("captured: "):
            named = failure.source.removeprefix("captured: ").split(";")[0].split(" (")[0]
            assert set(named.split(", ")) <= known


@pytest.mark.parametrize(
    ("returncode", "signal"),
    [(0, 0), (1, 1), (-11, -11), (139, -11), (134, -6),
     (3221225477, -11), (-1073741819, -11), (3221225501, -4),
     (255, 255), (3221225781, 3221225781), (-1073741515, 3221225781), (-1978335189, 0x8A15002B)],
)  # fmt: skip
def test_ways_to_say_the_same_exit(returncode: int, signal: int) -> None:
    assert signal_of(returncode) == signal


def test_an_unknown_failure_shows_its_first_real_error_line() -> None:
    lines = [
        "-- Looking for pthread_create",
        "error: unknown command: -dumpmachine",
        "Git index not found in git repository.",
        "I ccache not found. Consider installing it for faster compilation.",
        "fatal: not a git repository (or any of the parent directories): .git",
        "common.cpp:12:3: error: expected ';'",
        "ninja: build stopped: subcommand failed.",
    ]
    problem = explain(lines, 1, "ninja")
    assert problem.code == "unexplained"
    assert problem.message == "ninja stopped with an error: common.cpp:12:3: error: expected ';'"
    assert "subcommand failed" in problem.details


def test_without_an_error_line_the_last_one_is_shown() -> None:
    assert first_error(["one", "two", "  "]) == "two"
    assert explain([], 7, "main").message == "main stopped without saying why."


@pytest.mark.parametrize(
    ("program", "returncode", "line", "code"),
    [
        ("ninja", 1, "ld.lld: error: failed to write: No space left on device", "disk-full"),
        ("ninja", 1, "error: OutOfMemory", "compiler-memory"),
        ("make", 2, "/bin/sh: 1: c++: not found", "compiler-missing"),
        ("make", 2, "common.h:3:10: fatal error: string: No such file or directory", "compiler-incomplete"),
        ("finetune", -4, "", "illegal-instruction"),
        ("finetune", 3221225781, "", "library-missing"),
        ("main", 127, "main: error while loading shared libraries: libx.so: cannot open", "library-missing"),
        ("finetune", -11, "", "crashed"),
        ("quantize", -9, "", "killed"),
        ("finetune", -6, "ggml.c:1: not enough space in the context's memory pool", "buffer-space"),
    ],
)
def test_other_ways_to_fail(program: str, returncode: int, line: str, code: str) -> None:
    assert explain([line], returncode, program).code == code


@given(st.lists(st.text(), max_size=10), st.integers(-100, 2**32), st.sampled_from(["finetune", "main", "x"]))
def test_anything_is_explained(lines: list[str], returncode: int, program: str) -> None:
    problem = explain(lines, returncode, program)
    assert problem.message
    assert problem.code


@pytest.mark.parametrize(
    "text",
    ['code = "x"\nmessage = "m"\nhint = "h"\nsource = "s"', 'code = "x"\npattern = "a"',
     'code = "x"\nmessage = "m"\nhint = "h"\nsource = "s"\npattern = "a"\npaterns = "b"'],
)  # fmt: skip
def test_a_wrong_entry_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "failures.toml"
    path.write_text(f"[[failure]]\n{text}\n")
    with pytest.raises((ValueError, KeyError)):
        parse(path)


def test_nobody_is_told_to_delete_a_source_that_may_be_their_own() -> None:
    found = known(["fatal: detected dubious ownership in repository at 'D:/llama.cpp'"], 128, "git")
    assert found is not None
    assert found.code == "git-owner"
    assert "elete" not in found.hint
