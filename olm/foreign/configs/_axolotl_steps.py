"""The steps of a run of axolotl and of its warm-up: axolotl 0.19.0, ``core/builders/base.py``.

A share is rounded down, and a warm-up of one step becomes one of two.
"""

from __future__ import annotations

from math import ceil

from olm.fields.durations import exact
from olm.foreign.configs._config import Config
from olm.foreign.configs._documents import count

COUNT_LATE = ("grpo", "ebft")
"""The trainers whose steps are not known before transformers counts them."""


def run_length(config: Config) -> int | str:
    """The number of steps, or the whole run where the file and the user do not give it."""
    total = config.option("total_steps") or config.whole("max_steps", default=None)
    return int(total) if total else _steps_of_data(config)


def _steps_of_data(config: Config) -> int | str:
    """The number of steps that the data set is enough for, or the whole run."""
    epochs = config.number("num_epochs", default=1.0)
    if (per_epoch := config.option("steps_per_epoch")) is not None:
        return ceil(exact(epochs) * exact(per_epoch))
    size = config.option("dataset_size")
    if size is None:
        return "100%"
    if config.flag("sample_packing"):
        config.note("the length: with sample_packing it depends on the lengths of the samples")
        return "100%"
    world = int(config.need("world_size", "the number of processes"))
    for key in ("context_parallel_size", "tensor_parallel_size"):
        world //= config.whole(key, default=None) or 1
    # As axolotl computes it, in floats.
    steps: float = size * epochs / (_batch(config) * world)
    return ceil(steps)


def _batch(config: Config) -> int:
    """The samples that one process adds to a step."""
    if (batch := config.whole("batch_size", default=None)) is not None:
        return int(batch)
    accumulate = count(config, "gradient_accumulation_steps", default=1)
    return count(config, "micro_batch_size", default=1) * accumulate


def warmup_of(config: Config, total: int | str) -> tuple[int | str, str]:
    """The length of the warm-up, and how it is rounded if it is a share of the run."""
    if (given := config.option("warmup_steps")) is not None:
        return int(given), "nearest"
    steps = config.whole("warmup_steps", default=None)
    if steps is not None:
        return _at_least_two(steps), "nearest"
    ratio = config.number("warmup_ratio", default=None)
    # Of these transformers computes the share, and rounds it up.
    late = config.peek("rl") in COUNT_LATE
    if late:
        config.get("rl")
    else:
        total = _known_to_warmup(config, total)
    if ratio is None and not late:
        ratio = config.defaults["warmup_ratio"] = 0.03
        if not isinstance(total, int):
            config.need("total_steps", "the length of the run: the warm-up has at most 100 steps")
        return _at_least_two(min(int(ratio * int(total)), 100)), "nearest"
    ratio = 0.03 if ratio is None else ratio
    if isinstance(total, int):
        # axolotl multiplies floats, so 29 % of 100 steps are 28.
        return ceil(ratio * total) if late else _at_least_two(int(ratio * total)), "nearest"
    if not ratio:
        return 0, "nearest"
    return f"{float(exact(ratio) * 100):.12g}%", "up" if late else "down"


def _known_to_warmup(config: Config, total: int | str) -> int | str:
    """The number of steps that axolotl computes the share of, which `max_steps` does not raise."""
    if "total_steps" in config.used or not config.has("max_steps"):
        return total
    steps = _steps_of_data(config)
    if isinstance(steps, int):
        # The trainers of reinforcement learning only regard the data.
        return steps if config.has("rl") else min(steps, int(total))
    if config.has("rl"):
        text = "the warm-up is a share of the steps that the data set is enough for"
        hint = "give --dataset-size N and --world-size N, or --warmup-steps N"
        raise config.refusal("needs-length", text, ("rl",), hint=hint)
    return total


def _at_least_two(steps: int) -> int:
    """The steps of a warm-up, of which axolotl makes two where one is configured."""
    return 2 if steps == 1 else steps
