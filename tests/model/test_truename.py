from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loragui.gguf.read import ValueType, read
from loragui.gguf.rewrite import overwrite_metadata
from loragui.gguf.write import NewEntry
from loragui.model import convert, truename
from loragui.model.recipe import KEEP, Recipe
from tests.model import models
from tests.model.models import Tiny

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)


def copy_of(folder: Path, source: Path, pre: str) -> Path:
    """A copy as the engine trains it, which stands for the merged model too: both keep all notes."""
    target = folder / f"{source.stem}.copy.gguf"
    args = {"source": str(source), "target": str(target), "recipe": Recipe(output_type=KEEP, pre=pre).to_json()}
    convert.convert_job(args, lambda _event: None)
    return target


def metadata(path: Path) -> dict[str, object]:
    """Every entry with its values, wherever they lie in the file."""
    file = read(path)
    return {entry.key: list(array) if (array := file.array(entry.key)) else entry.value for entry in file.entries}


@settings(max_examples=25, deadline=None)
@given(names=st.lists(NAMES, min_size=2, max_size=2, unique=True))
def test_only_the_names_change_places(names: list[str]) -> None:
    true, used = names
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path = copy_of(folder, models.write(folder / "a.gguf", Tiny(pre=true)), used)
        before, told, at = path.read_bytes(), metadata(path), read(path).data_offset
        assert truename.restore(read(path)) == true
        assert path.read_bytes()[at:] == before[at:]
        del told[convert.NOTE_PRE]
        assert metadata(path) == {**told, truename.PRE: true, convert.NOTE_ENGINE_PRE: used}
        assert truename.engine_name(read(path)) == used
        assert truename.restore(read(path)) == "", "done once"


def test_a_model_that_was_not_renamed_stays_as_it_is(tmp_path: Path) -> None:
    path = models.write(tmp_path / "a.gguf", Tiny())
    before = path.read_bytes()
    assert truename.restore(read(path)) == ""
    assert truename.engine_name(read(path)) == ""
    assert path.read_bytes() == before


def test_a_finished_model_can_be_a_base_model_again(tmp_path: Path) -> None:
    finished = copy_of(tmp_path, models.write(tmp_path / "a.gguf", Tiny()), "starcoder")
    truename.restore(read(finished))
    again = copy_of(tmp_path, finished, "gpt-2")
    assert truename.engine_name(read(again)) == "gpt-2"
    assert truename.restore(read(again)) == "smollm"
    assert truename.engine_name(read(again)) == "gpt-2"


@pytest.mark.parametrize("value", ["x", "x" * 400])
def test_entries_that_need_other_room_are_not_written(tmp_path: Path, value: str) -> None:
    path = models.write(tmp_path / "a.gguf", Tiny(extra={"general.url": "y" * 200}))
    before, file = path.read_bytes(), read(path)
    new = NewEntry(key="general.url", kind=ValueType.STRING, value=value)
    assert not overwrite_metadata(file, [new if entry.key == new.key else entry for entry in file.entries])
    assert path.read_bytes() == before
