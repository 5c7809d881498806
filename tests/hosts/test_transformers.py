"""A transformers Trainer that resumes has the rates and weights of an uninterrupted one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

import olm
from hosts import targets
from olm.train.hosts.transformers import with_schedule

BASE = 0.05
STEPS = 12
STOP = 5

COSINE = {"kind": "WarmupCosineScheduler", "warmup_steps": 3, "total_steps": STEPS, "min_lr": 1e-3}
NESTED = {
    "kind": "SequentialLR",
    "milestones": [2, 7],
    "schedulers": [
        {"kind": "WarmupLR", "warmup_steps": 2},
        {
            "kind": "SequentialLR",
            "milestones": [2],
            "schedulers": [{"kind": "HoldLR"}, {"kind": "CosineAnnealingLR", "T_max": 3}],
        },
        {"kind": "LinearLR", "total_steps": 5, "start_factor": 0.5},
    ],
}
DOCUMENTS = [pytest.param(COSINE, id="cosine"), pytest.param(NESTED, id="nested")]


def growing(steps):
    return {"kind": "WarmupCosineScheduler", "warmup_steps": steps // 4, "total_steps": steps}


class Model(torch.nn.Module):
    """A model with dropout, so the weights differ if the generator was not resumed."""

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1)
        )

    def forward(self, x, labels):
        out = self.layers(x).squeeze(-1)
        return {"loss": torch.nn.functional.mse_loss(out, labels), "logits": out}


class Recorder(TrainerCallback):
    """Record the rate of every optimizer step and every metric, and stop a run half way."""

    def __init__(self, stop):
        self.rates, self.metrics, self.stop = [], [], stop

    def on_pre_optimizer_step(self, args, state, control, optimizer, **kwargs):
        self.rates.append([group["lr"] for group in optimizer.param_groups])

    def on_evaluate(self, args, state, control, metrics, **kwargs):
        self.metrics.append(metrics["eval_loss"])

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop |= state.global_step == self.stop


def data():
    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn(24, 4, generator=generator)
    return [{"x": x, "labels": x.sum()} for x in inputs]


def arguments(folder, **options):
    return TrainingArguments(
        **{
            "output_dir": folder,
            "learning_rate": BASE,
            "max_steps": STEPS,
            "per_device_train_batch_size": 4,
            "save_steps": STOP,
            "report_to": "none",
            "use_cpu": True,
            "disable_tqdm": True,
            "logging_strategy": "no",
            **options,
        }
    )


def trainer_of(folder, kind, *, stop=None, seed=0, recorder=None, optimizers=None, **options):
    """A trainer built from scratch; it shares only the folder with others."""
    model = Model(seed)
    return kind(
        model=model,
        args=arguments(folder, **options),
        train_dataset=data(),
        eval_dataset=data()[:8],
        callbacks=[recorder or Recorder(stop)],
        optimizers=optimizers(model) if optimizers else (None, None),
    )


def train(folder, kind, *, stop=None, resume=None, seed=0, recorder=None, **options):
    """The results to compare: rates, metrics, weights and the scheduler."""
    recorder = recorder or Recorder(stop)
    trainer = trainer_of(folder, kind, seed=seed, recorder=recorder, **options)
    trainer.train(resume_from_checkpoint=resume)
    return recorder, trainer.model.state_dict(), trainer.lr_scheduler


def both(tmp_path, kind, **options):
    """A run that is never stopped, and the two halves of one that is."""
    whole = train(tmp_path / "whole", kind, **options)
    first = train(tmp_path / "half", kind, stop=STOP, **options)
    # Another seed: only the checkpoint can give the right weights.
    second = train(tmp_path / "half", kind, resume=True, seed=1, **options)
    return whole, first, second


def assert_same(whole, first, second):
    assert len(first[0].rates) == STOP
    assert first[0].rates + second[0].rates == whole[0].rates
    assert first[0].metrics + second[0].metrics == whole[0].metrics
    assert list(second[1]) == list(whole[1])
    assert all(torch.equal(second[1][name], whole[1][name]) for name in whole[1])
    assert second[2].state_dict() == whole[2].state_dict()


def rates(document, steps=STEPS, base=BASE):
    schedule = olm.parse(document).schedule
    return [schedule.lr(step, base) for step in range(steps)]


def scheduled_by(document):
    """A function that creates the optimizer and the scheduler for a trainer."""

    def optimizers(model):
        halves = [{"params": model.layers[0].parameters(), "lr": BASE / 10}]
        halves.append({"params": model.layers[2].parameters()})
        optimizer = torch.optim.AdamW(halves, lr=BASE)
        return optimizer, olm.build(document, optimizer)

    return optimizers


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("accumulated", [1, 2])
def test_a_scheduler_passed_to_the_trainer_resumes_bit_for_bit(tmp_path, document, accumulated):
    runs = both(
        tmp_path,
        Trainer,
        optimizers=scheduled_by(document),
        gradient_accumulation_steps=accumulated,
    )
    assert_same(*runs)
    slow, fast = rates(document, base=BASE / 10), rates(document)
    assert runs[0][0].rates == [list(pair) for pair in zip(slow, fast, strict=True)]
    assert runs[0][2].last_epoch == STEPS


@pytest.mark.parametrize(
    ("spec", "document"),
    [
        pytest.param(growing, growing(STEPS), id="function"),
        pytest.param(NESTED, NESTED, id="mapping"),
    ],
)
@pytest.mark.parametrize("accumulated", [1, 2])
def test_a_trainer_builds_its_scheduler_from_a_spec_and_resumes_bit_for_bit(
    tmp_path, spec, document, accumulated
):
    kind = with_schedule(Trainer, spec)
    runs = both(tmp_path, kind, gradient_accumulation_steps=accumulated)
    assert_same(*runs)
    assert runs[0][0].rates == [[rate, rate] for rate in rates(document)]


def test_a_trainer_that_counts_epochs_computes_the_number_of_steps(tmp_path):
    kind = with_schedule(Trainer, growing)
    options = {"max_steps": -1, "num_train_epochs": 3, "gradient_accumulation_steps": 2}
    recorder, _, scheduler = train(tmp_path, kind, **options)
    # 24 samples are 6 batches, 2 of them per step.
    assert scheduler.schedule.total_steps == 9
    assert recorder.rates == [[rate, rate] for rate in rates(growing(9), 9)]


def test_on_two_processes_a_step_is_an_optimizer_step_too(tmp_path):
    worker = Path(__file__).with_name("transformers_worker.py")
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    path = os.pathsep.join([str(worker.parents[1]), os.environ.get("PYTHONPATH", "")])
    here = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    command = [sys.executable, *launch, str(worker), str(tmp_path)]
    done = subprocess.run(command, env=os.environ | here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for rank in range(2):
        results = json.loads((tmp_path / f"rank{rank}.json").read_text())
        assert results["processes"] == 2
        assert results["rates"] == [[rate, rate] for rate in rates(growing(STEPS))]
        assert results["last_epoch"] == STEPS


def test_a_spec_may_be_a_file(tmp_path):
    path = tmp_path / "run.olm.yaml"
    path.write_text("{kind: LinearLR, total_steps: 12}")
    recorder, _, _ = train(tmp_path, with_schedule(Trainer, path))
    document = {"kind": "LinearLR", "total_steps": 12}
    assert recorder.rates == [[rate, rate] for rate in rates(document)]


PLATEAU = {"kind": "ReduceLROnPlateau", "patience": 0, "factor": 0.5, "threshold": 0.7}
"""With so large a threshold, many evaluations are no better."""

EVALUATED = {"eval_strategy": "steps", "eval_steps": 2, "metric_for_best_model": "loss"}


def observed(document, metrics, *, stepping):
    """The rates of the formula alone: after every second step a metric is observed."""
    schedule, found, position = olm.parse(document).schedule, [], 0
    for step in range(STEPS):
        found.append(schedule.lr(position, BASE))
        position += stepping
        if step % 2 == 1:
            schedule = schedule.observe(metrics[step // 2], position)
            position += not stepping
    return found


@pytest.mark.parametrize("given", [True, False])
def test_a_plateau_steps_at_every_evaluation_and_resumes_bit_for_bit(tmp_path, given):
    options = {**EVALUATED}
    if given:
        options["optimizers"] = lambda model: (
            optimizer := torch.optim.AdamW(model.parameters(), lr=BASE),
            olm.build(PLATEAU, optimizer),
        )
    kind = Trainer if given else with_schedule(Trainer, PLATEAU)
    whole, first, second = both(tmp_path, kind, **options)
    assert_same(whole, first, second)
    found = [row[0] for row in whole[0].rates]
    assert found == observed(PLATEAU, whole[0].metrics, stepping=False)
    assert len(set(found)) > 2
    assert whole[2].last_epoch == STEPS // 2


def test_a_plateau_after_a_warm_up_observes_the_metric_and_resumes_bit_for_bit(tmp_path):
    document = {
        "kind": "SequentialLR",
        "milestones": [3],
        "schedulers": [{"kind": "WarmupLR", "warmup_steps": 3}, PLATEAU],
    }
    whole, first, second = both(tmp_path, with_schedule(Trainer, document), **EVALUATED)
    assert_same(whole, first, second)
    found = [row[0] for row in whole[0].rates]
    assert found == observed(document, whole[0].metrics, stepping=True)
    assert len(set(found[3:])) > 2
    assert whole[2].last_epoch == STEPS


@pytest.mark.parametrize("kind", ["ReduceLROnPlateau", "ChainedScheduler"])
def test_a_metric_without_a_name_is_an_error_before_the_first_step(tmp_path, kind):
    document = PLATEAU if kind == PLATEAU["kind"] else {"kind": kind, "schedulers": [PLATEAU]}
    trainer = trainer_of(tmp_path, with_schedule(Trainer, document))
    with pytest.raises(
        olm.OlmError, match=f"{kind} is driven by a metric: set metric_for_best_model"
    ):
        trainer.train()


def test_a_missing_metric_is_an_error_that_lists_the_metrics(tmp_path):
    document = {"kind": "ChainedScheduler", "schedulers": [PLATEAU]}
    options = EVALUATED | {"metric_for_best_model": "accuracy"}
    trainer = trainer_of(tmp_path, with_schedule(Trainer, document), **options)
    with pytest.raises(olm.OlmError, match="there is no eval_accuracy, found eval_loss"):
        trainer.train()


def resumed(folder, kind, **options):
    """A trainer that resumes from a folder, for twice as many steps."""
    return trainer_of(folder, kind, seed=1, max_steps=2 * STEPS, **options)


def test_resuming_with_another_number_of_steps_is_an_error_that_lists_the_differences(tmp_path):
    kind = with_schedule(Trainer, growing)
    train(tmp_path, kind, stop=STOP)
    trainer = resumed(tmp_path, kind, learning_rate=BASE / 2)
    with pytest.raises(olm.StateError) as caught:
        trainer.train(resume_from_checkpoint=True)
    assert str(caught.value).splitlines()[:5] == [
        "this state is of another schedule",
        "  warmup_steps: the checkpoint has 3, this scheduler 6",
        "  total_steps: the checkpoint has 12, this scheduler 24",
        f"  base_lrs[0]: the checkpoint has {BASE}, this scheduler {BASE / 2}",
        f"  base_lrs[1]: the checkpoint has {BASE}, this scheduler {BASE / 2}",
    ]


def test_resuming_with_another_scheduler_passed_to_the_trainer_is_an_error(tmp_path):
    train(tmp_path, Trainer, stop=STOP, optimizers=scheduled_by(COSINE))
    longer = {**COSINE, "total_steps": 24}
    trainer = resumed(tmp_path, Trainer, optimizers=scheduled_by(longer))
    with pytest.raises(olm.StateError, match="total_steps: the checkpoint has 12, this scheduler"):
        trainer.train(resume_from_checkpoint=True)


@pytest.mark.parametrize(
    ("on_change", "document", "base"),
    [("spec", growing(2 * STEPS), BASE / 2), ("checkpoint", growing(STEPS), BASE)],
)
def test_with_on_change_the_run_continues_from_the_same_step(tmp_path, on_change, document, base):
    train(tmp_path, with_schedule(Trainer, growing), stop=STOP)
    kind = with_schedule(Trainer, growing, on_change=on_change)
    recorder, _, scheduler = train(
        tmp_path, kind, resume=True, max_steps=2 * STEPS, learning_rate=base
    )
    wanted = rates(document, 2 * STEPS, base)[STOP:]
    assert recorder.rates == [[rate, rate] for rate in wanted]
    assert olm.parse(scheduler.state_dict()).schedule == olm.parse(document).schedule


@pytest.mark.parametrize("name", ["scheduler.pt", "optimizer.pt"])
def test_a_checkpoint_without_one_of_the_two_files_is_an_error(tmp_path, name):
    kind = with_schedule(Trainer, growing)
    train(tmp_path, kind, stop=STOP)
    (tmp_path / f"checkpoint-{STOP}" / name).unlink()
    trainer = trainer_of(tmp_path, kind)
    with pytest.raises(olm.StateError, match=f"has no {name}, so the schedule would start again"):
        trainer.train(resume_from_checkpoint=True)


def test_a_checkpoint_of_transformers_own_scheduler_with_other_rates_is_an_error(tmp_path):
    train(tmp_path, Trainer, stop=STOP)
    trainer = trainer_of(tmp_path, with_schedule(Trainer, growing))
    with pytest.raises(olm.StateError, match=r"LambdaLR set the rates .* at step 5, where Warmup"):
        trainer.train(resume_from_checkpoint=True)


def test_a_checkpoint_of_transformers_own_scheduler_with_the_same_rates_resumes(tmp_path):
    train(tmp_path, Trainer, stop=STOP)
    linear = {"kind": "LinearLR", "total_steps": STEPS}
    recorder, _, _ = train(tmp_path, with_schedule(Trainer, linear), resume=True, seed=1)
    assert recorder.rates == [[rate, rate] for rate in rates(linear)[STOP:]]


def test_the_checkpoint_holds_the_state_in_plain_values(tmp_path):
    train(tmp_path, with_schedule(Trainer, NESTED), stop=STOP)
    file = tmp_path / f"checkpoint-{STOP}" / "scheduler.pt"
    state = torch.load(file, weights_only=True)
    assert olm.parse(state).model_dump() == state
    assert state["last_epoch"] == STOP
    assert {key: state[key] for key in NESTED} == olm.parse(NESTED).model_dump()


def test_a_second_training_starts_a_new_schedule(tmp_path):
    recorder = Recorder(None)
    trainer = trainer_of(tmp_path, with_schedule(Trainer, growing), recorder=recorder)
    trainer.train()
    trainer.train()
    assert recorder.rates == [[rate, rate] for rate in rates(growing(STEPS)) * 2]


def test_a_spec_and_a_scheduler_for_the_same_trainer_are_an_error(tmp_path):
    trainer = trainer_of(tmp_path, with_schedule(Trainer, growing), optimizers=scheduled_by(COSINE))
    with pytest.raises(olm.OlmError, match="the trainer was given a scheduler and a spec"):
        trainer.train()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"warmup_steps": 3}, "warmup_steps"),
        ({"warmup_steps": 0.1}, "warmup_steps"),
        ({"lr_scheduler_type": "cosine", "warmup_steps": 3}, "lr_scheduler_type, warmup_steps"),
        ({"lr_scheduler_kwargs": {"num_cycles": 2}}, "lr_scheduler_kwargs"),
    ],
)
def test_a_spec_and_a_schedule_in_the_arguments_are_an_error(options, named, tmp_path):
    trainer = trainer_of(tmp_path, with_schedule(Trainer, growing), **options)
    with pytest.raises(olm.OlmError) as error:
        trainer.train()
    assert str(error.value) == (f"TrainingArguments: leave out {named}: the spec has the schedule")


def test_the_defaults_of_the_arguments_may_be_written_out(tmp_path):
    options = {"lr_scheduler_type": "linear", "warmup_steps": 0, "lr_scheduler_kwargs": {}}
    trainer_of(tmp_path, with_schedule(Trainer, growing), **options).train()


def test_an_invalid_spec_is_an_error_before_the_first_step(tmp_path):
    wrong = {"kind": "WarmupCosineScheduler", "warmup_steps": 12, "total_steps": STEPS}
    recorder = Recorder(None)
    trainer = trainer_of(tmp_path, with_schedule(Trainer, wrong), recorder=recorder)
    with pytest.raises(olm.SpecError, match="warmup_steps"):
        trainer.train()
    assert recorder.rates == []


def test_the_subclass_has_the_name_of_the_trainer():
    kind = with_schedule(Trainer, growing)
    assert issubclass(kind, Trainer)
    assert kind.__name__ == "Trainer"


IN_EPOCHS = {"kind": "WarmupCosineScheduler", "warmup_steps": "10%", "total_steps": "3ep"}
BY_EPOCHS = {"max_steps": -1, "num_train_epochs": 3, "gradient_accumulation_steps": 4}


@pytest.mark.parametrize(
    ("total", "options", "length"),
    [
        # 24 samples are 6 batches of 4 samples: a step of 4 batches and a step of 2.
        ("3ep", BY_EPOCHS, 6),
        ("100%", BY_EPOCHS, 6),
        ("72sp", {"max_steps": 9, "per_device_train_batch_size": 8}, 9),
        ("144sp", {"max_steps": 9, "gradient_accumulation_steps": 4}, 9),
        ("720tok", {"max_steps": 9}, 9),
    ],
)
def test_a_spec_in_durations_ends_with_the_run_of_the_trainer(tmp_path, total, options, length):
    spec = IN_EPOCHS | {"total_steps": total}
    kind = with_schedule(Trainer, spec, clock=olm.Clock(tokens_per_step=80))
    recorder, _, scheduler = train(tmp_path, kind, **options)
    in_steps = {"kind": IN_EPOCHS["kind"], "warmup_steps": 1, "total_steps": length}
    assert recorder.rates == [[rate, rate] for rate in rates(in_steps, length)]
    assert scheduler.last_epoch == length == scheduler.schedule.total_steps
    assert scheduler.get_last_lr() == [0.0, 0.0]


def test_a_clock_overrides_the_trainers_numbers(tmp_path):
    clock = olm.Clock(total_steps=100, steps_per_epoch=7)
    kind = with_schedule(Trainer, IN_EPOCHS, clock=clock)
    *_, scheduler = train(tmp_path, kind, **BY_EPOCHS)
    assert (scheduler.schedule.warmup_steps, scheduler.schedule.total_steps) == (10, 21)


def test_resuming_with_a_longer_run_is_an_error_without_on_change(tmp_path):
    spec = {"kind": "WarmupCosineScheduler", "warmup_steps": "25%", "total_steps": "100%"}
    train(tmp_path, with_schedule(Trainer, spec), stop=STOP)
    longer = {"max_steps": 2 * STEPS, "resume": True}
    with pytest.raises(olm.StateError, match="of a run of another length\n  warmup_steps: the"):
        train(tmp_path, with_schedule(Trainer, spec), **longer)
    kind = with_schedule(Trainer, spec, on_change="spec")
    recorder, _, _ = train(tmp_path, kind, **longer)
    wanted = rates(growing(2 * STEPS), 2 * STEPS)[STOP:]
    assert recorder.rates == [[rate, rate] for rate in wanted]


class Stream(torch.utils.data.IterableDataset):
    """A stream of samples, without a length."""

    def __iter__(self):
        yield from data()


def test_epochs_of_a_stream_are_an_error(tmp_path):
    kind = with_schedule(Trainer, IN_EPOCHS)
    trainer = kind(model=Model(0), args=arguments(tmp_path), train_dataset=Stream())
    with pytest.raises(olm.SpecError, match="total_steps: 3ep needs a clock with steps_per_epoch"):
        trainer.train()


class Valued(Trainer):
    """A trainer whose loss is multiplied by a value of the document."""

    def compute_loss(self, *args, return_outputs=False, **options):
        loss = super().compute_loss(*args, return_outputs=return_outputs, **options)
        return loss if return_outputs else loss * self.lr_scheduler.values()["temp"]


class Numbers(Recorder):
    """Record the numbers of every optimizer step, and those that the scheduler reports."""

    def on_pre_optimizer_step(self, args, state, control, optimizer, lr_scheduler, **kwargs):
        self.rates.append(targets.numbers(optimizer.param_groups, lr_scheduler))
        assert lr_scheduler.settings().items() <= self.rates[-1].items()


def decayed(model):
    """An optimizer with the param groups of `targets`."""
    first, last = model.layers[0], model.layers[2]
    weights, biases = [first.weight, last.weight], [first.bias, last.bias]
    return torch.optim.AdamW(targets.groups_of(weights, biases))


def train_with_targets(folder, kind, *, stop=None, **options):
    return train(folder, kind, recorder=Numbers(stop), **options)


@pytest.mark.parametrize("adapted", [True, False], ids=["with_schedule", "passed"])
@pytest.mark.parametrize("accumulated", [1, 2])
def test_targets_have_the_same_numbers_after_a_resume(tmp_path, adapted, accumulated):
    document = targets.document(STEPS)

    def optimizers(model):
        optimizer = decayed(model)
        return optimizer, None if adapted else olm.build(document, optimizer)

    kind = with_schedule(Valued, document) if adapted else Valued
    options = {"optimizers": optimizers, "gradient_accumulation_steps": accumulated}
    whole = train_with_targets(tmp_path / "whole", kind, **options)
    first = train_with_targets(tmp_path / "half", kind, stop=STOP, **options)
    second = train_with_targets(tmp_path / "half", kind, resume=True, seed=1, **options)
    assert_same(whole, first, second)
    assert whole[0].rates == targets.formula(document, range(STEPS))


def test_the_groups_of_the_trainers_own_optimizer_take_the_names_of_the_document(tmp_path):
    document = targets.document(STEPS)
    options = {"weight_decay": 0.1, "adam_beta1": 0.9}
    runs = [
        train_with_targets(tmp_path / name, with_schedule(Valued, document), **options, **more)
        for name, more in [
            ("whole", {}),
            ("half", {"stop": STOP}),
            ("half", {"resume": True, "seed": 1}),
        ]
    ]
    assert_same(*runs)
    own = {**targets.BASES, "lr": (BASE, BASE)}
    assert runs[0][0].rates == targets.formula(document, range(STEPS), own)


class Log(TrainerCallback):
    """What the trainer passes to its callbacks, such as those of TensorBoard and W&B."""

    def __init__(self):
        self.logs = []

    def on_log(self, args, state, control, logs, **kwargs):
        self.logs.append(logs)


def test_the_log_has_the_numbers_of_the_step_just_taken(tmp_path):
    document, log = targets.document(STEPS), Log()
    trainer = trainer_of(
        tmp_path,
        with_schedule(Valued, document),
        optimizers=lambda model: (decayed(model), None),
        logging_strategy="steps",
        logging_steps=1,
    )
    trainer.add_callback(log)
    trainer.train()
    wanted = targets.formula(document, range(STEPS))
    *rows, summary = log.logs
    assert [{key: row[key] for key in wanted[0]} for row in rows] == wanted
    assert [row["learning_rate"] for row in rows] == [row["lr/weight"] for row in wanted]
    assert not {*wanted[0]} & {*summary}
    assert [
        {key: row[key] for key in wanted[0]} for row in trainer.state.log_history[:-1]
    ] == wanted


DRIVEN = {
    "kind": "HoldLR",
    "also": [
        {"set": "weight_decay", "schedule": PLATEAU},
        {"value": "temp", "metric": "loss", "schedule": {**PLATEAU, "factor": 0.1}},
    ],
}


def test_a_target_observes_the_best_metric_or_the_one_that_it_names(tmp_path):
    options = {**EVALUATED, "optimizers": lambda model: (decayed(model), None)}
    kind = with_schedule(Valued, DRIVEN)
    whole = train_with_targets(tmp_path / "whole", kind, **options)
    first = train_with_targets(tmp_path / "half", kind, stop=STOP, **options)
    second = train_with_targets(tmp_path / "half", kind, resume=True, seed=1, **options)
    assert_same(whole, first, second)
    assert len({row["weight_decay/weight"] for row in whole[0].rates}) > 2
    assert len({row["temp"] for row in whole[0].rates}) > 2


@pytest.mark.parametrize(
    ("document", "options", "message"),
    [
        (DRIVEN, {}, "the schedule of weight_decay is driven by a metric: set metric_for_best"),
        (
            {**DRIVEN, "also": [{**DRIVEN["also"][1], "metric": "kl"}]},
            {**EVALUATED},
            "there is no metric kl, which a target observes, found loss, runtime",
        ),
        (
            {**DRIVEN, **PLATEAU},
            {**EVALUATED},
            "the trainer steps a ReduceLROnPlateau only when it has a metric, but weight_decay and",
        ),
    ],
)
def test_targets_that_the_trainer_cannot_drive_are_an_error(tmp_path, document, options, message):
    own = {"optimizers": lambda model: (decayed(model), None)}
    trainer = trainer_of(tmp_path, with_schedule(Valued, document), **own, **options)
    with pytest.raises(olm.OlmError, match=message):
        trainer.train()
