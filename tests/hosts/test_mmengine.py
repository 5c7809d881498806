"""mmengine's Runner with `olm.train.hosts.mmengine.OlmScheduler` in its config."""

import json
import warnings
from io import BytesIO
from itertools import count

import pytest
import torch

import olm
from hosts import targets
from training import NESTED

with warnings.catch_warnings():
    # mmengine compiles functions with torch.jit as it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    from mmengine.config import Config
    from mmengine.evaluator import BaseMetric, Evaluator
    from mmengine.hooks import Hook
    from mmengine.model import BaseModel
    from mmengine.registry import PARAM_SCHEDULERS
    from mmengine.runner import Runner

# torch says so for every checkpoint that mmengine loads, see `loadable`.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD:UserWarning"
)

TYPE = "olm.train.hosts.mmengine.OlmScheduler"
COSINE = {"kind": "WarmupCosineScheduler", "warmup_steps": 3, "total_steps": 12, "min_lr": 1e-4}
WITH_PLATEAU = {
    "kind": "SequentialLR",
    "schedulers": [
        {"kind": "WarmupLR", "warmup_steps": 2},
        {"kind": "ReduceLROnPlateau", "mode": "max", "factor": 0.5, "patience": 0},
    ],
    "milestones": [2],
}
ITERATIONS, SAVED, BASES = 12, 6, [0.1, 0.1, 0.05, 0.05]
_runs = count()


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.first, self.last = torch.nn.Linear(3, 4), torch.nn.Linear(4, 1)

    def forward(self, inputs, targets, mode="tensor"):
        outputs = self.last(torch.tanh(self.first(inputs)))
        loss = ((outputs - targets) ** 2).mean()
        return {"loss": loss} if mode == "loss" else [loss]


class Loss(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.extend(data_samples)

    def compute_metrics(self, results):
        return {"loss": float(sum(results) / len(results))}


class Recorder(Hook):
    """The rates of every optimizer step, and each measured loss with the steps before it."""

    def __init__(self):
        self.rates, self.losses = [], []

    def before_train(self, runner):
        def record(optimizer, *_):
            self.rates.append([group["lr"] for group in optimizer.param_groups])

        runner.optim_wrapper.optimizer.register_step_pre_hook(record)

    def after_val_epoch(self, runner, metrics=None):
        self.losses.append((len(self.rates), metrics["loss"]))


@pytest.fixture(autouse=True)
def loadable(monkeypatch):
    """Let torch load the part of a checkpoint that mmengine pickles."""
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")


def a_runner(
    folder,
    spec,
    accumulate=1,
    iterations=ITERATIONS,
    val=None,
    resume=None,
    epochs=None,
    wrapper=None,
    hooks=(),
    **fields,
):
    torch.manual_seed(0)
    data = [(torch.randn(3), torch.randn(1)) for _ in range(16)]
    loader = {
        "dataset": data,
        "batch_size": 2,
        "num_workers": 0,
        "sampler": {"type": "InfiniteSampler", "shuffle": True},
        "collate_fn": {"type": "default_collate"},
    }
    if epochs is not None:
        loader |= {"sampler": {"type": "DefaultSampler", "shuffle": True}}
    recorder = Recorder()
    torch.manual_seed(1)
    validation = val and {
        "val_dataloader": loader | {"sampler": {"type": "DefaultSampler", "shuffle": False}},
        "val_cfg": {"type": "ValLoop"},
        "val_evaluator": Evaluator([Loss()]),
    }
    runner = Runner(
        model=Model(),
        work_dir=str(folder),
        train_dataloader=loader,
        train_cfg={
            "val_interval": val or 10**6,
            **({"max_iters": iterations} if epochs is None else {"max_epochs": epochs}),
            "by_epoch": epochs is not None,
        },
        optim_wrapper={
            "type": "OptimWrapper",
            "optimizer": {"type": "AdamW", "lr": 0.1},
            "paramwise_cfg": {"custom_keys": {"last": {"lr_mult": 0.5}}},
            "accumulative_counts": accumulate,
            **(wrapper or {}),
        },
        # A Config converts the dictionary to its own class, as it does for a file.
        param_scheduler=Config({"it": {"type": TYPE, "spec": spec, **fields}}).it,
        default_hooks={"checkpoint": {"type": "CheckpointHook", "by_epoch": False, "interval": 2}},
        custom_hooks=[recorder, *hooks],
        randomness={"seed": 1},
        experiment_name=f"run{next(_runs)}",
        log_level="ERROR",
        load_from=resume and str(resume),
        resume=resume is not None,
        **validation or {},
    )
    runner.recorder = recorder
    return runner


def trained(*args, **options):
    runner = a_runner(*args, **options)
    runner.train()
    return runner


def rates_of(spec, steps):
    schedule = olm.parse(spec).schedule
    return [[schedule.lr(step, base) for base in BASES] for step in range(steps)]


def same_weights(first, second):
    weights = second.model.state_dict()
    return all(torch.equal(value, weights[key]) for key, value in first.model.state_dict().items())


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("spec", [COSINE, NESTED], ids=["cosine", "nested"])
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path, spec, accumulate):
    whole = trained(tmp_path / "whole", spec, accumulate)
    resumed = trained(
        tmp_path / "resumed",
        spec,
        accumulate,
        resume=tmp_path / "whole" / f"iter_{SAVED}.pth",
    )
    steps, before = ITERATIONS // accumulate, SAVED // accumulate
    assert whole.recorder.rates == rates_of(spec, steps)
    assert resumed.recorder.rates == whole.recorder.rates[before:]
    assert len(resumed.recorder.rates) == steps - before
    assert same_weights(resumed, whole)
    assert resumed.param_schedulers[0].state_dict() == whole.param_schedulers[0].state_dict()
    assert resumed.param_schedulers[0].state_dict()["last_epoch"] == steps


