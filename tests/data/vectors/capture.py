"""Make the vectors anew: small vocabularies of our own, and the engine's tokens for hard texts.

    python tests/data/vectors/capture.py PATH/TO/llama.cpp/tokenize

Needs ``tokenize`` of b2896 (make tokenize) and a minute; a second run gives the same.
"""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import gguf
import regex
import sentencepiece

from loragui.data.bpe import byte_letters, pre_tokenizers

HERE = Path(__file__).parent
WORDS = regex.compile(r" ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+")
PROSE = (
    "It's the keeper's tale: \"We're lost,\" she said, and they'll've known that I'd go; don't you?\n\n"
    "The year 1984, the 2nd of 365 days, 12:30 o'clock. She SAYS: IT'S MINE. You'RE NOT!  Two  spaces.\n"
    "\tTabs\tand\r\nlines   \n  and *asterisks* (with brackets), _under_, ~tilde~, $5+3 = 8 <b> ^|`code`.\n"
    "Äpfel, Öl und Übermut – «quoi?» naïve café … Привет, мир! Доброе утро.\n"
    "你好，世界。 日本語のテスト 한국어 도 있다. مرحبا بالعالم ٣٤٥ नमस्ते दुनिया १२३ ไทย שלום\n"
    "½ ² Ⅷ ① 😀 👍🏽 👨‍👩‍👧 e\u0301 \u00a0nbsp\u2003em\u3000wide\u200bzero\n"
)
# Pieces that the patterns treat apart: letters, numbers, white space, marks, punctuation, symbols.
ALPHABET = (
    *"abstSéßΩж中한بन01٣½²Ⅷ \n\t\v\f\u00a0\u2003\u3000\u2028\u0085\u200b\u0301\u200d\ufeff\u00ad",
    *".,!?-–_*()[]{}/\\'\"«。，$+<=>^~|`€©😀\x01\x7f\x1c▁🧿",
    *("re", "'s", "'LL", "'d", "the", " the", "12", "123", "4567", "  ", "   ", "\n\n", "\r\n", "..."),
    *(" ▁", "👍🏽", " zebra", "!!!"),
)


def texts() -> list[str]:
    """Lines and words of the prose, each piece of the alphabet alone and between letters, random mixtures."""
    chance = random.Random(7)
    found = [
        PROSE,
        *PROSE.splitlines(keepends=True),
        *PROSE.split(" ")[::4],
        " ",
        "\n",
        " \n ",
        "  x  ",
        "a" * 90,
    ]
    found += [f"{piece}" for piece in ALPHABET] + [f"x{piece} y" for piece in ALPHABET]
    found += ["".join(chance.choices(ALPHABET, k=chance.randint(3, 14))) for _ in range(120)]
    return list(dict.fromkeys(text for text in found if text and not text.startswith("-")))


def bpe_vocabulary(count: int) -> dict[str, list[str]]:
    """Merges learned from the prose, most frequent first; and words that no merges reach."""
    words = Counter(
        tuple(word.encode().decode("latin-1").translate(byte_letters())) for word in WORDS.findall(PROSE * 2)
    )
    merges: list[tuple[str, str]] = []
    for _ in range(count):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                pairs[pair] += times
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = Counter({joined(word, best): times for word, times in words.items()})
    pieces = [
        *byte_letters().values(),
        *dict.fromkeys(a + b for a, b in merges),
        "Ġzebra",
        "Ġ1984",
    ]
    return {"pieces": list(dict.fromkeys(pieces)), "merges": [f"{a} {b}" for a, b in merges]}


def joined(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """``word`` with every ``pair`` in it joined."""
    out: list[str] = []
    for letter in word:
        if out and (out[-1], letter) == pair:
            out[-1] += letter
        else:
            out.append(letter)
    return tuple(out)


def spm_vocabulary(count: int) -> dict[str, Any]:
    """A SentencePiece vocabulary of Llama's kind, trained on the prose."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(PROSE.splitlines()),
        model_writer=model,
        model_type="bpe",
        vocab_size=count,
        byte_fallback=True,
        character_coverage=0.98,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        num_threads=1,
        minloglevel=2,
    )
    made = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    numbers = range(made.vocab_size())
    return {"pieces": [made.id_to_piece(n) for n in numbers], "scores": [made.get_score(n) for n in numbers]}


def write(path: Path, kind: str, vocabulary: dict[str, Any], pre: str = "") -> None:
    """A GGUF with nothing but the vocabulary."""
    writer = gguf.GGUFWriter(path, "llama")
    for add in ("context_length", "embedding_length", "block_count", "feed_forward_length", "head_count"):
        getattr(writer, f"add_{add}")(64)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model(kind)
    if pre:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(vocabulary["pieces"])
    if "scores" in vocabulary:
        writer.add_token_scores(vocabulary["scores"])
    else:
        writer.add_token_merges(vocabulary["merges"])
    types = [6 if kind == "llama" and piece.startswith("<0x") else 1 for piece in vocabulary["pieces"]]
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def ask(program: str, model: Path, text: str) -> list[int]:
    """The engine's tokens of ``text``, without the begin token."""
    done = subprocess.run([program, str(model), text, "--ids"], capture_output=True, check=True)
    return [int(line) for line in done.stdout.split()][1:]


def capture(program: str, kind: str, vocabulary: dict[str, Any], pre: str = "") -> list[list[int]]:
    """The engine's tokens of all texts."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        model = Path(folder) / "vocabulary.gguf"
        write(model, kind, vocabulary, pre)
        return list(pool.map(lambda text: ask(program, model, text), texts()))


def main() -> None:
    """Write bpe.json and spm.json."""
    program = sys.argv[1]
    bpe, spm = bpe_vocabulary(200), spm_vocabulary(560)
    names = sorted({pre.name for pre in pre_tokenizers().values()})
    found = {
        "bpe": {
            **bpe,
            "texts": texts(),
            "ids": {name: capture(program, "gpt2", bpe, name) for name in names},
        },
        "spm": {**spm, "texts": texts(), "ids": capture(program, "llama", spm)},
    }
    for name, value in found.items():
        text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
        (HERE / f"{name}.json").write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
