"""Captures what an engine's real programs say in every case that we must understand: ``capture.py PIN GCC [ZIG]``.

The two folders hold the same engine built with gcc and with zig, whose C++ libraries word some errors
differently (``OTHER_WORDS``). Writes ``logs/PIN/CASE.stdout``, ``CASE.stderr`` and ``cases.json`` (program, exit code,
what should follow). Run by hand as root when a pin is added. The programs run with names relative to a scratch
folder, so that the captures hold no path of a person's machine.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests import tiny

LOGS = Path(__file__).parent / "logs"
OTHERWISE = {
    "b2321": {
        "model-half": "nan",  # read beyond its end
        "model-pre": "",  # pre-tokenizers came with b2750
        "quantize-half": "",
    },
    "b1298": {
        "train-f16": "base-type",
        "train-gqa": "gqa",
        "train-bpe": "vocabulary-unreadable",
        "model-half": "nan",
        "model-pre": "vocabulary-unreadable",
        "quantize-half": "",
        "quantize-no-folder": "",  # ends with 0 and writes nothing
        "quantize-disk-full": "",
        "memory": "buffer-space",  # it reserves addresses first, and the limit leaves it too few
    },
}
"""What older revisions do otherwise: their codes of the cases."""
OTHER_WORDS = ("flag-bad-number", "quantize-no-folder")
MARKER = "<SAMPLE>"
PROMPT = "The lamp is\n"
MIB = 1 << 20


class Capture:
    """Runs programs in one scratch folder and keeps what they say."""

    def __init__(self, revision: str, engine: Path, scratch: Path, logs: Path) -> None:
        self.revision = revision
        self.engine = engine
        self.scratch = scratch
        self.logs = logs
        self.cases: dict[str, dict[str, object]] = {}

    def run(
        self, case: str, program: str, words: Sequence[str], code: str, *, args: Mapping[str, int | str] | None = None,
        memory: int = 0, after: int = 0,
    ) -> None:  # fmt: skip
        """Run ``program`` as ``case``; ``code`` names what must be found, ``args`` are the reader's.

        ``memory`` limits the address space in bytes, ``after`` is a signal sent at the first training
        iteration.
        """
        child = subprocess.Popen(
            [program, *words], executable=self.engine / program, cwd=self.scratch, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PATH": "/nonexistent"},
            preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))) if memory else None,
        )  # fmt: skip
        assert child.stdout is not None
        begin = b""
        if after:
            while b"iter=     2" not in begin:
                begin += child.stdout.read(1)
            child.send_signal(after)
        out, err = child.communicate()
        (self.logs / f"{case}.stdout").write_bytes(begin + out)
        (self.logs / f"{case}.stderr").write_bytes(err)
        code = OTHERWISE.get(self.revision, {}).get(case, code)
        row: dict[str, object] = {"program": program, "returncode": child.returncode, "code": code}
        self.cases[case] = {**row, "args": args} if args else row

    def train(
        self, case: str, code: str = "", *extra: str, base: str = "a.gguf", resumed: int = 0, target: int = 6,
        lora_r: int = 4, samples: int = 20, **limits: int,
    ) -> None:  # fmt: skip
        """Run finetune; later flags in ``extra`` override the usual ones."""
        words = (
            "--model-base", base, "--train-data", "train.txt", "--sample-start", MARKER,
            "--checkpoint-in", "", "--checkpoint-out", "checkpoint-ITERATION.gguf",
            "--lora-out", "lora-ITERATION.gguf", "--save-every", "3", "--seed", "1", "--threads", "1",
            "--ctx", "32", "--batch", "2", "--adam-iter", str(target - resumed),
            "--lora-r", str(lora_r), *extra,
        )  # fmt: skip
        args: dict[str, int | str] = {"target": target, "resumed_at": resumed, "samples": samples, "context_size": 32}
        self.run(case, "finetune", words, code, args=args, **limits)


def files(scratch: Path) -> None:
    """Models, texts and broken files in the scratch folder."""
    tiny.write(scratch / "a.gguf")
    tiny.write(scratch / "tied.gguf", tiny.Tiny(tied=True))
    tiny.write(scratch / "gqa.gguf", tiny.Tiny(kv_heads=2))
    tiny.write(scratch / "falcon.gguf", tiny.Tiny(architecture="falcon"))
    tiny.write(scratch / "vocab.gguf", tiny.Tiny(vocabulary_only=True))
    tiny.write(scratch / "wide.gguf", tiny.Tiny(embedding=64))
    tiny.write(scratch / "odd.gguf", tiny.Tiny(embedding=48))
    tiny.write(scratch / "pre.gguf", tiny.Tiny(pre="nobody-knows"))
    tiny.write(scratch / "f16.gguf", tiny.Tiny(half=True))
    tiny.write(scratch / "bpe.gguf", tiny.Tiny(pre="starcoder"))
    whole = (scratch / "a.gguf").read_bytes()
    (scratch / "half.gguf").write_bytes(whole[: len(whole) // 2])
    (scratch / "junk.gguf").write_bytes(b"this is not a model " * 100)
    (scratch / "train.txt").write_text(tiny.samples(20, MARKER))
    (scratch / "empty.txt").write_text("")
    (scratch / "markers.txt").write_text(MARKER * 5)
    (scratch / "gap.txt").write_text(tiny.samples(19, MARKER) + MARKER)
    (scratch / "prompt.txt").write_text(PROMPT)
    (scratch / "long.txt").write_text(tiny.text(400))


def trainings(capture: Capture) -> None:
    """What finetune says."""
    scratch, train = capture.scratch, capture.train
    train("train-ok")
    (scratch / "checkpoint-6.gguf").unlink()
    (scratch / "lora-6.gguf").unlink()
    train("train-resumed", "", "--checkpoint-in", "checkpoint-3.gguf", resumed=3)
    train("train-resumed-other-data", "data-order", "--checkpoint-in", "checkpoint-3.gguf",
          "--train-data", "./train.txt", resumed=3)  # fmt: skip
    train("train-epoch", "", target=12)
    train("train-epochs-done", "", "--epochs", "1", target=40)
    train("train-converged", "", "--opt-past", "2", "--opt-delta", "1", target=40)
    train("train-f16", "", base="f16.gguf")
    train("train-gqa", "", base="gqa.gguf")
    train("train-bpe", "", "--ctx", "96", base="bpe.gguf")
    train("train-too-long", "samples-cut", "--ctx", "6")
    train("train-empty-sample", "samples-empty", "--train-data", "gap.txt")
    train("train-nan", "nan", "--adam-alpha", "1e38", "--warmup", "0")
    train("train-no-marker", "marker-missing", "--sample-start", "<NOWHERE>")
    whole = (scratch / "checkpoint-3.gguf").read_bytes()
    (scratch / "half-checkpoint.gguf").write_bytes(whole[: len(whole) // 2])
    for name in ("missing", "junk", "half-checkpoint"):
        train(f"resume-{name}", "checkpoint-ignored", "--checkpoint-in", f"{name}.gguf", resumed=3)
    train("resume-model", "checkpoint-is-model", "--checkpoint-in", "a.gguf", resumed=3)
    train("resume-other-model", "checkpoint-other-model", "--checkpoint-in", "checkpoint-3.gguf",
          base="wide.gguf", resumed=3)  # fmt: skip
    train("resume-other-rank", "rank-changed", "--checkpoint-in", "checkpoint-3.gguf", resumed=3, lora_r=8)


def wrong_trainings(capture: Capture) -> None:
    """What finetune says about models, texts, settings and folders that it cannot use."""
    train = capture.train
    for name in ("missing", "half", "junk", "vocab"):
        train(f"model-{name}", "model-unreadable", base=f"{name}.gguf")
    train("model-pre", "pre-tokenizer-unknown", "--ctx", "96", base="pre.gguf")
    train("model-falcon", "architecture", base="falcon.gguf")
    train("model-tied", "model-tied", base="tied.gguf")
    train("model-gqa-no-flash", "gqa", "--no-flash", base="gqa.gguf")
    train("data-missing", "data-missing", "--train-data", "missing.txt")
    train("data-empty", "data-missing", "--train-data", "empty.txt")
    train("data-only-markers", "samples-empty data-empty", "--train-data", "markers.txt", samples=5)
    train("flag-unknown", "flag-unknown", "--no-such-flag", "4")
    train("flag-in-help-only", "flag-unknown", "--rank-ffn_gate", "4")
    train("flag-no-value", "flag-value", "--warmup")
    train("flag-bad-number", "flag-number", "--warmup", "many")
    train("checkpoint-folder", "checkpoint-not-written", "--checkpoint-out", "no/such/checkpoint-ITERATION.gguf")
    train("lora-folder", "result-missing", "--lora-out", "no/such/lora-ITERATION.gguf")
    train("disk-full-quiet", "result-missing", "--checkpoint-out", "/dev/full")
    train("disk-full", "disk-full", "--lora-out", "small/lora-ITERATION.gguf", target=60)
    train("context-0", "setting-zero", "--ctx", "0")
    train("batch-0", "setting-zero", "--batch", "0")
    train("memory", "out-of-memory", "--ctx", "4096", "--batch", "64", memory=600 * MIB)
    never = ("--save-every", "0")  # half a file would disturb the cases that follow
    train("killed", "killed", *never, target=100000, after=signal.SIGKILL)
    train("terminated", "ended-from-outside", *never, target=100000, after=signal.SIGTERM)
    train("interrupted", "ended-from-outside", *never, target=100000, after=signal.SIGINT)


def merges(capture: Capture) -> None:
    """What export-lora says."""
    scratch = capture.scratch
    lora = (scratch / "lora-3.gguf").read_bytes()
    (scratch / "half-lora.gguf").write_bytes(lora[: len(lora) // 2])

    def merge(case: str, code: str, base: str, adapter: str, out: str = "merged.gguf") -> None:
        words = ("--model-base", base, "--model-out", out, "--lora-scaled", adapter, "1.0")
        capture.run(case, "export-lora", words, code)

    merge("merge-ok", "", "a.gguf", "lora-3.gguf")
    merge("merge-no-lora", "lora-missing", "a.gguf", "missing.gguf")
    merge("merge-checkpoint", "lora-is-checkpoint", "a.gguf", "checkpoint-3.gguf")
    merge("merge-half-lora", "lora-damaged", "a.gguf", "half-lora.gguf")
    merge("merge-other-base", "lora-other-base", "odd.gguf", "lora-3.gguf")
    merge("merge-no-base", "model-unreadable", "missing.gguf", "lora-3.gguf")
    merge("merge-no-folder", "output-not-written", "a.gguf", "lora-3.gguf", "no/such/merged.gguf")
    merge("merge-disk-full", "disk-full", "a.gguf", "lora-3.gguf", "/dev/full")


def conversions(capture: Capture) -> None:
    """What quantize and main say."""

    def quantize(case: str, code: str, *words: str) -> None:
        capture.run(case, "quantize", ("--allow-requantize", *words), code)

    quantize("quantize-ok", "", "a.gguf", "q8.gguf", "Q8_0")
    quantize("quantize-missing", "model-unreadable", "missing.gguf", "q.gguf", "Q8_0")
    quantize("quantize-half", "model-unreadable", "half.gguf", "q.gguf", "Q8_0")
    quantize("quantize-type", "type-unknown", "a.gguf", "q.gguf", "Q9_9")
    quantize("quantize-no-folder", "output-not-written", "a.gguf", "no/such/q.gguf", "Q8_0")
    quantize("quantize-disk-full", "output-not-written", "a.gguf", "/dev/full", "Q8_0")

    echoes = capture.revision == "b1298"

    def generate(case: str, code: str, *words: str) -> None:
        usual = (
            "--model", "a.gguf", "--file", "prompt.txt", "--n-predict", "12",
            "--ctx-size", "128", "--temp", "0",
            "--seed", "1", "--threads", "1", "--simple-io", "--log-disable",
            *(() if echoes else ("--no-display-prompt",)),
        )  # fmt: skip
        capture.run(case, "main", (*usual, *words), code, args={"echo": "prompt.txt"} if echoes else None)

    generate("generate-ok", "")
    generate("generate-lora", "", "--lora", "lora-3.gguf")
    generate("generate-no-model", "model-unreadable", "--model", "missing.gguf")
    generate("generate-no-prompt", "prompt-missing", "--file", "missing.txt")
    generate("generate-long-prompt", "prompt-too-long", "--file", "long.txt")
    generate("generate-no-lora", "lora-unreadable", "--lora", "missing.gguf")
    generate("generate-checkpoint", "lora-unreadable", "--lora", "checkpoint-3.gguf")


def everything(revision: str, engine: Path, scratch: Path, logs: Path) -> dict[str, dict[str, object]]:
    """Capture all cases of the engine in the folder ``logs``; returns what ``cases.json`` says about them."""
    capture = Capture(revision, engine, scratch, logs)
    files(scratch)
    for part in (helped, trainings, wrong_trainings, merges, conversions):
        part(capture)
    return capture.cases


def on_a_small_disk(revision: str, engine: Path, logs: Path) -> dict[str, dict[str, object]]:
    """The same, with a folder ``small`` that has room for 300 KB only."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300K", "tmpfs", str(small)], check=True)
        try:
            return everything(revision, engine, Path(folder), logs)
        finally:
            subprocess.run(["umount", str(small)], check=True)


def helped(capture: Capture) -> None:
    """What each program's ``--help`` says: which flags it has."""
    for program in ("finetune", "export-lora", "quantize", "main"):
        capture.run(f"help-{program}", program, ("--help",), "")


def main() -> None:
    """Capture everything of the first engine, and of the second what it words differently."""
    revision, *engines = sys.argv[1:]
    logs = LOGS / revision
    logs.mkdir(exist_ok=True)
    gcc, *zig = (Path(word).resolve() for word in engines)
    cases = on_a_small_disk(revision, gcc, logs)
    for engine in zig:
        with tempfile.TemporaryDirectory() as folder:
            others = on_a_small_disk(revision, engine, Path(folder))
            for name in OTHER_WORDS:
                for stream in ("stdout", "stderr"):
                    (logs / f"zig-{name}.{stream}").write_bytes((Path(folder) / f"{name}.{stream}").read_bytes())
                cases[f"zig-{name}"] = others[name]
    (logs / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
