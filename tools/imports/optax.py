"""optax: calls of its schedules, some joined, which jax computes here in float64."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from random import Random
from typing import Any

from imports import Configuration, Framework

STEPS = 84

Arguments = dict[str, Any]


def draw(random: Random) -> Configuration:
    """A Python file with an optimizer whose rate is a schedule."""
    schedule = _joined(random) if random.random() < 0.25 else _call(random)
    lines = ["import optax", "", f"schedule = {schedule}", "optimizer = optax.adamw(schedule)"]
    return Configuration("\n".join(lines) + "\n")


def rates(configuration: Configuration) -> list[float]:
    """Run the file, and call its schedule with each step."""
    jax: Any = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    names: dict[str, Any] = {}
    exec(configuration.text, names)
    return [names["schedule"](step) for step in range(STEPS)]


def _joined(random: Random) -> str:
    boundaries = sorted(random.sample(range(1, 60), random.randrange(1, 4)))
    schedules = ", ".join(_call(random) for _ in range(len(boundaries) + 1))
    return f"optax.join_schedules([{schedules}], boundaries={boundaries})"


def _call(random: Random) -> str:
    name = random.choice([*CALLS])
    arguments = CALLS[name](random)
    if name == "sgdr_schedule":
        cycles = ", ".join(f"dict({_text(cycle)})" for cycle in arguments["cosine_kwargs"])
        return f"optax.sgdr_schedule([{cycles}])"
    positional = random.randrange(3)
    values = [repr(value) for value in [*arguments.values()][:positional]]
    rest = {key: arguments[key] for key in [*arguments][positional:]}
    return f"optax.{name}({', '.join([*values, *[_text(rest)] * bool(rest)])})"


def _text(arguments: Arguments) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in arguments.items())


def _some(random: Random, **choices: Any) -> Arguments:
    """Some of the arguments that have defaults."""
    return {key: value for key, value in choices.items() if random.random() < 0.5}


def _rate(random: Random) -> float:
    return random.choice([1e-3, 2e-4, 0.3])


def _start(random: Random) -> float:
    return random.choice([0.0, 1e-5, 5e-4])


def _line(random: Random) -> Arguments:
    ends = [_rate(random), random.choice([0.0, 1e-5, 0.01])]
    random.shuffle(ends)
    return {
        "init_value": ends[0],
        "end_value": ends[1],
        "transition_steps": random.choice([0, 1, 7, 40, 100]),
        **_some(random, transition_begin=random.choice([-3, 0, 5, 30])),
    }


def _polynomial(random: Random) -> Arguments:
    line = _line(random)
    ends = {key: line.pop(key) for key in ("init_value", "end_value")}
    return {**ends, "power": random.choice([1, 1.0, 2, 0.5, 3.5]), **line}


def _scales(random: Random, first: int) -> dict[int, float]:
    steps = random.sample(range(first, 80), random.randrange(4))
    return {step: random.choice([0.1, 0.5, 2.0, 1.0]) for step in steps}


def _exponential(random: Random) -> Arguments:
    return {
        "transition_steps": random.choice([0, 1, 7, 20]),
        "decay_rate": random.choice([0.0, 0.5, 0.96, 1.0, 1.05]),
        **_some(
            random,
            transition_begin=random.choice([-2, 0, 9]),
            staircase=random.choice([True, False]),
            end_value=random.choice([0.0, 1e-5, 5e-4]),
        ),
    }


def _cosine(random: Random) -> Arguments:
    share, power = random.choice([0.0, 0.1]), random.choice([1.0, 2.0, 3, 1.5])
    drawn = {"decay_steps": random.choice([0, 1, 33, 60, 100])}
    return {"init_value": _rate(random), **drawn, **_some(random, alpha=share, exponent=power)}


def _one_cycle(random: Random, **more: float) -> Arguments:
    return {
        "transition_steps": random.choice([0, 2, 21, 70]),
        "peak_value": _rate(random),
        **_some(
            random,
            pct_start=random.choice([0.1, 0.3, 0.45]),
            div_factor=random.choice([10.0, 25.0]),
            final_div_factor=random.choice([10, 1e4]),
            **more,
        ),
    }


def _warmup(random: Random) -> Arguments:
    steps = random.choice([0, 1, 10, 90])
    return {"init_value": _start(random), "peak_value": _rate(random), "warmup_steps": steps}


def _warmup_cosine(random: Random) -> Arguments:
    return {
        **_warmup(random),
        "decay_steps": random.choice([11, 40, 73, 120]),
        **_some(random, end_value=_start(random), exponent=random.choice([1, 2])),
    }


CALLS: dict[str, Callable[[Random], Arguments]] = {
    "constant_schedule": lambda random: {"value": _rate(random)},
    "linear_schedule": _line,
    "polynomial_schedule": _polynomial,
    "piecewise_constant_schedule": lambda random: {
        "init_value": _rate(random),
        "boundaries_and_scales": _scales(random, first=-1),
    },
    "piecewise_interpolate_schedule": lambda random: {
        "interpolate_type": random.choice(["linear", "cosine"]),
        "init_value": _rate(random),
        "boundaries_and_scales": _scales(random, first=1),
    },
    "exponential_decay": lambda random: {"init_value": _rate(random), **_exponential(random)},
    "cosine_decay_schedule": _cosine,
    "linear_onecycle_schedule": lambda random: _one_cycle(random, pct_final=0.7),
    "cosine_onecycle_schedule": _one_cycle,
    "warmup_constant_schedule": _warmup,
    "warmup_cosine_decay_schedule": _warmup_cosine,
    "warmup_exponential_decay_schedule": lambda random: {
        **_warmup(random),
        **_exponential(random),
    },
    "sgdr_schedule": lambda random: {
        "cosine_kwargs": [_warmup_cosine(random) for _ in range(random.randrange(1, 4))]
    },
}

FRAMEWORK = Framework(
    distribution="optax",
    version="0.2.8",
    suffix=".py",
    draw=draw,
    rates=rates,
    needs=["jax==0.10.2", "jaxlib==0.10.2"],
)
