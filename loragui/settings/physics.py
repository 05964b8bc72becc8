"""RAM and time of a training from what the engine does, for models and settings that nobody has measured.

RAM without the mapped model file is: both ends of the model (token table and output) merged with their
LoRA, with gradients; two numbers for each word of the vocabulary and token; the activations that the layers
keep; five numbers for each trained one (value, gradient, and Adam's); the program with its vocabulary.
Fitted in November 2026 on the sizes that b2896 prints for shapes of 4M to 3.4B parameters and 16 to 1024
tokens. From 128 tokens on it is within 15 % of the real peak of a 135M model, below it is too high by up to
40 % (the engine then reuses memory better), and it gives 0.91 to 0.96 of the guide's rows without GPU.

Time has a part for each parameter (merging the LoRA, whatever the tokens) and one for each parameter and
token. Measured with the plain build of b2896 on a 2-core Xeon at 135M parameters; it gives the guide's 7B
and 13B rows without GPU (14 threads of an i7-12700H) within 2 %, its 3B row 40 % too long. Other PCs differ
more than that.
"""

from __future__ import annotations

from functools import cache

from loragui.project import Hyperparameters
from loragui.settings.metrics import Blas, Curve, rows_by
from loragui.settings.size import ModelSize, lora_parameters

F32 = 4
_KEPT_PER_TRAINED = 5
_PROGRAM_BYTES = 12 << 20
_WORD_BYTES = 870  # of RAM for each word of the vocabulary
_CUBLAS_BYTES = int(3.1 * (1 << 30))  # driver and buffers; guide: 3.11, 3.32 and 3.6 GB more than without
_FULL_ACTIVATIONS = 24  # numbers kept for each layer, token and dimension without checkpointing
_ATTENTION = 9  # numbers for each head and pair of tokens without flash attention

# Activations of a layer with checkpointing, in squares of the embedding, by tokens / embedding: 24 numbers
# for each token, until they outgrow the merged weights of the layer, whose memory the engine reuses.
_CHECKPOINTED = Curve(((0, 0), (0.33, 7.9), (0.5, 9.6), (0.8, 10.6), (1, 11.1), (1.3, 13.6), (4, 37)))

_SECONDS_PER_PARAMETER = 9.7e-9
_SECONDS_PER_PARAMETER_AND_TOKEN = 1.28e-10
_ATTENTION_WEIGHT = 6.8  # cost of attention against a weight; guide: 3B, context 4096 against batch 16
_NO_CHECKPOINTING = 0.62  # measured 0.60 and 0.64
_BLAS_TIME: dict[Blas, float] = {"none": 1, "openblas": 0.42, "clblast": 0.99, "cublas": 0.8}


def ram(size: ModelSize, settings: Hyperparameters, blas: Blas, *, least: bool = False) -> float:
    """Bytes of RAM without the mapped model file. ``least`` counts one end of the model: a lower limit."""
    tokens = settings.context_size * settings.batch_size
    ends = (1 if least else 2) * size.vocabulary * size.embedding
    numbers = ends + 2 * size.vocabulary * tokens + _activations(size, tokens, settings)
    numbers += _KEPT_PER_TRAINED * lora_parameters(size, settings.rank)
    if not settings.flash_attention:
        numbers += attention_numbers(size, settings)
    program = _PROGRAM_BYTES + _WORD_BYTES * size.vocabulary
    return F32 * numbers + program + (_CUBLAS_BYTES if blas == "cublas" else 0)


def attention_numbers(size: ModelSize, settings: Hyperparameters) -> int:
    """How many numbers attention keeps when flash attention is off."""
    return _ATTENTION * size.heads * settings.context_size**2 * settings.batch_size


def _activations(size: ModelSize, tokens: int, settings: Hyperparameters) -> float:
    if settings.gradient_checkpointing:
        return size.layers * size.embedding**2 * _CHECKPOINTED.at(tokens / size.embedding)
    merged = size.layers * size.layer_parameters
    return merged + _FULL_ACTIVATIONS * size.layers * size.embedding * tokens


def seconds_per_iteration(size: ModelSize, settings: Hyperparameters, blas: Blas) -> float:
    """Seconds for one iteration (all its accumulation steps) on a common PC."""
    tokens = settings.context_size * settings.batch_size
    worked_on = size.parameters - size.vocabulary * size.embedding
    attention = _ATTENTION_WEIGHT * size.layers * size.embedding * settings.context_size
    one_pass = _SECONDS_PER_PARAMETER * size.parameters
    one_pass += _SECONDS_PER_PARAMETER_AND_TOKEN * tokens * (worked_on + attention)
    if not settings.gradient_checkpointing:
        one_pass *= _NO_CHECKPOINTING
    return one_pass * settings.gradient_accumulation * _BLAS_TIME[blas] / speed(settings.threads)


def speed(threads: int) -> float:
    """How much faster than with two threads, by the guide's 3B rows; more than 20 threads bring nothing."""
    curve = _minutes_by_threads()
    return curve.at(2) / curve.at(min(max(threads, 1), 20))


@cache
def _minutes_by_threads() -> Curve:
    """The guide's minutes by threads, out-of-line rows smoothed: more threads never count as slower."""
    points: list[tuple[float, float]] = []
    for row in sorted(rows_by("3B", "threads"), key=lambda row: row.threads):
        points.append((row.threads, min([row.minutes, *(minutes for _, minutes in points)])))
    return Curve(tuple(points))
