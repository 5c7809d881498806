"""spaCy's config: the schedule of the learning rate, of thinc."""

from __future__ import annotations

from collections.abc import Callable

from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import Document, ramp, shifted
from olm.foreign.configs._formats import Format
from olm.foreign.configs._source import Source
from olm.problem import Path

OPTIMIZER: Path = ("training", "optimizer")
RATE: Path = (*OPTIMIZER, "learn_rate")


def translate(config: Config) -> Translation:
    """The schedule of the optimizer's learning rate.

    Source: thinc 9.1.1, ``schedules.py`` and ``optimizers.py``, whose step begins with 0.
    """
    for key in ("beta1", "beta2", "L2", "eps", "grad_clip"):
        if isinstance(config.peek(*OPTIMIZER, key), dict):
            text = f"`{key}` has a schedule of its own, which is not translated"
            raise config.refusal("unsupported-key", text, (*OPTIMIZER, key))
    if isinstance(config.peek(*RATE), dict):
        rates = _Rates(config, RATE)
        lr = config.option("learning_rate") or rates.base()
        schedule = rates.schedule(rates.base())
    else:
        schedule = {"kind": "HoldLR"}
        lr = config.option("learning_rate") or config.number(*RATE, default=0.001)
    optimizer = {}
    if config.flag(*OPTIMIZER, "L2_is_weight_decay", default=True) and config.has(*OPTIMIZER, "L2"):
        optimizer["weight_decay"] = config.number(*OPTIMIZER, "L2")
    if config.has(*OPTIMIZER, "beta1"):
        optimizer["betas[0]"] = config.number(*OPTIMIZER, "beta1")
    config.check_keys(KEYS, *OPTIMIZER)
    total = config.option("total_steps") or config.whole("training", "max_steps", default=None)
    if not total and config.has(*RATE, "total_steps"):
        total = config.whole(*RATE, "total_steps")
    return Translation(schedule, lr, optimizer, {"total_steps": total} if total else {})