def test_the_last_iterations_make_a_step_even_if_fewer_than_an_accumulation(tmp_path):
    runner = trained(tmp_path, COSINE, accumulate=5)
    assert runner.recorder.rates == rates_of(COSINE, 3)
    assert runner.param_schedulers[0].scheduler.last_epoch == 3


def test_a_metric_driven_schedule_observes_the_validation_and_resumes(tmp_path):
    whole = trained(tmp_path / "whole", WITH_PLATEAU, val=3, monitor="loss")
    # Not at a multiple of 3: mmengine saves before it validates, and does not validate again.
    checkpoint = tmp_path / "whole" / "iter_8.pth"
    resumed = trained(tmp_path / "resumed", WITH_PLATEAU, val=3, monitor="loss", resume=checkpoint)
    schedule, wanted, losses = olm.parse(WITH_PLATEAU).schedule, [], dict(whole.recorder.losses)
    assert list(losses) == [3, 6, 9, 12]
    for step in range(ITERATIONS):
        if step in losses:
            schedule = schedule.observe(losses[step], step)
        wanted.append([schedule.lr(step, base) for base in BASES])
    assert whole.recorder.rates == wanted
    assert len({tuple(rates) for rates in wanted[2:]}) > 1
    assert resumed.recorder.rates == wanted[8:]
    assert same_weights(resumed, whole)
    assert resumed.param_schedulers[0].state_dict() == whole.param_schedulers[0].state_dict()


def test_the_state_in_the_checkpoint_is_plain_and_rebuilds_the_scheduler(tmp_path):
    trained(tmp_path, NESTED, iterations=4)
    (state,) = torch.load(tmp_path / "iter_4.pth", weights_only=False)["param_schedulers"]
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    torch.save(state, buffer := BytesIO())
    buffer.seek(0)
    assert torch.load(buffer, weights_only=True) == state
    assert olm.parse(state).schedule == olm.parse(NESTED).schedule
    assert (state["last_epoch"], state["base_lrs"]) == (4, BASES)


def test_resuming_with_a_changed_spec_is_an_error_that_lists_the_differences(tmp_path):
    trained(tmp_path, COSINE, iterations=2)
    other = COSINE | {"total_steps": 24}
    runner = a_runner(tmp_path / "other", other, resume=tmp_path / "iter_2.pth")
    with pytest.raises(olm.StateError, match="total_steps: the checkpoint has 12, this scheduler"):
        runner.train()


