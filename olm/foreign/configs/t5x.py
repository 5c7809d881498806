"""t5x's gin: the factors of `create_learning_rate_scheduler`."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from olm.foreign.configs._config import Config, Keys, Translation, names
from olm.foreign.configs._documents import Document, at_least, ramp, rise, shifted
from olm.foreign.configs._formats import Format
from olm.foreign.configs._source import Source
from olm.problem import listed, nearest

FUNCTION = "create_learning_rate_scheduler"
LONGEST = 1e12
"""More steps than any run has, after which an inverse square root may reach the lowest rate."""


def translate(config: Config) -> Translation:
    """The product of the factors, which t5x computes in float32.

    Source: t5x of 2026-04, ``utils.py``, ``create_learning_rate_scheduler``.
    """
    functions = [key for key in config.peek() if _is_scheduler(key)]
    if not functions:
        raise config.refusal("needs-key", f"no function {FUNCTION} has parameters")
    if len(functions) > 1:
        text = f"there are several: {listed(functions, 'and')}"
        raise config.refusal("not-one-schedule", text, (functions[1],))
    factors = _Factors(config, functions[0])
    default = "constant * linear_warmup * rsqrt_decay"
    for name in config.text(functions[0], "factors", default=default).split("*"):
        factors.take(name.strip())
    schedule, lr = factors.product()
    lr = config.option("learning_rate") or lr
    config.check_keys(KEYS, functions[0])
    total = config.option("total_steps")
    # The macro of the length is often left to the command line.
    if total is None and isinstance(config.peek("train", "total_steps"), int):
        total = config.whole("train", "total_steps")
    return Translation(schedule, lr, {}, {"total_steps": total} if total else {})


def _is_scheduler(key: object) -> bool:
    return str(key).rpartition(".")[2] == FUNCTION


class _Factors:
    """The factors: those that never change as one number, the others as schedules."""

    def __init__(self, config: Config, function: str) -> None:
        self.config = config
        self.function = function
        self.scale = 1.0
        self.schedules: list[Document] = []
        self.falls_to_zero = False

    def number(self, key: str, default: float) -> float:
        value: float = self.config.number(self.function, key, default=default)
        return value

    def whole(self, key: str, default: int) -> int:
        value: int = self.config.whole(self.function, key, default=default)
        if value < 1:
            text = f"`{key}` must be at least 1, found {value}"
            raise self.config.refusal("type", text, (self.function, key))
        return value

    def take(self, name: str) -> None:
        """Multiply by a factor.

        Raises:
            Refusal: it is unknown.
        """
        if name in FACTORS:
            FACTORS[name](self)
            return
        meant = nearest(name, FACTORS)
        hint = f"did you mean `{meant}`?" if meant else f"known are {listed(FACTORS, 'and')}"
        text = f"there is no factor `{name}`"
        raise self.config.refusal("unknown-scheduler", text, (self.function, "factors"), hint=hint)

    def constant(self) -> None:
        self.scale *= self.number("base_learning_rate", 0.5)

    def linear_warmup(self) -> None:
        self.schedules.append(rise(self.whole("warmup_steps", 1000)))
        self.falls_to_zero = True

    def linear_decay(self) -> None:
        """A warm-up and a straight decay, to zero if the floor of the rate were not above it."""
        self.constant()
        warmup, slope = self.whole("warmup_steps", 1000), self.number("decay_factor", 0.5)
        if not 0 < slope < 1:
            text = f"`decay_factor` must be between 0 and 1 in linear_decay, found {slope}"
            raise self.config.refusal("type", text, (self.function, "decay_factor"))
        steps = int(1 / slope)
        down = ramp(steps, end_factor=max(1 - slope * steps, 0.0))
        parts = [rise(warmup), down, {"kind": "HoldLR", "factor": 0.0}]
        ends = [warmup, warmup + steps + 1]
        self.schedules.append({"kind": "SequentialLR", "schedulers": parts, "milestones": ends})
        self.falls_to_zero = True

    def rsqrt_decay(self) -> None:
        self.scale /= sqrt(self.whole("warmup_steps", 1000))
        self.rsqrt_normalized_decay()

    def rsqrt_normalized_decay(self) -> None:
        warmup = self.whole("warmup_steps", 1000)
        fall = {"kind": "InverseSqrtLR", "warmup_steps": 0, "timescale": warmup}
        self.after(warmup, fall)

    def decay_every(self) -> None:
        steps, gamma = self.whole("steps_per_decay", 20_000), self.number("decay_factor", 0.5)
        self.schedules.append({"kind": "StepLR", "step_size": steps, "gamma": gamma})
        self.falls_to_zero = True

    def cosine_decay(self) -> None:
        period = self.whole("steps_per_cycle", 100_000)
        wave = {"kind": "CosineAnnealingLR", "T_max": period}
        self.after(
            int(self.number("warmup_steps", 1000)),
            {"kind": "RepeatLR", "scheduler": wave, "period": period},
        )
        self.falls_to_zero = True

    def after(self, warmup: int, document: Document) -> None:
        """Multiply by 1 during the warm-up, and then by a schedule."""
        if not warmup:
            self.schedules.append(document)
            return
        parts = [{"kind": "HoldLR"}, document]
        hold = {"kind": "SequentialLR", "schedulers": parts, "milestones": [warmup]}
        self.schedules.append(hold)

    def product(self) -> tuple[Document, float]:
        """The schedule of all factors, and the base rate."""
        floor = self.number("min_learning_rate", 1e-8)
        document: Document = {"kind": "ChainedScheduler", "schedulers": self.schedules}
        if len(self.schedules) < 2:
            document = self.schedules[0] if self.schedules else {"kind": "HoldLR"}
        longest = sqrt(self.config.peek(self.function, "warmup_steps", default=1000) / LONGEST)
        if self.falls_to_zero or (self.schedules and self.scale * longest < floor):
            document = at_least(self.joined() or document, floor)
        offset = self.config.whole(self.function, "step_offset", default=0)
        return shifted(document, -offset), max(self.scale, floor)

    def joined(self) -> Document | None:
        """A warm-up and an inverse square root as one kind."""
        if len(self.schedules) != 2:
            return None
        up, fall = self.schedules
        steps = up.get("total_steps")
        if up["kind"] != "RampLR" or fall.get("milestones") != [steps]:
            return None
        if fall["schedulers"][1]["kind"] != "InverseSqrtLR":
            return None
        return {"kind": "InverseSqrtLR", "warmup_steps": steps}


FACTORS: dict[str, Callable[[_Factors], None]] = {
    "constant": _Factors.constant,
    "linear_warmup": _Factors.linear_warmup,
    "linear_decay": _Factors.linear_decay,
    "rsqrt_decay": _Factors.rsqrt_decay,
    "rsqrt_normalized_decay": _Factors.rsqrt_normalized_decay,
    "decay_every": _Factors.decay_every,
    "cosine_decay": _Factors.cosine_decay,
}
"""The factors of t5x."""

KEYS = Keys(
    of="create_learning_rate_scheduler",
    translated=names(
        "factors base_learning_rate warmup_steps decay_factor steps_per_decay steps_per_cycle",
        "step_offset min_learning_rate",
    ),
)


def is_it(source: Source) -> bool:
    """Whether a gin file binds the factors of a schedule."""
    return source.form == "gin" and any(map(_is_scheduler, source.value))


FORMAT = Format(
    title="t5x",
    version="t5x of 2026-04",
    marks="create_learning_rate_scheduler in gin",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
