"""Megatron-LM: command lines, shell scripts, and YAML with the same arguments."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from olm.fields.durations import SAMPLE, exact
from olm.foreign.configs._arguments import LAUNCHERS, plain_name, processes, take_arguments
from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import base_rate, count
from olm.foreign.configs._formats import Format
from olm.foreign.configs._groups import REST, Group, own_rate
from olm.foreign.configs._megatron_curves import EASES, SHAPES, Curve
from olm.foreign.configs._source import Source
from olm.problem import Path

STYLES = ("constant", "linear", "cosine", "inverse-square-root", "WSD")

SUSPECT = names(
    "lr wd decay warmup rampup sched scheduler schedule batch iters iterations samples rate anneal",
    "annealing cooldown momentum cycle restart mup phase",
)
"""A key with one of these words may change the schedule; keys without any of them do not."""

HARMLESS = names(
    "apply_wd_to_qk_layernorm batch_size dino_warmup_teacher_temp fim_fragment_rate fim_rate",
    "dino_warmup_teacher_temp_epochs fim_spm_rate ft_num_warmup_iters grpo_iterations adam_beta2",
    "indexer_batch_size inference_batch_times_seqlen_threshold inference_max_batch_size",
    "inference_dynamic_batching_async_sched_mode inprocess_max_iterations lion_beta1 muon_momentum",
    "no_weight_decay_cond_type rl_generation_batch_size sample_rate batch_invariant_mode",
    "batch_p2p_comm batch_p2p_communication cuda_graph_warmup_steps error_injection_rate",
    "eval_global_batch_size eval_iters eval_micro_batch_size moe_router_bias_update_rate",
    "overlap_p2p_comm_warmup_flush override_opt_param_scheduler override_opt_param_scheduler",
    "log_learning_rate_to_tensorboard no_log_learning_rate_to_tensorboard seq_length",
    "log_batch_size_to_tensorboard phase_transition_iterations batch_invariant_backend",
    "mhc_sinkhorn_iterations mup_attn_scale_power mup_embedding_mult mup_output_mult",
    "mup_width_mult inprocess_restart no_batch_p2p_comm no_batch_p2p_sync",
)

KEYS = Keys(
    of="Megatron-LM",
    translated=names(
        "lr min_lr lr_decay_style lr_decay_iters lr_decay_samples lr_warmup_iters",
        "lr_warmup_samples lr_warmup_fraction lr_warmup_init lr_wsd_decay_style",
        "lr_wsd_decay_iters sgd_momentum lr_wsd_decay_samples train_iters train_samples",
        "global_batch_size micro_batch_size rampup_batch_size decoupled_lr decoupled_min_lr",
        "weight_decay start_weight_decay optimizer end_weight_decay weight_decay_incr_style",
        "adam_beta1 tensor_model_parallel_size pipeline_model_parallel_size",
        "context_parallel_size head_lr_mult",
    ),
    harmless=HARMLESS | LAUNCHERS,
    refused={
        "use_checkpoint_opt_param_scheduler": "takes the schedule from a checkpoint",
        "iterations_to_skip": "skips steps whose samples are counted",
        "step_batch_size_schedule": "changes the batch at listed samples, and is not translated",
        "decrease_batch_size_if_needed": "changes the batch by the number of processes",
        "train_tokens": "counts tokens, as a fork of Megatron-LM does",
        "lr_decay_tokens": "counts tokens, as a fork of Megatron-LM does",
        "lr_warmup_tokens": "counts tokens, as a fork of Megatron-LM does",
        "warmup": "is an old argument: Megatron-LM requires one of --lr-warmup-*",
        "use_mup": "multiplies the rates of the param groups",
    },
)


def translate(config: Config) -> Translation:
    """The scheduler that ``get_optimizer_param_scheduler`` makes of the arguments.

    Source: Megatron-LM with megatron-core 0.16.1, ``training/training.py``
    (``get_optimizer_param_scheduler``, ``update_train_iters``) and ``training/arguments.py``.
    """
    mapping, at = _arguments_of(config.peek())
    several = names("rampup_batch_size iterations_to_skip data_path split")
    take_arguments(config, mapping, (*config.root, *at), several=several)
    style = one_of(config, STYLES, "lr_decay_style", default="linear")
    lr = base_rate(config, "lr")
    low = config.number("min_lr", default=0.0)
    curve, clock = _curve(config, style)
    also, groups = _weight_decay(config, curve), list[Group]()
    optimizer = _optimizer(config)
    if config.has("decoupled_lr"):
        own = own_rate(config, "decoupled_lr")
        own_low = config.number("decoupled_min_lr", default=low)
        groups = [
            Group(REST, "the other parameters"),
            Group("decoupled", "the embedding and the output layer", ("decoupled_lr",), own),
        ]
        schedule = curve.schedule(own, own_low)
        also.append({"set": "lr", "groups": "decoupled", "schedule": schedule})
    elif config.has("decoupled_min_lr"):
        config.get("decoupled_min_lr")
    config.check_default(1, "multiplies the rate of some param groups", "head_lr_mult")
    config.check_keys(KEYS, allowed=filter(_is_unrelated, config.peek()))
    return Translation(curve.schedule(lr, low), lr, optimizer, clock, "nearest", also, groups)


def _is_unrelated(key: str) -> bool:
    """Whether nothing in the name of a key is about the schedule."""
    return not SUSPECT & set(key.split("_")) and key not in KEYS.refused


def _curve(config: Config, style: str) -> tuple[Curve, dict[str, Any]]:
    """The lengths of the curve, and the clock that counts them."""
    iters = config.option("total_steps") or _length(config, "train_iters")
    samples = None if iters else _length(config, "train_samples")
    if not iters and not samples:
        config.need("total_steps", "the length of the run", "train_iters")
    ramp, batch = _ramp(config), _batch(config)
    unit = "samples" if samples else "iters"
    total = int(samples or iters or 0)
    end = config.whole(f"lr_decay_{unit}", default=total)
    warmup, anneal = _lengths(config, style, unit, end)
    counts = [Fraction(end), warmup, Fraction(total), Fraction(anneal or 0)]
    if samples or ramp or style == "inverse-square-root" or any(c.denominator > 1 for c in counts):
        along = _along_samples(config, style, counts, unit, batch, ramp)
    else:
        along = False
    if along and not samples:
        counts = [count * (batch or 1) for count in counts]
    elif samples and not along:
        counts = [count / (batch or 1) for count in counts]
    counts = [_whole(config, count, "samples" if along else "steps") for count in counts]
    clock = _clock(config, int(total), bool(samples), batch, ramp)
    end_, warmup_, total_, anneal_ = map(int, counts)
    if warmup_ >= end_:
        raise config.refusal("type", "Megatron requires a warm-up shorter than the decay", ())
    if style == "WSD" and anneal_ > end_ - warmup_:
        text = "Megatron drops into the middle of a decay that begins in the warm-up"
        raise config.refusal("unsupported-key", text, (f"lr_wsd_decay_{unit}",))
    init = config.number("lr_warmup_init", default=0.0) if warmup_ else 0.0
    shape = one_of(config, SHAPES, "lr_wsd_decay_style", default="exponential") if anneal_ else ""
    return Curve(style, warmup_, end_, init, anneal_ or None, shape, along, total_), clock


def _length(config: Config, key: str) -> int | None:
    return count(config, key) if config.peek(key) else None


def _lengths(config: Config, style: str, unit: str, end: int) -> tuple[Fraction, int | None]:
    """The lengths of the warm-up and of the decay of WSD."""
    anneal = count(config, f"lr_wsd_decay_{unit}") if style == "WSD" else None
    share = config.number("lr_warmup_fraction", default=None)
    if (given := config.option("warmup_steps")) is not None:
        batch = _batch(config) if unit == "samples" else 1
        return Fraction(given * (batch or 1)), anneal
    if share is not None:
        return exact(share) * end, anneal
    return Fraction(config.whole(f"lr_warmup_{unit}", default=0)), anneal


def _along_samples(
    config: Config,
    style: str,
    counts: list[Fraction],
    unit: str,
    batch: int | None,
    ramp: list[int] | None,
) -> bool:
    """Whether the curve must count samples to be exact."""
    if batch is None:
        if style == "inverse-square-root" and counts[1] > 0 and unit == "iters" and not ramp:
            return any(count.denominator > 1 for count in counts)
        text = "the file does not specify global_batch_size, which counts the samples"
        hint = "add --global-batch-size, or give --world-size N for the micro-batches"
        raise config.refusal("needs-length", text, ("micro_batch_size",), hint)
    if ramp:
        return True
    if style == "inverse-square-root" and not (counts[1] and counts[0] >= counts[2]):
        # The root of a sample, and the fall a sample after the end.
        return True
    per_step = batch if unit == "samples" else 1
    # The length of the run is rounded down to whole steps anyway.
    return any((count / per_step).denominator > 1 for count in [*counts[:2], counts[3]])


def _whole(config: Config, count: Fraction, unit: str) -> Fraction:
    """A number of steps or samples, which must be whole."""
    if count.denominator == 1 or config.given.nearest:
        return Fraction(round(count))
    text = f"the warm-up takes {float(count):.12g} {unit}, which are not whole"
    hint = (
        f"--nearest accepts {round(count)}, which differs by {float(abs(count - round(count))):.3g}"
    )
    raise config.refusal("between-steps", text, ("lr_warmup_fraction",), hint)


def _ramp(config: Config) -> list[int] | None:
    """The start, the increment and the samples of a growing batch."""
    if not config.has("rampup_batch_size"):
        return None
    values = config.get("rampup_batch_size")
    if not isinstance(values, list) or len(values) != 3:
        text = "`rampup_batch_size` must be three numbers: start, increment, samples"
        raise config.refusal("type", text, ("rampup_batch_size",))
    return [int(config.whole("rampup_batch_size", place)) for place in range(3)]


def _batch(config: Config) -> int | None:
    """The samples of a step, if they are known."""
    if config.has("global_batch_size"):
        return count(config, "global_batch_size")
    world = processes(config) if config.has("micro_batch_size") else None
    if world is None:
        return None
    for size in ("tensor", "pipeline"):
        world //= count(config, f"{size}_model_parallel_size", default=1)
    world //= count(config, "context_parallel_size", default=1)
    if world < 1:
        text = "there are fewer processes than a copy of the model takes"
        raise config.refusal("type", text, ("micro_batch_size",))
    return count(config, "micro_batch_size") * world


def _clock(
    config: Config, total: int, in_samples: bool, batch: int | None, ramp: list[int] | None
) -> dict[str, Any]:
    """The clock of the run."""
    tokens = config.whole("seq_length", default=None)
    known = {} if tokens is None else {"tokens_per_sample": tokens}
    if ramp:
        start, by, over = ramp
        samples = f"{total}{SAMPLE.suffix}"
        length = {"total_steps": samples, "rounding": "down"} if in_samples else {}
        grown = {"start": start, "end": batch, "by": by, "over": f"{over}{SAMPLE.suffix}"}
        return {**(length or {"total_steps": total}), **known, "batch_ramp": grown}
    if batch is None:
        return {"total_steps": total}
    # Megatron throws the last batch away if it is not whole.
    steps = total // batch if in_samples else total
    return {"total_steps": steps, "samples_per_step": batch, **known}


def _weight_decay(config: Config, curve: Curve) -> list[dict[str, Any]]:
    """The target that schedules the weight decay, if it changes."""
    style = one_of(config, ["constant", *EASES], "weight_decay_incr_style", default="constant")
    if style == "constant":
        return []
    start, end = config.number("start_weight_decay"), config.number("end_weight_decay")
    if start == end:
        return []
    if not 0 <= start < end:
        text = "Megatron requires that the weight decay rises"
        raise config.refusal("type", text, ("end_weight_decay",))
    return [{"set": "weight_decay", "schedule": curve.weight_decay(start, end, style)}]


def _optimizer(config: Config) -> dict[str, Any]:
    """The numbers of the optimizer besides the rate."""
    ends = config.has("end_weight_decay")
    decay = config.number(*(("end_weight_decay",) if ends else ("weight_decay",)), default=0.01)
    numbers: dict[str, Any] = {"weight_decay": decay}
    if config.has("sgd_momentum") and config.text("optimizer", default="adam") == "sgd":
        numbers["momentum"] = config.number("sgd_momentum")
    elif config.has("adam_beta1"):
        second = config.number("adam_beta2", default=0.999)
        numbers["betas"] = [config.number("adam_beta1"), second]
    return numbers


def _arguments_of(value: Mapping[str, Any]) -> tuple[dict[str, Any], Path]:
    """The arguments, and where they are: at the root, or in sections of a YAML."""
    if _has_mark(value):
        return dict(value), ()
    for name, section in value.items():
        if _is_section(name, section):
            others = [
                part
                for part in value.values()
                if isinstance(part, dict) and KEYS.translated & {*map(plain_name, map(str, part))}
            ]
            merged = {key: item for part in others for key, item in part.items()}
            return {**merged, **section}, (name,) if len(others) == 1 else ()
    return dict(value), ()


def _has_mark(value: Any) -> bool:
    return isinstance(value, dict) and "lr_decay_style" in {plain_name(str(key)) for key in value}


def _is_section(name: str, section: Any) -> bool:
    # The schedules of nanotron are in such a section.
    return name != "learning_rate_scheduler" and _has_mark(section)


def is_it(source: Source) -> bool:
    """Whether there is ``--lr-decay-style``, or ``lr_decay_style`` in a YAML or a section of it."""
    value = source.value
    if not isinstance(value, dict) or source.form not in ("shell", "yaml"):
        return False
    return _has_mark(value) or any(_is_section(str(name), part) for name, part in value.items())


FORMAT = Format(
    title="Megatron-LM",
    version="megatron-core 0.16.1",
    marks="--lr-decay-style",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
