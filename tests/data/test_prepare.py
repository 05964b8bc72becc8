"""The whole step: files in, text and report out, the person's files untouched."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from loragui.data.counting import RoughCounter
from loragui.data.folder import load_report, write_prepared
from loragui.data.job import JOB, format_job, prepare_plan
from loragui.data.marker import split_marked
from loragui.data.prepare import Prepared, prepare
from loragui.data.template import load_template
from loragui.errors import AppError
from loragui.jobs.events import Event, Progress, Result
from tests.data.chats import WordCounter, chat_file, row, said

GUIDE = load_template()


def made(*files: Path, context: int = 500) -> Prepared:
    return prepare(files, GUIDE, context, WordCounter())


def chats(folder: Path) -> None:
    chat_file(folder, said("Hi"), row("Hello"), said("How?"), row("So"), name="b.jsonl")
    chat_file(folder, said("Moin", name="Max"), row("Hey"), name="a.jsonl")
    card = {"name": "amy", "description": "{{char}} likes {{user}}.", "personality": "", "first_mes": ""}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")


def state(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_folder_in_the_order_of_names_with_the_characters_card(tmp_path: Path) -> None:
    chats(tmp_path)
    prepared = made(tmp_path)
    assert [sample.reply for sample in prepared.samples] == [" Hey", " Hello", " How?", " So"]
    assert "Amy likes Max." in prepared.samples[0].text
    assert "Amy likes John." in prepared.samples[1].text
    assert [(Path(row.file).name, row.samples) for row in prepared.report.files] == [
        ("a.jsonl", 1),
        ("b.jsonl", 3),
        ("card.json", 0),
    ]
    assert prepared.report.totals.samples == 4
    assert prepared.report.totals.tokens == sum(sample.tokens for sample in prepared.samples)


def test_same_input_same_bytes_and_sources_untouched(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    chats(source)
    for path in source.iterdir():
        path.chmod(0o444)
    before = state(source)
    one = write_prepared(tmp_path / "one", made(source))
    two = write_prepared(tmp_path / "two", made(source))
    assert one.path.read_bytes() == two.path.read_bytes()
    for name in ("report.json", "findings.jsonl", "preview.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert state(source) == before


def test_copies_of_a_chat_are_used_once(tmp_path: Path) -> None:
    chat_file(tmp_path, said("Hi"), row("Hello"), name="a.jsonl")
    chat_file(tmp_path, said("Hi"), row("Hello"), said("More"), name="branch.jsonl")
    prepared = made(tmp_path)
    assert [sample.reply for sample in prepared.samples] == [" Hello", " More"]
    finding = next(finding for finding in prepared.report.findings if finding.code == "duplicate")
    assert (Path(finding.place.file).name, finding.place.line) == ("branch.jsonl", 3)
    assert "a.jsonl, line 3" in finding.message


def test_other_files_are_said_and_left_out(tmp_path: Path) -> None:
    chats(tmp_path)
    (tmp_path / "picture.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "stranger.json").write_text('{"name": "Bob", "description": "x", "scenario": "y"}', encoding="utf-8")
    (tmp_path / ".hidden").write_text("x", encoding="utf-8")
    found = {finding.code: Path(finding.place.file).name for finding in made(tmp_path).report.findings}
    assert found == {"unknown-format": "picture.jpg", "card-unused": "stranger.json"}


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    chosen = tmp_path / "chosen"
    outside.mkdir()
    chosen.mkdir()
    chats(outside)
    chat_file(chosen, said("Hi"), row("Mine"))
    (chosen / "link.jsonl").symlink_to(outside / "b.jsonl")
    (chosen / "folder").symlink_to(outside)
    assert [sample.reply for sample in made(chosen).samples] == [" Mine"]


def test_cp1252_file_is_read_and_said(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    path.write_bytes('{"name":"Zoë","is_user":true,"mes":"Hi"}\n{"name":"Amy","mes":"Café"}'.encode("cp1252"))
    prepared = made(path)
    assert prepared.samples[0].reply == " Café"
    assert [finding.code for finding in prepared.report.findings] == ["encoding"]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe\x00", b"Just words"])
def test_nothing_to_train_on_says_why(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.jsonl").write_bytes(content)
    with pytest.raises(AppError) as caught:
        made(tmp_path)
    assert caught.value.problem.code == "no-samples"
    assert "x.jsonl" in caught.value.problem.details


def test_missing_and_empty_choices(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"gone\.jsonl"):
        made(tmp_path / "gone.jsonl")
    with pytest.raises(AppError, match="no files"):
        made(tmp_path)
    chat_file(tmp_path, said("Hi"))
    with pytest.raises(AppError, match="no reply"):
        made(tmp_path)


def test_progress_rises_within_one_large_chat(tmp_path: Path) -> None:
    path = chat_file(tmp_path, *(said(f"{number} " + "word " * 20_000) for number in range(10)))
    told: list[tuple[float, float, str]] = []
    prepare([path], GUIDE, 64, WordCounter(), advance=lambda *far: told.append(far))
    units = [unit for _, _, unit in told]
    assert units == sorted(units)
    for unit, total, steps in (("bytes", path.stat().st_size, 4), ("messages", 10, 10)):
        shares = [done for done, whole, kind in told if kind == unit and whole == total]
        assert shares == sorted(shares)
        assert (shares[0], shares[-1]) == (0, total)
        assert len(set(shares)) >= steps


def test_plan_and_job(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    chats(source)
    plan = prepare_plan([source], out=out, base_model=None, context_size=300)
    assert [step.id for step in plan.steps] == [JOB]
    argv = plan.steps[0].command.argv
    assert argv[-3:-1] == ("job", JOB)
    assert not out.exists()
    events: list[Event] = []
    format_job(json.loads(argv[-1]), events.append)
    result = next(event for event in events if isinstance(event, Result))
    assert result.values["samples"] == 4
    assert result.values["tokens_exact"] is False
    assert result.values["counter"] == RoughCounter.name
    progress = [event for event in events if isinstance(event, Progress)]
    assert [(event.unit, event.done) for event in progress if event.done == event.total][-1] == ("messages", 6)
    assert progress[0].unit == "bytes"
    text = Path(result.values["train"]).read_bytes().decode("utf-8")
    assert len(split_marked(text, result.values["marker"])) == 4
    assert load_report(out).totals.samples == 4
    for name in ("train", "findings", "preview", "report"):
        assert Path(result.values[name]).parent == out
        assert Path(result.values[name]).is_file()
