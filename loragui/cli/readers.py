"""Which reader understands which program's output. The runner looks them up by name."""

from __future__ import annotations

from collections.abc import Mapping

from loragui.engine.finetune import FinetuneReader
from loragui.engine.logs import (
    ExportLoraReader,
    GenerateReader,
    MakeReader,
    MsbuildReader,
    NinjaReader,
    ProgramReader,
    QuantizeReader,
)
from loragui.jobs.readers import EventLines, PlainLines
from loragui.jobs.runner import ReaderFactory
from loragui.training.reader import TrainingReader

READERS: Mapping[str, ReaderFactory] = {
    "plain": PlainLines,
    "events": EventLines,
    "program": ProgramReader,
    "ninja": NinjaReader,
    "make": MakeReader,
    "msbuild": MsbuildReader,
    "finetune": FinetuneReader,
    "train": TrainingReader,
    "export-lora": ExportLoraReader,
    "quantize": QuantizeReader,
    "generate": GenerateReader,
}
