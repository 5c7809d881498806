"""axolotl's YAML: transformers' schedules by other keys, and axolotl's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from olm.foreign.configs._axolotl_groups import groups_of
from olm.foreign.configs._axolotl_schedules import jagged, one_cycle, quadratic, rex
from olm.foreign.configs._axolotl_steps import run_length, warmup_of
from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._deepspeed_beside import check_deepspeed
from olm.foreign.configs._documents import Document
from olm.foreign.configs._formats import Format
from olm.foreign.configs._groups import check_scaled
from olm.foreign.configs._hugging_face import Run, cosine
from olm.foreign.configs._named_schedules import PLATEAU, SCHEDULES, named_schedule
from olm.foreign.configs._source import Source
from olm.problem import found

KIND, OPTIONS = "lr_scheduler", "lr_scheduler_kwargs"

OTHER_RATES = "gives some parameters another rate"

KEYS = Keys(
    of="axolotl",
    translated=names(
        "learning_rate lr_scheduler lr_scheduler_kwargs lr_quadratic_warmup cosine_min_lr_ratio",
        "cosine_constant_lr_ratio warmup_steps warmup_ratio jagged_restart_steps",
        "jagged_restart_warmup_steps jagged_restart_anneal_steps lr_groups embedding_lr",
        "embedding_lr_scale",
    ),
    # `lr_div_factor` is read by nothing, `loraplus_lr_embedding` only with `loraplus_lr_ratio`;
    # ReLoRA changes the weights and not the rate.
    harmless=names(
        "lr_div_factor loraplus_lr_embedding relora relora_prune_ratio relora_prune_method",
        "relora_cpu_offload",
    ),
    refused={
        **dict.fromkeys(
            names("loraplus_lr_ratio dion_lr"), OTHER_RATES
        ),
        **dict.fromkeys(names("relora_steps relora_warmup_steps relora_anneal_steps"),
                        "is of an older axolotl, which restarted the rate"),
    },
)  # fmt: skip

OF_THE_RATE = names("lr learning warmup scheduler sched cosine anneal jagged relora decay")
"""Words in the names of keys that change the rate. The other keys of a file are hundreds."""

UNRELATED = names("weight_decay ema_decay")


def translate(config: Config) -> Translation:
    """The schedule that axolotl's trainer creates.

    Source: axolotl 0.19.0, ``core/builders/base.py``, ``core/trainers/mixins/scheduler.py`` and
    ``utils/schedulers.py``, which builds on transformers 5.
    """
    name = one_of(config, SCHEDULES | {"one_cycle", "rex"}, KIND, default="cosine")
    lr = config.option("learning_rate") or config.number("learning_rate")
    options = config.get(OPTIONS, default=None) or {}
    if not isinstance(options, dict):
        text = f"`{OPTIONS}` must be a mapping, found {found(options)}"
        raise config.refusal("type", text, (OPTIONS,))
    options = {**options}
    optimizer = _optimizer(config)
    if name == "greedy":
        text = "the rate of greedy follows the loss, so no rate is known before the run"
        raise config.refusal("metric-rule", text, (KIND,))
    if name == "reduce_lr_on_plateau":
        known = {key: options.pop(key) for key in PLATEAU if key in options}
        config.note("the plateau observes the loss of each evaluation")
        _check(config, options)
        return Translation({"kind": "ReduceLROnPlateau", **known}, lr, optimizer)
    if name == "constant":
        options = {}
    total = run_length(config)
    warmup, rounding = warmup_of(config, total)
    run = Run(config, lr, warmup, total, (KIND,))
    also: list[Document] = []
    if name == "one_cycle":
        schedule, momentum = one_cycle(run, options)
        also = _also(config, momentum)
    else:
        schedule = _schedule(run, name, options)
    schedule = _restarted(run, name, schedule)
    groups = groups_of(config, lr)
    if groups and name in ("one_cycle", "rex"):
        text = f"{name} gives all param groups one rate, and this key another"
        raise config.refusal("unsupported-key", text, groups[-1].path)
    check_scaled(config, schedule, groups, lr)
    _check(config, options)
    clock = {"total_steps": total} if isinstance(total, int) else {}
    return Translation(schedule, lr, optimizer, clock, rounding, also=also, groups=groups)


def _optimizer(config: Config) -> dict[str, float]:
    """The numbers of the optimizer that the file has."""
    keys = {"weight_decay": "weight_decay", "adam_beta1": "betas[0]"}
    return {name: config.number(key) for key, name in keys.items() if config.has(key)}


def _schedule(run: Run, name: str, options: Document) -> Document:
    """The schedule of a name. The options that it uses are removed."""
    config = run.config
    floor = config.number("cosine_min_lr_ratio", default=None)
    constant = config.number("cosine_constant_lr_ratio", default=None)
    squared = config.flag("lr_quadratic_warmup")
    if name == "rex":
        options.clear()
        return rex(run, floor or 0.0)
    if name != "cosine" or not (squared or floor):
        return named_schedule(run, name, options)
    options.clear()
    if squared:
        return quadratic(run)
    if constant:
        return cosine(_shortened(run, constant), 0.5, floor)
    return cosine(run, 0.5, floor)


def _shortened(run: Run, share: float) -> Run:
    """The run up to the step from which the lowest rate holds."""
    warmup, left = run.counted("cosine_constant_lr_ratio")
    total = int((warmup + left) * share)
    if total <= warmup:
        text = "the rate is at its lowest before the warm-up is over"
        raise run.config.refusal("unsupported-key", text, ("cosine_constant_lr_ratio",))
    return Run(run.config, run.lr, warmup, total, run.at)


def _restarted(run: Run, name: str, schedule: Document) -> Document:
    """A schedule with the warm-ups of `jagged_restart_steps`, if the file has them."""
    config = run.config
    period = config.whole("jagged_restart_steps", default=None)
    rises = config.whole("jagged_restart_warmup_steps", default=None) or 10
    falls = config.whole("jagged_restart_anneal_steps", default=None) or 1
    if not period:
        return schedule
    if name in ("one_cycle", "cosine_with_restarts") or rises + falls > period:
        text = "restarts of this schedule are not translated"
        raise config.refusal("unsupported-key", text, ("jagged_restart_steps",))
    scale = config.number("cosine_min_lr_ratio", default=None) or 0.001
    return jagged(schedule, period, rises, falls, scale, ahead=1 if name == "rex" else 0)


def _also(config: Config, momentum: Document | None) -> list[Document]:
    """The target of the momentum that one_cycle moves."""
    if momentum is None:
        return []
    if "adam" in config.text("optimizer", default="adamw_torch_fused"):
        return [{"set": "betas[0]", "schedule": momentum}]
    config.note("one_cycle also moves the momentum of the optimizer")
    return []


def _check(config: Config, left: Mapping[str, Any]) -> None:
    """Refuse arguments that the schedule does not have, and keys that change the rate."""
    for key in left:
        text = f"`{key}` is no argument of this schedule"
        raise config.refusal("unknown-key", text, (OPTIONS, key))
    check_deepspeed(config)
    plugins = config.peek("plugins")
    for plugin in plugins if isinstance(plugins, list) else []:
        if not str(plugin).startswith("axolotl.integrations."):
            config.note(f"a schedule that the plugin {plugin} may create")
    unrelated = [key for key in config.peek() if not OF_THE_RATE & {*str(key).split("_")}]
    config.check_keys(KEYS, allowed=[*unrelated, *UNRELATED])


def is_it(source: Source) -> bool:
    """Whether a file has the keys that every configuration of axolotl has."""
    value = source.value
    return isinstance(value, dict) and {"base_model", "micro_batch_size"} <= value.keys()


FORMAT = Format(
    title="axolotl",
    version="axolotl 0.19.0, transformers 5.23",
    marks="base_model with micro_batch_size",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
