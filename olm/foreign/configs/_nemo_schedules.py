"""The schedules of NeMo as documents."""

from __future__ import annotations

from typing import Any

from olm.foreign.configs._config import Config
from olm.foreign.configs._documents import Document, at_least, count, ramp, sequence, shifted
from olm.problem import Path, found

WARM = "min_lr warmup_steps warmup_ratio"
HELD = f"{WARM} hold_steps hold_ratio"

ARGUMENTS = {
    "WarmupPolicy": WARM,
    "WarmupHoldPolicy": HELD,
    "SquareAnnealing": WARM,
    "SquareRootAnnealing": WARM,
    "CosineAnnealing": f"{WARM} constant_steps constant_ratio",
    "NoamAnnealing": f"{WARM} d_model",
    "NoamHoldAnnealing": f"{HELD} decay_rate",
    "WarmupHoldAnnealOneMinusSquareRoot": HELD,
    "WarmupHoldAnnealLinear": HELD,
    "WarmupAnnealing": WARM,
    "InverseSquareRootAnnealing": WARM,
    "T5InverseSquareRootAnnealing": "min_lr constant_steps",
    "PolynomialDecayAnnealing": f"{WARM} power cycle",
    "PolynomialHoldDecayAnnealing": f"{HELD} power cycle",
    "StepLR": "step_size gamma",
}
"""The schedules → the arguments that are translated, beside ``max_steps``."""


