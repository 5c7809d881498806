"""ultralytics' training arguments, of which only those without a warm-up have one schedule."""

from __future__ import annotations

from collections.abc import Iterator

from olm.fields.durations import EPOCH
from olm.foreign.configs._config import Config, Keys, Refusal, Translation, names
from olm.foreign.configs._documents import Document, ramp
from olm.foreign.configs._formats import Format
from olm.foreign.configs._source import Source
from olm.problem import Path, Problem, listed

OPTIMIZERS = names("SGD Adam Adamax AdamW NAdam RAdam RMSProp")
"""The optimizers whose parameters all have the rate ``lr0``; their names are read in any case."""


def translate(config: Config) -> Translation:
    """The schedule of a run without a warm-up, whose rate is that of its epoch.

    Source: ultralytics 8.4.190, ``engine/trainer.py``: ``_setup_scheduler``, ``_do_train``,
    ``_get_warmup_iterations`` and ``build_optimizer``.

    Raises:
        Refusal: with every reason why there is not one schedule.
    """
    _refuse(config)
    lr = config.option("learning_rate") or config.number("lr0", default=0.01)
    epochs = config.whole("epochs", default=100)
    end = config.number("lrf", default=0.01)
    shape = {"ease": "cosine"} if config.flag("cos_lr") else {}
    curve = ramp(f"{epochs}{EPOCH.suffix}", end_factor=end, **shape)
    schedule: Document = {"kind": "TimeLR", "every": "1ep", "scheduler": curve}
    per_epoch = config.option("steps_per_epoch")
    clock = {"steps_per_epoch": per_epoch} if per_epoch else {}
    optimizer = config.text("optimizer").lower()
    momentum = "momentum" if optimizer in ("sgd", "rmsprop") else "betas[0]"
    numbers = {momentum: config.number("momentum", default=0.937)}
    config.note("weight_decay, which ultralytics multiplies by batch / nbs")
    config.check_keys(KEYS)
    return Translation(schedule, lr, numbers, clock)


def _refuse(config: Config) -> None:
    """Refuse what makes several curves of one, or a step of several batches.

    Raises:
        Refusal: with every such key.
    """
    problems: list[Problem] = []
    for code, path, text, hint in _reasons(config):
        problems += config.refusal(code, text, path, hint).problems
    if problems:
        raise Refusal(problems)


def _reasons(config: Config) -> Iterator[tuple[str, Path, str, str]]:
    """Why a configuration has no schedule of steps: codes, keys, messages and hints."""
    optimizer = str(config.peek("optimizer", default="auto"))
    if optimizer.lower() == "auto":
        text = (
            "with `optimizer: auto`, ultralytics chooses the optimizer and the rate by the data "
            "set, and ignores lr0 and momentum"
        )
        yield "auto-value", ("optimizer",), text, f"name one of {listed(sorted(OPTIMIZERS), 'or')}"
    elif optimizer.lower() not in map(str.lower, OPTIMIZERS):
        text = f"`optimizer: {optimizer}` has rates of its own"
        yield "not-one-schedule", ("optimizer",), text, ""
    batch, nominal = config.number("batch", default=16), config.number("nbs", default=64)
    several = max(round(nominal / batch), 1) if batch >= 1 else 1
    # The last epoch is never part of the warm-up.
    if config.number("warmup_epochs", default=3.0) > 0 and config.peek("epochs") != 1:
        grows = "a step has ever more batches, " if several > 1 else ""
        text = (
            f"during the warm-up {grows}biases begin at warmup_bias_lr and other parameters at 0, "
            "and momentum rises from warmup_momentum"
        )
        code = "varying-batch" if several > 1 else "not-one-schedule"
        yield code, ("warmup_epochs",), text, "with `warmup_epochs: 0` there is one curve"
    if batch < 1:
        text = "ultralytics chooses the batch by the memory of the device"
        yield "auto-value", ("batch",), text, "give the batch as a whole number"
    elif several > 1:
        text = (
            f"a step has {several} batches, nbs / batch, and an epoch may end between two steps, "
            "but the rate changes with epochs"
        )
        yield "interval", ("batch",), text, "with nbs equal to batch, a step is a batch"
    if config.peek("time"):
        text = "`time` ends the run after some hours, and changes the number of epochs"
        yield "needs-length", ("time",), text, ""


KEYS = Keys(
    of="ultralytics' arguments",
    translated=names(
        "lr0 lrf cos_lr epochs optimizer momentum weight_decay warmup_epochs warmup_momentum",
        "warmup_bias_lr batch nbs time",
    ),
    harmless=names(
        "task mode model data imgsz save save_period cache device workers project name exist_ok",
        "pretrained verbose seed deterministic single_cls rect close_mosaic resume amp fraction",
        "profile freeze multi_scale compile overlap_mask mask_ratio dropout val split save_json",
        "conf iou max_det half dnn plots end2end box cls dfl pose kobj rle angle cls_pw patience",
        "hsv_h hsv_s hsv_v degrees translate scale shear perspective flipud fliplr bgr mosaic",
        "mixup cutmix copy_paste copy_paste_mode auto_augment erasing augmentations cfg tracker",
        "save_dir source vid_stride stream_buffer visualize augment agnostic_nms classes",
        "retina_masks embed show save_frames save_txt save_conf save_crop show_labels show_conf",
        "show_boxes line_width format keras optimize int8 dynamic simplify opset workspace nms",
        "save_hybrid label_smoothing channels_last distill_model quantize crop_fraction",
        "cls_remap dis dlog dgrad dlam",
    ),
)


def is_it(source: Source) -> bool:
    """Whether a file has the rates of ultralytics."""
    return source.has("lr0") and source.has("lrf")


FORMAT = Format(
    title="ultralytics",
    version="ultralytics 8.4.190",
    marks="lr0 with lrf",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
