"""The list of engines: what stands in it is what was measured, fits together, and is refused when it does not."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from loragui.engine import catalogue, classic
from loragui.engine.catalogue import Pin, Recipe, Way
from loragui.engine.installed import Engine
from loragui.engine.tools import FINDERS, facts
from loragui.errors import AppError
from loragui.gguf.types import GgmlType
from loragui.model.accepts import Accepts
from loragui.paths import resource_path
from tests.engine.conftest import REVISIONS, flags
from tests.engine.test_classic import EVERY, FFN, SETTINGS

TEXT = resource_path("engines.toml").read_text(encoding="utf-8")
WAYS = [(recipe, system) for recipe in catalogue.recipes() for system in recipe.on]
PLACE = re.compile(r"\{([^}]*)\}")

each_pin = pytest.mark.parametrize("pin", catalogue.pins(), ids=lambda pin: pin.id)
each_recipe = pytest.mark.parametrize("recipe", catalogue.recipes(), ids=lambda recipe: recipe.id)
each_way = pytest.mark.parametrize(("recipe", "system"), WAYS, ids=lambda value: getattr(value, "id", value))


# -- Revisions ---------------------------------------------------------------------------------------------------------


def test_the_pins_are_those_that_were_measured() -> None:
    known = {
        "b2896": ("13ad16af1231ab2d245d35df3295bcfa23de1305", "0.2.75", "aee93839", "aaaed44"),
        "b2321": ("9731134296af3a6839cd682e51d9c2109a871de5", "0.2.55", "68fb1bf4", "bba9263"),
        "b1298": ("40e07a60f9ce06e79f3ccd4c903eba300fb31b5e", "0.2.11", "aae4820b", "743723a"),
    }
    assert [pin.id for pin in catalogue.pins()] == list(known)
    for pin in catalogue.pins():
        (sha256,) = pin.package.sha256
        assert (pin.commit, pin.package.version, sha256[:8], sha256[-7:]) == known[pin.id]
        assert pin.archive == f"llama_cpp_python-{pin.package.version}.tar.gz"
        assert pin.package.source


def test_no_two_pins_are_the_same_source() -> None:
    for field in ("id", "name", "commit", "tree", "archive"):
        values = [getattr(pin, field) for pin in catalogue.pins()]
        assert len(set(values)) == len(values), field


@each_pin
def test_a_pin_says_where_it_is_from(pin: Pin) -> None:
    assert dt.date.fromisoformat(pin.date)
    assert pin.source
    assert pin.why.endswith(".")
    assert pin.unpacked_bytes > 1_000_000 < pin.download_bytes
    assert set(pin.targets) == {"finetune", "export-lora", "main", "quantize"}


@each_pin
def test_every_flag_that_the_adapter_passes_is_checked_after_the_build(
    pin: Pin, tmp_path: Path, engine_in: Callable[..., Engine]
) -> None:
    named = {program: flags(program, pin.id) for program in pin.targets}
    engine = engine_in(tmp_path / "e", pin=pin.id, flags=named)
    every = dataclasses.replace(SETTINGS, **EVERY, **(FFN if pin.id == "b1298" else {}))
    other = dataclasses.replace(SETTINGS, gradient_checkpointing=True)
    passed = {
        "finetune": set().union(
            *(
                words(
                    classic.finetune_argv(
                        engine, some, base_model="b", data="d", marker="m", checkpoint_in=None, iterations=1
                    )
                )
                for some in (SETTINGS, every, other)
            )
        ),
        "export-lora": words(classic.export_lora_argv(engine, base_model="b", lora="l", output="o")),
        "quantize": words(classic.quantize_argv(engine, "a", "b", "Q8_0")),
        "main": words(classic.generate_argv(engine, model="m", prompt_file="p", tokens=1, lora="l", pre="x")),
    }
    assert {name: set(known) for name, known in pin.flags.items()} == passed
    for name, known in pin.flags.items():
        assert set(known) <= set(named[name]), "of the captured help"


def words(argv: tuple[str, ...]) -> set[str]:
    return {word for word in argv[1:] if re.fullmatch(r"--?[a-z][\w-]*", word)}


@each_pin
def test_what_a_pin_can_train(pin: Pin) -> None:
    accepts = Accepts.of(pin.accepts)
    assert set(accepts.architectures or ()) == {"llama"}
    assert not accepts.tied
    assert not accepts.gqa
    assert set(pin.accepts["tensor_types"]) <= {kind.name for kind in GgmlType}


def test_each_revision_trains_less_than_the_next() -> None:
    newest, middle, oldest = (catalogue.pin(name).accepts for name in REVISIONS)
    for field in ("pre_tokenizers", "tensor_types", "vocabularies"):
        assert set(newest[field]) >= set(middle[field]) >= set(oldest[field]), field
    assert {"starcoder", "llama-bpe", "default"} <= set(newest["pre_tokenizers"])
    assert "smollm" not in newest["pre_tokenizers"]
    assert "F16" not in oldest["tensor_types"], "“not yet supported”"
    assert oldest["vocabularies"] == ["llama"], "a BPE vocabulary crashes it"


def test_both_newer_revisions_compute_the_same_and_the_oldest_never_twice() -> None:
    newest, middle, oldest = (catalogue.pin(name).losses for name in REVISIONS)
    assert len(newest) >= 3
    assert newest == middle
    assert oldest == ()


@pytest.mark.parametrize(
    ("number", "like"),
    [
        (1292, ""), (1296, ""), (1297, "b1298"), (1298, "b1298"), (1461, "b1298"), (1462, ""), (1492, ""), (1495, ""),
        (1634, ""), (2037, "b2321"), (2321, "b2321"), (2453, "b2321"), (2454, "b2321"), (2640, "b2321"),
        (2896, "b2896"), (3184, ""), (3465, ""), (9999, ""),
    ],
)  # fmt: skip
def test_what_is_known_of_any_revision(number: int, like: str) -> None:
    """Against the table of revisions in the shared facts."""
    assert catalogue.revisions(number).like == like
    assert catalogue.revisions(number).why


def test_every_number_is_somewhere() -> None:
    known = catalogue.catalogue().revisions
    assert known[0].first == 0
    assert all(some.last + 1 == after.first for some, after in pairwise(known))
    for pin in catalogue.pins():
        assert catalogue.revisions(int(pin.id[1:])).like == pin.id
    with pytest.raises(AppError):
        catalogue.revisions(10**9)


# -- Recipes -----------------------------------------------------------------------------------------------------------


def test_the_first_recipe_needs_nothing_and_runs_openblas_on_one_thread() -> None:
    first = catalogue.recipes()[0]
    assert first.id == "wheels"
    assert first.systems == ("linux-x86_64", "win32-AMD64")
    assert {way.needs for way in first.on.values()} == {()}
    assert first.environment == {"OPENBLAS_NUM_THREADS": "1"}
    assert [package.name for package in first.packages if package.target] == ["scipy-openblas32"]
    assert [package.name for package in first.packages if not package.target] == ["ziglang", "cmake", "ninja"]


def test_every_way_that_the_guide_and_the_design_name_is_there() -> None:
    assert {recipe.library for recipe in catalogue.recipes()} == {"none", "openblas", "cublas", "clblast", "hipblas"}
    windows = {recipe.id for recipe in catalogue.recipes() if "win32-AMD64" in recipe.on}
    assert windows == {"wheels", "w64devkit", "cmake", "lto", "cuda", "clblast", "hipblas"}
    linux = {recipe.id for recipe in catalogue.recipes() if "linux-x86_64" in recipe.on}
    assert linux == {"wheels", "gcc", "gcc-openblas", "cmake", "lto", "cuda", "clblast", "hipblas"}


@each_recipe
def test_which_pin_belongs_to_a_recipe(recipe: Recipe) -> None:
    """b2454 removed the hook for accelerators, so a card needs b2321; CMake of b1298 was never tried."""
    assert set(recipe.pins) <= {pin.id for pin in catalogue.pins()}
    if recipe.gpu:
        assert recipe.pins == ("b2321",)
    else:
        assert recipe.pins[0] == "b2896"
    assert (recipe.library in {"cublas", "clblast", "hipblas"}) == bool(recipe.gpu)
    assert recipe.pin_why.endswith(".")
    assert "b1298" not in recipe.pins or recipe.kind == "make"


@each_recipe
def test_a_recipe_says_where_it_is_from_and_what_it_takes(recipe: Recipe) -> None:
    assert dt.date.fromisoformat(recipe.date)
    assert recipe.source
    assert recipe.why.endswith(".")
    assert recipe.seconds > 0 < recipe.work_bytes
    assert recipe.job_bytes > 100_000_000
    assert bool(recipe.packages) == bool(recipe.download_bytes) == bool(recipe.unpacked_bytes)


@each_recipe
def test_openblas_never_gets_threads_of_its_own(recipe: Recipe) -> None:
    assert recipe.environment.get("OPENBLAS_NUM_THREADS") == ("1" if recipe.library == "openblas" else None)


def texts(recipe: Recipe, way: Way) -> Iterator[str]:
    yield from (way.generator, way.made, *way.options, *way.path, *way.ship, *way.variables.values())
    yield from recipe.environment.values()


@each_way
def test_every_place_is_a_tool_that_the_way_needs(recipe: Recipe, system: str) -> None:
    way = recipe.on[system]
    for text in texts(recipe, way):
        for place in PLACE.findall(text):
            assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9_+-]+)?", place), place
            assert place.partition(".")[0] in {*way.needs, "packages"}
        assert "{" not in PLACE.sub("", text)


@each_way
def test_every_tool_is_known_and_to_be_had_on_that_system(recipe: Recipe, system: str) -> None:
    for name in recipe.on[system].needs:
        assert name in FINDERS
        assert system.split("-")[0] in facts.tool(name).systems


@each_way
def test_layers_are_never_put_on_the_card(recipe: Recipe, system: str) -> None:
    """-ngl crashes the training."""
    said = " ".join((*texts(recipe, recipe.on[system]), *recipe.environment))
    assert not re.search(r"ngl|gpu.?layers", said, re.IGNORECASE)


@each_pin
def test_layers_are_never_asked_of_a_program(pin: Pin) -> None:
    assert not {"-ngl", "--n-gpu-layers"} & {flag for known in pin.flags.values() for flag in known}


@each_way
def test_packages_have_a_file_for_each_system(recipe: Recipe, system: str) -> None:
    assert all(len(package.sha256) == 2 for package in recipe.packages), "Linux x86-64 and Windows x86-64"
    assert not recipe.packages or system in {"linux-x86_64", "win32-AMD64"}


# -- A wrong list ------------------------------------------------------------------------------------------------------


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(AppError, match="b2896"):
        catalogue.pin("b1")
    with pytest.raises(AppError, match="wheels, gcc"):
        catalogue.recipe("magic")


def wrong(text: str, tmp_path: Path) -> str:
    path = tmp_path / "engines.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AppError) as caught:
        catalogue.parse(path)
    assert caught.value.problem.code == "catalogue-damaged"
    return caught.value.problem.details


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "b2896"', "id = 2896", "id: a text"),
        ('commit = "13ad16af1231ab2d245d35df3295bcfa23de1305"', 'commit = "13ad16af"', "b2896: commit or tree"),
        ('tree = "aabb', 'tree = "xabb', "b2896: commit or tree"),
        ("download_bytes = 48_686_474", 'download_bytes = "many"', "download_bytes: a number"),
        ("download_bytes = 48_686_474", "download_bytes = -1", "download_bytes: a number"),
        ('sha256 = ["aee9', 'sha256 = ["xee9', "llama-cpp-python: every package needs its sha256"),
        ('targets = ["finetune", ', 'targets = ["finetun", ', "b2896: flags are given"),
        ('losses = [5.789519, ', 'losses = ["five", ', "five"),
        ('family = "classic"', "", "family"),
        ("[[pin]]", "[[pin", "TOML"),
        ("[[recipe]]", "[[recipes]]", "TOML"),
        ("[repository]", "[repo]", "repository"),
        ("skip = [\n", "skip = [1,\n", "skip: a list of texts"),
        ('pins = ["b2896"]', 'pins = ["b2896", "b1"]', "wheels: pins"),
        ('pins = ["b2896"]', "pins = []", "wheels: pins"),
        ('pins = ["b2896"]', 'pins = "b2896"', "pins: a list of texts"),
        ('kind = "zig"', 'kind = "zag"', "wheels: kind zag"),
        ('kind = "zig"', 'kind = "make"', "wheels: a toolchain"),
        ('library = "openblas"', 'library = "mkl"', "library mkl"),
        ('kind = "make"', 'kind = "zig"', "gcc: a toolchain"),
        ('packages = ["ziglang", ', 'packages = ["ziglong", ', "ziglong"),
        ("seconds = 80", 'seconds = "long"', "long"),
        ('cmake = "Linux"\n', "", "cmake"),
        ('needs = ["gcc", "gxx", "make"]', 'needs = "gcc"', "needs: a list of texts"),
        ('id = "gcc"', 'id = "wheels"', "two of them are called wheels"),
        ('id = "b2321"', 'id = "b2896"', "two of them are called b2896"),
        ("last = 1291", "last = 1290", "revisions 0 to 1290"),
        ('like = "b1298"', 'like = "b1299"', "revisions 1292 to 1296"),
    ],
)  # fmt: skip
def test_a_wrong_catalogue_is_refused(old: str, new: str, says: str, tmp_path: Path) -> None:
    assert old in TEXT
    assert says in wrong(TEXT.replace(old, new, 1), tmp_path)


def test_a_missing_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        catalogue.parse(tmp_path / "none.toml")
    assert caught.value.problem.code == "catalogue-damaged"