@pytest.mark.parametrize(("side", "total"), [("spec", 24), ("checkpoint", 12)])
def test_with_on_change_the_run_continues(tmp_path, side, total):
    trained(tmp_path, COSINE, iterations=2)
    other, chosen = COSINE | {"total_steps": 24}, COSINE | {"total_steps": total}
    runner = trained(
        tmp_path / "other", other, resume=tmp_path / "iter_2.pth", iterations=6, on_change=side
    )
    assert runner.recorder.rates == rates_of(chosen, 6)[2:]


def test_the_base_rate_in_the_log_follows_the_schedule(tmp_path):
    runner = trained(tmp_path, COSINE, iterations=5)
    wanted = olm.parse(COSINE).schedule.lr(5, 0.1)
    assert runner.optim_wrapper.get_lr()["base_lr"] == [wanted]
    assert runner.param_schedulers[0].get_last_value() == rates_of(COSINE, 6)[5]


def test_a_spec_may_be_a_file_and_the_class_is_registered_by_its_name(tmp_path):
    path = tmp_path / "a.olm.yaml"
    path.write_text(json.dumps(COSINE))
    from olm.train.hosts.mmengine import OlmScheduler

    assert PARAM_SCHEDULERS.get("OlmScheduler") is OlmScheduler
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    config = {"type": "OlmScheduler", "spec": str(path), "optimizer": optimizer}
    scheduler = PARAM_SCHEDULERS.build(config)
    assert scheduler.scheduler.schedule == olm.parse(COSINE).schedule


def test_a_skipped_step_is_not_counted():
    from olm.train.hosts.mmengine import OlmScheduler

    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scheduler = OlmScheduler(optimizer, COSINE)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
    for factor, steps in [(1.0, 1), (float("inf"), 1), (1.0, 2)]:
        optimizer.zero_grad()
        scaler.scale((weight + 1) * factor).backward()
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
        assert scheduler.scheduler.last_epoch == steps


@pytest.mark.parametrize(
    ("spec", "fields", "message"),
    [
        (COSINE, {"by_epoch": True}, "by_epoch must be false or left out"),
        (COSINE, {"monitor": "loss"}, "WarmupCosineScheduler is not driven by a metric"),
        (WITH_PLATEAU, {}, "SequentialLR is driven by a metric and needs its name"),
        ({"kind": "LinearLR"}, {}, "total_steps"),
    ],
)
def test_unusable_arguments_are_an_error_before_the_optimizer_is_touched(spec, fields, message):
    from olm.train.hosts.mmengine import OlmScheduler

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    with pytest.raises(olm.OlmError, match=message):
        OlmScheduler(optimizer, spec, **fields)
    assert "initial_lr" not in optimizer.param_groups[0]


def test_a_missing_metric_is_an_error_that_lists_the_metrics():
    from olm.train.hosts.mmengine import OlmScheduler

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    scheduler = OlmScheduler(optimizer, {"kind": "ReduceLROnPlateau"}, monitor="loss")
    with pytest.raises(olm.OlmError, match="no metric `loss`, found accuracy, recall"):
        scheduler.step({"accuracy": 1.0, "recall": 0.5})


IN_DURATIONS = {"kind": "WarmupCosineScheduler", "warmup_steps": "10%", "total_steps": "100%"}
ITERATED = {"by_epoch": False}
EPOCHS = {"convert_to_iter_based": True, "epochs": 3}