class Sched:
    """The arguments of a schedule, and the documents that they are translated to."""

    def __init__(
        self, config: Config, path: Path, name: str, lr: float, floor_lr: float, most: int
    ) -> None:
        self.config, self.path, self.name = config, path, name
        self.lr, self.floor_lr, self.most = lr, floor_lr, most
        self.warmup = self._steps("warmup") or 0
        hold = self._steps("hold")
        self.held = 0 if hold is None else self.warmup + hold

    def _steps(self, key: str) -> int | None:
        """The steps of a stage; a share of the run is rounded down, as a product of floats."""
        if f"{key}_steps" not in ARGUMENTS[self.name].split():
            return None
        steps = self.config.whole(*self.path, f"{key}_steps", default=None)
        ratio = self.config.number(*self.path, f"{key}_ratio", default=None)
        if steps is not None and ratio is not None:
            text = f"NeMo refuses {key}_steps and {key}_ratio together"
            raise self.config.refusal("unsupported-key", text, (*self.path, f"{key}_ratio"))
        if ratio is not None:
            return int(ratio * self.most)
        return None if steps is None else int(steps)

    def _number(self, key: str, default: Any) -> Any:
        return self.config.number(*self.path, key, default=default)

    def document(self) -> Document:
        """The schedule of the name."""
        match self.name:
            case "WarmupPolicy" | "WarmupHoldPolicy":
                return self._warmed({"kind": "HoldLR"})
            case "CosineAnnealing":
                return self._cosine()
            case "SquareAnnealing":
                return self._polynomial(2.0, 0.0)
            case "SquareRootAnnealing":
                fall = ramp(self.most, ease="polynomial", power=0.5, **self._since_start())
                return self._after_warmup(at_least(fall, self.floor_lr))
            case "WarmupAnnealing":
                return self._polynomial(1.0, self.floor_lr)
            case "PolynomialDecayAnnealing":
                return self._polynomial(self._number("power", 1.0), self.floor_lr)
            case "InverseSquareRootAnnealing":
                return self._warmed({"kind": "PowerLR", "decay_steps": self.warmup + 1})
            case "NoamAnnealing":
                return self._noam()
            case "T5InverseSquareRootAnnealing":
                return self._t5()
            case "StepLR":
                step_size = self.config.whole(*self.path, "step_size")
                return {
                    "kind": "StepLR",
                    "step_size": step_size,
                    "gamma": self._number("gamma", 0.1),
                }
        return self._held()

    def end(self) -> int:
        """The first step after the end of the schedule, which no stage before the decay heeds."""
        stages = [self.most, self.warmup, self.held - 1]
        if self.name == "T5InverseSquareRootAnnealing":
            stages.append(self._t5_steps())
        return max(stages) + 1

    def _since_start(self) -> dict[str, int]:
        """The offset of a decay that counts from the start of the run."""
        first = self.warmup + 1 if self.warmup else 0
        return {"offset": first} if first else {}

    def _up(self) -> Document:
        return {"kind": "WarmupLR", "warmup_steps": self.warmup + 1}

    def _warmed(self, last: Document) -> Document:
        """A schedule that starts at the base rate at the last step of the warm-up."""
        if self.warmup >= self.most:
            return self._up()
        return sequence((self._up(), self.warmup), last=last)

    def _after_warmup(self, last: Document) -> Document:
        """A schedule that starts after the last step of the warm-up, wherever it is then."""
        return sequence((self._up(), self.warmup + 1 if self.warmup else 0), last=last)

    def _fall(self, steps: int, end_lr: float, power: float, **fields: Any) -> Document:
        end = {"end_lr": end_lr} if end_lr else {}
        curve = {} if power == 1.0 else {"ease": "polynomial", "power": power}
        return ramp(steps, **end, **curve, **fields)

    def _polynomial(self, power: float, end_lr: float) -> Document:
        """A decay from the warm-up to the end of the run; without an end it stops at the floor."""
        fall = self._fall(max(1, self.most - self.warmup), end_lr, power)
        return self._warmed(fall if end_lr else at_least(fall, self.floor_lr))

    def _cosine(self) -> Document:
        constant = self._steps("constant")
        if self.lr < self.floor_lr or (constant and self.lr == self.floor_lr):
            text = f"`min_lr` must be below the base rate, found {found(self.floor_lr)}"
            raise self.config.refusal("type", text, (*self.path, "min_lr"))
        if not constant:
            end = {"end_lr": self.floor_lr} if self.floor_lr else {}
            return self._warmed(ramp(max(1, self.most - self.warmup), **end, ease="cosine"))
        decay = self.most - constant - self.warmup
        if decay < 1:
            text = "warm-up and constant steps leave no step for the decay"
            raise self.config.refusal("unsupported-key", text, (*self.path, "constant_steps"))
        end = {"end_factor": self.floor_lr / self.lr} if self.floor_lr else {}
        lengths = {"warmup_steps": self.warmup, "total_steps": self.warmup + decay}
        return {"kind": "WarmupDecayLR", **lengths, **end}

    def _noam(self) -> Document:
        """NeMo's steps 0 and 1 have the same rate; the floor counts after the warm-up."""
        width = self.config.whole(*self.path, "d_model")
        warmup = max(1, self.warmup)
        noam = {"kind": "NoamLR", "d_model": width, "warmup_steps": warmup}
        whole = shifted(noam, -1)
        if not self.floor_lr or not self.warmup:
            return at_least(whole, self.floor_lr)
        after = at_least(shifted(noam, self.warmup), self.floor_lr)
        return sequence((whole, self.warmup + 1), last=after)

    def _t5(self) -> Document:
        """Absolute rates, which depend on no base rate."""
        steps = self._t5_steps()
        peak = {"kind": "HoldLR", "factor": 1 / (self.lr * steps**0.5)}
        fall = shifted({"kind": "PowerLR", "decay_steps": steps}, -steps)
        return {"kind": "ChainedScheduler", "schedulers": [peak, fall]}

    def _t5_steps(self) -> int:
        return count(self.config, *self.path, "constant_steps")

    def _held(self) -> Document:
        """The schedules with a plateau, whose decay counts from the start if there is none."""
        if self.name == "NoamHoldAnnealing":
            rate = self._number("decay_rate", 0.5)
            if not self.warmup:
                if self.held > self.most:
                    return {"kind": "HoldLR"}
                text = "NeMo refuses NoamHoldAnnealing without a warm-up"
                raise self.config.refusal("needs-key", text, (*self.path, "name"))
            power = {"power": rate, "decay_steps": self.warmup}
            fall = at_least({"kind": "PowerLR", **power}, self.floor_lr)
            return self._plateau(fall, max(self.warmup, self.held))
        if self.held == self.most:
            text = "NeMo divides by zero where the plateau ends with the run"
            raise self.config.refusal("type", text, (*self.path, "name"))
        left = max(1, self.most - self.held)
        match self.name:
            case "WarmupHoldAnnealLinear":
                fall = self._fall(left, self.floor_lr, 1.0)
            case "WarmupHoldAnnealOneMinusSquareRoot":
                fall = ramp(left, ease="power", power=0.5)
            case _:
                self._check_cycle()
                left = max(1, self.most - max(self.warmup, self.held))
                fall = self._fall(left, self.floor_lr, self._number("power", 1.0))
        if not self.held:
            fall = {**fall, **self._since_start()}
        if self.name == "WarmupHoldAnnealOneMinusSquareRoot":
            fall = at_least(fall, self.floor_lr)
        if self.held:
            return self._plateau(fall, self.held)
        return self._after_warmup(fall)

    def _check_cycle(self) -> None:
        """Refuse a second cycle, which begins before the end where the decay has no plateau."""
        if self.config.flag(*self.path, "cycle") and self.warmup and not self.held:
            text = "`cycle` without a plateau starts a longer decay before the end of the run"
            raise self.config.refusal("unsupported-key", text, (*self.path, "cycle"))

    def _plateau(self, fall: Document, start: int) -> Document:
        """A warm-up, a plateau, and a decay that starts at the base rate at a step."""
        hold = {"kind": "HoldLR"}
        return sequence((self._up(), self.warmup), (hold, start - self.warmup), last=fall)
