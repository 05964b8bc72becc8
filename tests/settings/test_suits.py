"""Whether a base model suits the PC, and the sizes of models that are not there yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loragui.gguf.read import read
from loragui.model import catalogue
from loragui.project import Hyperparameters
from loragui.settings.estimate import estimate
from loragui.settings.fit import fits
from loragui.settings.size import GUIDE_SIZES, guide_model, size_from, size_of
from loragui.settings.suits import Fit, suits
from tests.settings.test_estimate import GUIDE_PC

GB = 1 << 30
BASELINE = Hyperparameters(rank=4, alpha=4, threads=14)


@pytest.mark.parametrize(
    ("ram", "fit", "words"),
    [
        (64, Fit.FITS, "this PC has 64.0 GB."),
        (12, Fit.TIGHT, "Close other programs while it trains."),
        (9, Fit.TIGHT, "very slow, because the PC would use the disk"),
        (4, Fit.TOO_LARGE, "this PC has 4.0 GB. That is too little."),
    ],
)
def test_the_guides_7b(ram: int, fit: Fit, words: str) -> None:
    """11.0 GB in the guide's table, 4.65 GB of them without the model's file."""
    pc = replace(GUIDE_PC, ram_total_bytes=ram * GB, ram_available_bytes=ram * GB)
    found = suits(GUIDE_SIZES["7B"], BASELINE, pc)
    assert (found.fit, found.total) == (fit, ram * GB)
    assert found.need.value == 11 * GB
    assert found.sentence.startswith("Needs about 11.0 GB of RAM; ")
    assert found.sentence.endswith(words) or words in found.sentence


def test_too_large_is_what_the_gate_refuses() -> None:
    for ram in range(2, 14):
        pc = replace(GUIDE_PC, ram_total_bytes=ram * GB, ram_available_bytes=ram * GB, disks=())
        refused = any(each.blocking for each in fits(estimate(GUIDE_SIZES["7B"], BASELINE, machine=pc), pc))
        assert (suits(GUIDE_SIZES["7B"], BASELINE, pc).fit is Fit.TOO_LARGE) == refused


def test_known_models_are_the_guides() -> None:
    sizes = [size_from(entry.size_facts) for entry in catalogue.known()]
    assert [guide_model(size) for size in sizes] == [None, "3B", "7B", "13B"]
    for size in sizes[1:]:
        guide = GUIDE_SIZES[guide_model(size) or ""]
        assert size.parameters == guide.parameters
        assert size.file_bytes == pytest.approx(guide.file_bytes, rel=0.005)


def test_shared_heads_are_counted_as_the_copy_that_is_trained() -> None:
    tiny = catalogue.known()[0].size_facts
    size = size_from(tiny)
    assert size.parameters == tiny.parameters + 2 * 22 * 2048 * (2048 - 256)
    assert size.file_bytes == 4 * size.parameters


@pytest.mark.real
def test_the_catalogue_knows_the_size_of_the_real_file(smollm: Path) -> None:
    assert size_from(catalogue.recommended()[0].size_facts) == size_of(read(smollm))
