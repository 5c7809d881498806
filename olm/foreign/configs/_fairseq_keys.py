"""The keys of fairseq's schedules: in sections of its YAML, or all in one command line."""

from __future__ import annotations

import re
from typing import Any

from olm.foreign.configs._config import REQUIRED, Config, Keys, names
from olm.foreign.configs._flat_keys import unrelated
from olm.problem import Path

_TRANSLATED = names(
    "_name lr max_update warmup_updates total_num_update end_learning_rate power force_anneal",
    "warmup_init_lr warmup_steps hold_steps decay_steps phase_ratio init_lr_scale final_lr_scale",
    "min_lr t_mult lr_period_updates lr_shrink lr_deacy_period lr_decay max_lr shrink_min",
)

KEYS = Keys(of="fairseq's schedules", translated=_TRANSLATED)
OPTIMIZATION_KEYS = Keys(
    of="fairseq's optimization",
    translated=names("lr max_update"),
    harmless=names(
        "max_epoch stop_time_hours clip_norm sentence_avg update_freq stop_min_lr use_bmuf _name",
        "skip_remainder_batch debug_param_names",
    ),
)
COMMAND_KEYS = Keys(
    of="fairseq-train",
    translated=_TRANSLATED | names("lr_scheduler weight_decay momentum adam_betas"),
    harmless=names(
        "command max_epoch batch_size max_sentences required_batch_size_multiple update_freq",
        "batch_size_valid max_sentences_valid stop_min_lr reset_lr_scheduler save_interval_updates",
        "fixed_validation_seed no_epoch_checkpoints keep_last_epochs sample_break_mode optimizer",
    ),
)


class SchedulerKeys:
    """Where the keys are: in sections of the YAML, or all in one command line."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.flat = config.source.form == "shell"
        self.name: Path = ("lr_scheduler",) if self.flat else ("lr_scheduler", "_name")
        self.max_update = config.option("total_steps") or self._max_update()

    def path(self, section: str, key: str) -> Path:
        return (key,) if self.flat else (section, key)

    def number(self, key: str, default: Any) -> Any:
        return self.config.number(*self.path("lr_scheduler", key), default=default)

    def whole(self, key: str, default: Any) -> Any:
        return self.config.whole(*self.path("lr_scheduler", key), default=default)

    def _max_update(self) -> int:
        for section in ("lr_scheduler", "optimization"):
            if self.config.has(*self.path(section, "max_update")):
                return int(self.config.whole(*self.path(section, "max_update")))
        return 0

    def length(self) -> int:
        """The number of updates of the run.

        Raises:
            Refusal: it is not known.
        """
        path = self.path("optimization", "max_update")
        why = "the number of updates, max_update"
        return self.max_update or int(self.config.need("total_steps", why, *path))

    def lr(self, name: str) -> float:
        """The base rate.

        Raises:
            Refusal: there is one for each epoch.
        """
        if self.config.has("lr_float"):
            # A group of a composite optimizer.
            return float(self.config.number("lr_float"))
        inside = self.path("lr_scheduler", "lr")
        path = inside if self.config.has(*inside) else self.path("optimization", "lr")
        rates = numbers(self.config, *path, default=[0.25])
        if len(rates) == 1:
            return rates[0]
        text = f"{name} takes one of these rates for each epoch, and the spec has no epochs"
        raise self.config.refusal("interval", text, path)

    def optimizer(self) -> dict[str, float]:
        """Weight decay, momentum and the first beta, as far as the file has them."""
        found = {}
        for key in ("weight_decay", "momentum"):
            if self.config.has(*self.path("optimizer", key)):
                found[key] = self.config.number(*self.path("optimizer", key))
        if self.config.has(*self.path("optimizer", "adam_betas")):
            betas = self.path("optimizer", "adam_betas")
            found["betas[0]"] = numbers(self.config, *betas)[0]
        return found

    def check(self) -> None:
        """Refuse the keys of the schedule that are not translated."""
        if self.flat:
            allowed = unrelated(self.config.peek(), COMMAND_KEYS)
            self.config.check_keys(COMMAND_KEYS, allowed=allowed)
            return
        self.config.check_keys(KEYS, "lr_scheduler")
        self.config.check_keys(OPTIMIZATION_KEYS, "optimization")


def numbers(config: Config, *path: str | int, default: Any = REQUIRED) -> list[float]:
    """The numbers of a list, or of text such as ``(0.9, 0.98)``.

    Raises:
        Refusal: they are none.
    """
    value = config.get(*path, default=default)
    items = re.split(r"[\s,]+", value.strip("[]() ")) if isinstance(value, str) else value
    items = items if isinstance(items, list | tuple) else [items]
    try:
        return [float(item) for item in items]
    except (TypeError, ValueError):
        text = f"`{path[-1]}` must be a list of numbers"
        raise config.refusal("type", text, path) from None
