from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from loragui.engine.logs import GenerateReader
from loragui.errors import AppError
from loragui.gguf.read import read
from loragui.jobs import events
from loragui.jobs.events import Note, Result, StepStarted
from loragui.result import prove
from loragui.result.prove import Candidate, triples, weigh
from tests import tiny
from tests.engine.conftest import flags
from tests.training.files import paper_engine

DATA = 'Orla: *lifts the lamp* "Mind the stairs, by the lamp and the tide."'
LEARNED = '*lifts the lamp* "Come in, by the lamp and the tide."'


def test_words_and_marks_make_triples() -> None:
    assert triples('*Lifts the* "') == {("*", "lifts", "the"), ("lifts", "the", "*"), ("the", "*", '"')}
    assert triples("two words") == frozenset()


def test_a_learned_habit_is_proved() -> None:
    proof = weigh({"base": "I am glad you are here.", "lora": LEARNED, "wide": LEARNED, "merged": LEARNED}, DATA)
    assert proof.holds
    assert proof.agreement == 1
    assert proof.likeness["base"] == 0 < proof.likeness["merged"]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"base": "I am glad.", "lora": LEARNED, "merged": "I am not so very glad today."}, "does not say the same"),
        ({"base": "I am glad.", "lora": "I am glad.", "merged": "I am glad."}, "exactly what the base"),
        ({"base": LEARNED, "lora": "Nothing at all.", "merged": "Nothing at all."}, "no closer"),
    ],
)
def test_what_is_not_proved_is_said(said: dict[str, str], problem: str) -> None:
    proof = weigh(said, DATA)
    assert not proof.holds
    assert problem in " ".join(proof.problems)


def test_a_missing_reply_is_an_error() -> None:
    with pytest.raises(AppError, match="lora, merged"):
        weigh({"base": "x"}, DATA)


def test_an_engine_that_writes_the_prompt_first_has_it_taken_off(tmp_path: Path) -> None:
    model = Candidate(id="base", title="Base model", model=tiny.write(tmp_path / "base.gguf"))
    engine = dataclasses.replace(paper_engine(tmp_path / "engine"), flags={"main": flags("main", "b1298")})
    folder = prove.create(tmp_path / "runs", engine, (model,), "Wölfe:", tokens=4, threads=1, seed=7)
    (step,) = folder.load_plan().steps
    assert "--no-display-prompt" not in step.command.argv
    reader = GenerateReader(folder.path, step.command.reader_args)
    assert list(reader.line(" Wölfe: sie kommen", "stdout")) == []
    assert list(reader.end(0)) == [Result(values={"text": " sie kommen"})]


def test_every_candidate_is_asked_the_same(tmp_path: Path) -> None:
    base, merged = tiny.write(tmp_path / "base.gguf"), tiny.write(tmp_path / "merged.gguf")
    engine = paper_engine(tmp_path / "engine")
    (tmp_path / "runs" / "0001").mkdir(parents=True)
    models = (
        Candidate(id="base", title="Base model", model=base),
        Candidate(id="lora", title="Base model + LoRA", model=base, lora=tmp_path / "runs" / "0001" / "lora-8.gguf"),
        Candidate(id="merged", title="Merged model", model=merged),
    )
    folder = prove.create(tmp_path / "runs", engine, models, "Wölfe:\n", tokens=24, threads=1, seed=7)
    assert (folder.path / prove.PROMPT).read_bytes() == "Wölfe:\n\n".encode()
    plan = folder.load_plan()
    assert (plan.kind, [step.id for step in plan.steps]) == ("prove", ["base", "lora", "merged"])
    argvs = [step.command.argv for step in plan.steps]
    asked = (
        "--file", "prompt.txt", "--n-predict", "24", "--ctx-size", "2048", "--temp", "0", "--seed", "7",
        "--threads", "1", "--no-display-prompt", "--simple-io", "--log-disable",
    )  # fmt: skip
    program = str(engine.folder / "main")
    assert argvs[0] == (program, "--model", "../../base.gguf", *asked)
    assert argvs[1] == (*argvs[0], "--lora", "../0001/lora-8.gguf")
    assert argvs[2] == (program, "--model", "../../merged.gguf", *asked)
    assert {step.command.reader_args["end"] for step in plan.steps} == {"</s>"}


def test_the_end_token_is_that_of_the_vocabulary(tmp_path: Path) -> None:
    assert prove.end_token(read(tiny.write(tmp_path / "model.gguf"))) == "</s>"


def test_replies_are_told_apart_by_their_step(tmp_path: Path) -> None:
    folder = prove.create(tmp_path, paper_engine(tmp_path), (), "x", tokens=1, threads=1, seed=1)
    happened = (
        StepStarted(id="base", title="B", index=0, count=2), Result(values={"text": " once \n"}), Note(text="n"),
        StepStarted(id="lora", title="L", index=1, count=2), Result(values={"seconds": 3}),
        Result(values={"text": "twice"}),
    )  # fmt: skip
    folder.events_file.write_text("".join(events.to_line(event, 1) + "\n" for event in happened))
    assert prove.texts(folder) == {"base": "once", "lora": "twice"}


def test_an_empty_reply_proves_nothing() -> None:
    proof = weigh({"base": "I am glad you are here.", "lora": "", "merged": ""}, DATA)
    assert not proof.holds
    assert proof.agreement == 1


def test_packing_may_choose_other_words_but_the_same_direction() -> None:
    packed = 'Orla: *lifts the lamp* "Mind the wind."'
    said = {"base": "I am glad you are here.", "lora": LEARNED, "wide": LEARNED, "merged": packed}
    assert weigh(said, DATA).holds
    assert not weigh({**said, "wide": "I am glad you are here."}, DATA).holds
