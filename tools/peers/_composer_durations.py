"""Composer: durations in each of its units, and schedules with such durations."""

from __future__ import annotations

from typing import Any

from peers import Durations, Row
from peers._durations import shares

BASES = (0.1, 3e-4)
"""The base rates of two param groups."""

BATCHES = 33
"""The batches in an epoch."""

SAMPLES = 4
"""The samples in a batch."""

TOKENS = 4096
"""The tokens in a batch."""

TOTALS = (7, 30, 50, 100, 365, 1000, 999_983)
"""The lengths of runs in batches."""

Written = list[tuple[str | float, str | int | None]]


def _shares() -> Written:
    return [("0.0dur", "0%"), *((f"{share!r}dur", text) for share, text in shares())]


def _same(unit: str, *amounts: object) -> Written:
    return [(f"{amount}{unit}", f"{amount}{unit}") for amount in amounts]


def _converted(max_duration: str, clock: dict[str, Any], written: Written) -> Durations:
    sizes = f"batches={BATCHES}, samples={SAMPLES}, tokens={TOKENS}"
    state = f"State(None, {max_duration!r}, {sizes})"
    return Durations(f"_convert_time(duration, {state}).to_timestring()", clock, written)


def _in_tokens(steps: int) -> dict[str, Any]:
    return {"total_steps": steps, "samples_per_step": SAMPLES, "tokens_per_step": TOKENS}


WORDS: Written = [
    ("100ba", 100),
    ("1e2ba", 100),
    (" 0.5dur", "0.5dur"),
    (".5dur", "0.5dur"),
    ("+2ep", "2ep"),
    ("2.ep", "2ep"),
    ("2 ep", "2ep"),
    ("2EP", "2ep"),
    ("1_000tok", "1000tok"),
    ("-3ep", None),
    ("-0.5dur", None),
    ("infdur", None),
    ("1h", None),
]
"""What Composer takes in other words than olm, and what olm refuses."""

DURATIONS = [
    *(_converted(f"{total}ba", {"total_steps": total}, _shares()) for total in TOTALS),
    _converted("3ep", {"total_steps": 99, "steps_per_epoch": BATCHES}, _shares()),
    _converted(
        "3ep",
        {"total_steps": 99, "steps_per_epoch": BATCHES},
        [
            *_same("ep", 0, 1, 2, 3, 100, "1e1", "2.0"),
            *_same("ep", 0.5, 1.5, 2.25),
            *((f"{number}ba", number) for number in (0, 1, 7, 98, 1_000_000)),
        ],
    ),
    _converted(
        "1e6tok",
        _in_tokens(245),
        [
            *_same("tok", 0, 1, 2047, 2048, 4096, 6143, 6144, 10_000, 100_000, "1e6", "0.5"),
            *_same("sp", 0, 1, 2, 3, 4, 5, 6, 7, 100, 980, "1e3", "1.5"),
        ],
    ),
    _converted("1e6tok", _in_tokens(245), _shares()),
    _converted("3ep", {"total_steps": 99, "steps_per_epoch": BATCHES}, WORDS),
    Durations(
        "CosineAnnealingWithWarmupScheduler(duration)"
        f"(State(None, '409600tok', batches={BATCHES}, samples={SAMPLES}, tokens={TOKENS}))",
        {**_in_tokens(100), "steps_per_epoch": BATCHES},
        [("0.1dur", "10%"), *_same("tok", 40_960), ("10ba", 10), *_same("ep", 1), *_same("sp", 40)],
    ),
]


def _row(
    scheduler: str, state: str, olm: dict[str, Any], clock: dict[str, Any], instead: str = ""
) -> Row:
    last = clock["total_steps"] + 5
    text = f"compile_composer_scheduler({scheduler}, State(optimizer, {state}))"
    return Row(text, {**olm, "clock": clock}, BASES, tuple(range(last + 1)), instead)


def _warm(warmup: str, total: str = "1dur", decay: str = "cosine") -> dict[str, Any]:
    lengths = {"warmup_steps": warmup, "total_steps": total}
    return {"kind": "WarmupDecayLR", **lengths, "decay": decay}


COSINE = "CosineAnnealingWithWarmupScheduler"
POLYNOMIAL = "PolynomialWithWarmupScheduler"
EPOCHS = {"total_steps": 40, "steps_per_epoch": 8}

CUT = "Composer truncates a share of the run to whole batches; olm rounds to the nearest"
FLOAT = "Composer multiplies floats and truncates 28.999999999999996 to 28 batches; olm counts 29"
NONE = "Composer truncates the warm-up to no batch; olm warms up for at least one step"
BETWEEN = (
    "Composer starts and ends between two batches, at a token; olm at the nearest step, where the "
    "rate is the specified one"
)

IN_DURATIONS = [
    _row(f"{COSINE}('0.1dur')", "max_duration='40ba'", _warm("10%"), {"total_steps": 40}),
    _row(f"{COSINE}('1ep', '5ep')", "max_duration='5ep'", _warm("1ep", "5ep"), EPOCHS),
    _row(f"{POLYNOMIAL}('0.2dur')", "max_duration='5ep'", _warm("20%", decay="polynomial"), EPOCHS),
    _row(
        f"{COSINE}('80sp', '640sp')",
        "max_duration='640sp', samples=16",
        _warm("80sp", "640sp"),
        {"total_steps": 40, "samples_per_step": 16},
    ),
    _row(
        f"{COSINE}('20480tok')",
        "max_duration='163840tok', tokens=4096",
        _warm("20480tok"),
        {"total_steps": 40, "tokens_per_step": 4096},
    ),
    _row(
        "MultiStepScheduler(['1ep', '0.75dur'])",
        "max_duration='5ep'",
        {"kind": "MultiStepLR", "milestones": ["1ep", "75%"]},
        EPOCHS,
    ),
    _row(f"{COSINE}('0.19dur')", "max_duration='5ep'", _warm("19%"), EPOCHS, CUT),
    _row(
        f"{COSINE}('0.19dur')",
        "max_duration='5ep'",
        {**_warm("19%"), "rounding": "down"},
        EPOCHS,
    ),
    _row(f"{COSINE}('0.29dur')", "max_duration='100ba'", _warm("29%"), {"total_steps": 100}, FLOAT),
    _row(f"{COSINE}('0.01dur')", "max_duration='40ba'", _warm("1%"), {"total_steps": 40}, NONE),
    _row(
        f"{COSINE}('18432tok')",
        "max_duration='163840tok', tokens=4096",
        _warm("18432tok"),
        {"total_steps": 40, "tokens_per_step": 4096},
        BETWEEN,
    ),
    _row(
        f"{COSINE}('0.1dur')",
        "max_duration='1e5tok', tokens=4096",
        _warm("10%"),
        {"total_steps": 25, "tokens_per_step": 4096},
        BETWEEN,
    ),
]
"""Schedules whose lengths are durations to both."""