def in_steps(length):
    """The schedule of `IN_DURATIONS` in a run of this length, and a warm-up of a tenth."""
    warmup = max(1, (length + 5) // 10)
    return {"kind": IN_DURATIONS["kind"], "warmup_steps": warmup, "total_steps": length}


@pytest.mark.parametrize(
    ("total", "fields", "length"),
    [
        ("100%", ITERATED, 12),
        # The last step has the remaining 2 batches.
        ("100%", ITERATED | {"accumulate": 5}, 3),
        # 16 samples are 8 batches.
        ("100%", EPOCHS, 24),
        ("3ep", EPOCHS, 24),
        ("100%", EPOCHS | {"accumulate": 5}, 5),
        ("48sp", EPOCHS | {"clock": {"samples_per_step": 2}}, 24),
        ("24sp", ITERATED | {"clock": {"samples_per_step": 2}}, 12),
    ],
)
def test_a_spec_in_durations_ends_with_the_run(tmp_path, total, fields, length):
    runner = trained(tmp_path, IN_DURATIONS | {"total_steps": total}, **fields)
    assert runner.recorder.rates == rates_of(in_steps(length), length)
    (scheduler,) = runner.param_schedulers
    assert scheduler.get_last_value() == [0.0] * 4


@pytest.mark.parametrize("fields", [ITERATED, EPOCHS], ids=["iterations", "epochs"])
def test_a_clock_overrides_the_runners_numbers(tmp_path, fields):
    clock = {"total_steps": 100, "steps_per_epoch": 10}
    spec = IN_DURATIONS | {"total_steps": "5ep"}
    (scheduler,) = trained(tmp_path, spec, clock=clock, **fields).param_schedulers
    schedule = scheduler.scheduler.schedule
    assert (schedule.warmup_steps, schedule.total_steps) == (10, 50)


@pytest.mark.parametrize(
    "fields", [{}, {"convert_to_iter_based": True}], ids=["nothing", "an epoch that is none"]
)
def test_a_run_length_that_the_runner_does_not_pass_is_an_error(tmp_path, fields):
    with pytest.raises(olm.SpecError, match="total_steps: 100% needs a clock with total_steps"):
        trained(tmp_path, IN_DURATIONS, **fields)


def test_resuming_with_a_longer_run_is_an_error_without_on_change(tmp_path):
    trained(tmp_path, IN_DURATIONS, **ITERATED)
    saved = tmp_path / f"iter_{SAVED}.pth"
    longer = {"iterations": 24, "resume": saved, **ITERATED}
    with pytest.raises(olm.StateError, match="of a run of another length"):
        trained(tmp_path / "refused", IN_DURATIONS, **longer)
    runner = trained(tmp_path / "chosen", IN_DURATIONS, on_change="spec", **longer)
    assert runner.recorder.rates == rates_of(in_steps(24), 24)[SAVED:]


@pytest.mark.parametrize("first", ["rate", "momentum"])
def test_a_momentum_scheduler_of_mmengine_is_built_before_or_after_it(first):
    from mmengine.optim import LinearMomentum

    from olm.train.hosts.mmengine import OlmScheduler

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    make = {
        "rate": lambda: OlmScheduler(optimizer, spec={"kind": "LinearLR", "total_steps": 10}),
        "momentum": lambda: LinearMomentum(optimizer, start_factor=0.5, end=10, by_epoch=False),
    }
    schedulers = [make[name]() for name in sorted(make, key=lambda name: name != first)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            optimizer.step()
            for scheduler in schedulers:
                scheduler.step()
    group = optimizer.param_groups[0]
    assert (group["lr"], group["momentum"]) == (0.8, pytest.approx(0.55))


class Valued(Hook):
    """Multiply the loss by a value of the document, log it, and record all numbers."""

    def __init__(self):
        self.seen, self.logged = [], []

    def before_train(self, runner):
        self.scheduler = runner.param_schedulers[0].scheduler

        def record(optimizer, *_):
            self.seen.append(numbers(optimizer, self.scheduler))

        runner.optim_wrapper.optimizer.register_step_pre_hook(record)
        runner.model.register_forward_hook(self.multiply)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        for name, number in self.scheduler.settings().items():
            runner.message_hub.update_scalar(f"train/{name}", number)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        scalars = runner.message_hub.log_scalars
        names = self.scheduler.settings()
        self.logged.append({name: scalars[f"train/{name}"].current() for name in names})

    def multiply(self, model, inputs, outputs):
        if isinstance(outputs, dict):
            return {"loss": outputs["loss"] * self.scheduler.values()["temp"]}
        return outputs


def numbers(optimizer, scheduler):
    """The numbers of the four param groups: weight and bias of the first layer, and of the last."""
    found = dict(scheduler.values())
    for name, group in zip(FOUR, optimizer.param_groups, strict=True):
        found[f"lr/{name}"], found[f"betas[0]/{name}"] = group["lr"], group["betas"][0]
        found[f"weight_decay/{name}"] = group["weight_decay"]
    return found


FOUR = ["first_weight", "first_bias", "last_weight", "last_bias"]
WRAPPER = {
    "optimizer": {"type": "AdamW", "lr": 0.1, "weight_decay": 0.1},
    "paramwise_cfg": {"custom_keys": {"last": {"lr_mult": 0.5}, "bias": {"decay_mult": 0.0}}},
}


def of_four(document):
    """A document for the param groups that mmengine makes, one for each parameter."""
    first, *others = document["also"]
    also = [{**first, "groups": "*_bias"}, *others]
    return {**document, "also": also, "param_groups": FOUR}


def formula_of_four(document, steps):
    # A parameter has the multipliers of one key, here of `bias` before those of `last`.
    own = {"lr": [0.1, 0.1, 0.05, 0.1], "weight_decay": [0.1, 0.0, 0.1, 0.0]}
    return targets.formula(document, steps, own | {"betas[0]": [0.9] * 4}, FOUR)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_targets_have_the_same_numbers_after_a_resume(tmp_path, accumulate):
    steps, before = ITERATIONS // accumulate, SAVED // accumulate
    document, hooks = of_four(targets.document(steps)), (Valued(), Valued())
    whole = trained(tmp_path / "whole", document, accumulate, wrapper=WRAPPER, hooks=hooks[:1])
    resumed = trained(
        tmp_path / "resumed",
        document,
        accumulate,
        wrapper=WRAPPER,
        hooks=hooks[1:],
        resume=tmp_path / "whole" / f"iter_{SAVED}.pth",
    )
    assert hooks[0].seen == formula_of_four(document, range(steps))
    assert hooks[1].seen == hooks[0].seen[before:]
    assert same_weights(resumed, whole)
    assert resumed.param_schedulers[0].state_dict() == whole.param_schedulers[0].state_dict()
    logged = hooks[0].logged[::accumulate]
    assert logged == [{key: pytest.approx(row[key]) for key in row} for row in hooks[0].seen]


def test_a_target_observes_the_monitored_metric_or_the_one_that_it_names(tmp_path):
    plateau = {"kind": "ReduceLROnPlateau", "mode": "max", "factor": 0.5, "patience": 0}
    document = {
        "kind": "HoldLR",
        "also": [
            {"set": "weight_decay", "schedule": plateau},
            {"value": "temp", "metric": "loss", "schedule": {**plateau, "factor": 0.1}},
        ],
    }
    options = {"val": 3, "wrapper": WRAPPER, "monitor": "loss"}
    hooks = Valued(), Valued()
    whole = trained(tmp_path / "whole", document, hooks=hooks[:1], **options)
    checkpoint = tmp_path / "whole" / "iter_8.pth"
    resumed = trained(tmp_path / "resumed", document, hooks=hooks[1:], resume=checkpoint, **options)
    assert len({row["temp"] for row in hooks[0].seen}) > 1
    decays = [row["weight_decay/first_weight"] for row in hooks[0].seen]
    assert len({*decays}) > 1
    assert hooks[1].seen == hooks[0].seen[8:]
    assert same_weights(resumed, whole)
    with pytest.raises(olm.OlmError, match="the schedule of weight_decay is driven by a metric"):
        trained(tmp_path / "without", document, wrapper=WRAPPER)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "no param group is called `disc`"),
        (
            {"param_groups": ["gen", "disc"]},
            "this one has no param groups for weight_decay of disc: write a document for each",
        ),
    ],
)
def test_a_target_of_another_optimizer_is_an_error_before_this_one_is_touched(keys, message):
    from olm.train.hosts.mmengine import OlmScheduler

    hold = {"kind": "HoldLR"}
    also = [{"set": "weight_decay", "groups": "disc", "schedule": hold}]
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "name": "gen"}], lr=0.1)
    before = [dict(group) for group in optimizer.param_groups]
    with pytest.raises(olm.OlmError, match=message):
        OlmScheduler(optimizer, {**hold, "also": also, **keys})
    assert optimizer.param_groups == before
