"""The name of a model's pre-tokenizer: for our engine an older one that does the same, for all others the true one.

Today's llama.cpp joins spaces after ``starcoder`` and not after ``smollm``, so a finished model must carry the true
name. Our engine does not know that name and is told the older one when it loads the file. The copy that is trained
remembers the true name, the finished model remembers the older one; both notes have keys of the same length, so the
names change places without moving anything behind them.
"""

from __future__ import annotations

from loragui.gguf.lazy import Entry
from loragui.gguf.read import GgufFile, ValueType
from loragui.gguf.rewrite import overwrite_metadata
from loragui.gguf.write import NewEntry
from loragui.model.convert import NOTE_ENGINE_PRE, NOTE_PRE

PRE = "tokenizer.ggml.pre"


def restore(file: GgufFile) -> str:
    """Give a finished model its pre-tokenizer's true name again. Returns that name; empty when nothing was changed."""
    true, used = file.text(NOTE_PRE), file.text(PRE)
    if not true or not used or true == used:
        return ""
    new = {
        PRE: NewEntry(key=PRE, kind=ValueType.STRING, value=true),
        NOTE_PRE: NewEntry(key=NOTE_ENGINE_PRE, kind=ValueType.STRING, value=used),
    }
    entries: list[Entry | NewEntry] = [new.get(entry.key, entry) for entry in file.entries]
    return true if overwrite_metadata(file, entries) else ""


def engine_name(file: GgufFile) -> str:
    """What our engine must be told to take the pre-tokenizer for, now or when ``restore`` was done; or nothing."""
    return file.text(NOTE_ENGINE_PRE) or (file.text(PRE) if file.text(NOTE_PRE) else "")