class _Rates:
    """A schedule of thinc, whose rates are absolute."""

    def __init__(self, config: Config, path: Path) -> None:
        self.config = config
        self.path = path
        name = one_of(config, SCHEDULES, *path, "@schedules")
        self.translated, self.peak, keys = SCHEDULES[name]
        of = f"thinc's {name}"
        config.check_keys(Keys(of, names("@schedules", keys)), *path)

    def number(self, key: str, default: float | None = None) -> float:
        more = {} if default is None else {"default": default}
        value: float = self.config.number(*self.path, key, **more)
        return value

    def whole(self, key: str, default: int | None = None) -> int:
        more = {} if default is None else {"default": default}
        value: int = self.config.whole(*self.path, key, **more)
        return value

    def base(self) -> float:
        """The rate that the others are factors of."""
        if self.peak == "decaying":
            return self.number("base_rate") / (1 + self.number("decay") * self.number("t", 0.0))
        if self.peak == "schedule":
            return self.inside().base()
        if self.peak == "start":
            grown: float = self.number("compound") ** self.number("t", 0.0)
            return self.number("start") * grown
        return self.number(self.peak)

    def inside(self) -> _Rates:
        return _Rates(self.config, (*self.path, "schedule"))

    def schedule(self, base: float) -> Document:
        """The schedule as factors of a base rate."""
        return self.translated(self, base)

    def refusal(self, code: str, text: str, key: str) -> Exception:
        return self.config.refusal(code, text, (*self.path, key))

    def constant(self, base: float) -> Document:
        factor = self.number("rate") / base
        return {"kind": "HoldLR"} if factor == 1 else {"kind": "HoldLR", "factor": factor}

    def constant_then(self, base: float) -> Document:
        """A rate for some steps; the other schedule counts its steps from the beginning, too."""
        steps, factor = self.whole("steps"), self.number("rate") / base
        after = shifted(self.inside().schedule(base), steps)
        if not steps:
            return after
        parts = [{"kind": "HoldLR", "factor": factor}, after]
        return {"kind": "SequentialLR", "schedulers": parts, "milestones": [steps]}

    def decaying(self, base: float) -> Document:
        decay = self.number("decay")
        rate = decay / (1 + decay * self.number("t", 0.0))
        return {"kind": "PowerLR", "power": 1.0, "decay_steps": 1, "decay_rate": rate}

    def compounding(self, base: float) -> Document:
        start, stop = self.number("start"), self.number("stop")
        curve = {"kind": "ExponentialLR", "gamma": self.number("compound")}
        bound = {"kind": "HoldLR", "factor": stop / base}
        kind = "MaximumLR" if start > stop else "MinimumLR"
        return {"kind": kind, "schedulers": [curve, bound]}

    def warmup_linear(self, base: float) -> Document:
        warmup, total = self.whole("warmup_steps"), self.whole("total_steps")
        if warmup >= total:
            text = "the warm-up is as long as the schedule"
            raise self.refusal("unsupported-key", text, "warmup_steps")
        lengths = {"warmup_steps": warmup, "total_steps": total}
        return {"kind": "WarmupDecayLR", **lengths, "decay": "linear"}

    def slanted_triangular(self, base: float) -> Document:
        """A short rise and a long fall, both one step ahead."""
        steps, share = self.whole("num_steps"), self.number("cut_frac", 0.1)
        cut, ratio, ahead = int(steps * share), self.number("ratio", 32), self.whole("t", 0) + 1
        fall = cut * (1 / share - 1)
        if cut < 1 or abs(fall - round(fall)) > 1e-9 * fall:
            text = "the fall ends between two steps"
            raise self.refusal("between-steps", text, "cut_frac")
        longest = self.config.whole("training", "max_steps", default=None) or 0
        if longest + ahead > cut + round(fall) + 1:
            text = "after num_steps the rate falls further, below 0"
            raise self.refusal("unsupported-key", text, "num_steps")
        down = ramp(round(fall), end_factor=1 / ratio)
        if cut <= ahead:
            return {**down, "offset": ahead - cut} if ahead > cut else down
        up = ramp(cut, start_factor=1 / ratio, end_factor=1.0, offset=ahead)
        return {"kind": "SequentialLR", "schedulers": [up, down], "milestones": [cut - ahead]}

    def cyclic_triangular(self, base: float) -> Document:
        low = self.number("min_lr") / base
        ends = {"start_factor": low, "end_factor": 1.0}
        return ramp(self.whole("period"), **ends, past="mirror", offset=1)

    def plateau(self, base: float) -> Document:
        raise self.refusal("metric-rule", "the rate follows the scores of evaluations", "scale")


SCHEDULES: dict[str, tuple[Callable[[_Rates, float], Document], str, str]] = {
    "constant.v1": (_Rates.constant, "rate", "rate"),
    "constant_then.v1": (_Rates.constant_then, "schedule", "rate steps schedule"),
    "decaying.v1": (_Rates.decaying, "decaying", "base_rate decay t"),
    "compounding.v1": (_Rates.compounding, "start", "start stop compound t"),
    "warmup_linear.v1": (
        _Rates.warmup_linear,
        "initial_rate",
        "initial_rate warmup_steps total_steps",
    ),
    "slanted_triangular.v1": (
        _Rates.slanted_triangular,
        "max_rate",
        "max_rate num_steps cut_frac ratio t",
    ),
    "cyclic_triangular.v1": (_Rates.cyclic_triangular, "max_lr", "min_lr max_lr period"),
    "plateau.v1": (_Rates.plateau, "schedule", "max_patience scale schedule"),
}
"""The schedules of thinc: the translation, the key of the base rate, and the keys."""

KEYS = Keys(
    of="thinc's optimizers",
    translated=names("@optimizers learn_rate L2 L2_is_weight_decay beta1"),
    harmless=names("beta2 grad_clip use_averages eps"),
)


def is_it(source: Source) -> bool:
    """Whether a file has a schedule of thinc."""
    return source.form == "ini" and source.mentions("@schedules")


FORMAT = Format(
    title="spaCy",
    version="thinc 9.1.1",
    marks="@schedules",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
