"""torchtitan's loop, optimizers and checkpoints: `olm.train.hosts.torchtitan.OlmSchedulers`.

Its Trainer imports triton, so the loop here is the Trainer's, over the same objects.
"""

import dataclasses
import json

import pytest
import torch
import torch.distributed as dist
import tyro
from torchtitan.components.checkpointer import CheckpointManager
from torchtitan.components.optimizer import (
    LRSchedulersContainer,
    OptimizersContainer,
    ParamGroupConfig,
    default_adamw,
)

import olm
from hosts import targets
from olm.train.hosts.torchtitan import OlmSchedulers
from training import NESTED

COSINE = {"kind": "WarmupCosineScheduler", "warmup_steps": 3, "total_steps": 10, "min_lr": 1e-4}
STEPS, SAVED = 10, 4
ONE = default_adamw(lr=0.1)
TWO = OptimizersContainer.Config(
    param_groups=[
        ParamGroupConfig(pattern="bias$", optimizer_name="Adam", optimizer_kwargs={"lr": 0.05}),
        ParamGroupConfig(pattern="^0", optimizer_name="AdamW", optimizer_kwargs={"lr": 0.1}),
        ParamGroupConfig(pattern=".*", optimizer_name="AdamW", optimizer_kwargs={"lr": 0.02}),
    ]
)
BASES = {id(ONE): [[0.1]], id(TWO): [[0.05], [0.1, 0.02]]}


@pytest.fixture(autouse=True)
def alone(tmp_path):
    """The process group of 1 process that torchtitan's checkpoints need."""
    dist.init_process_group(
        "gloo", store=dist.FileStore(str(tmp_path / "store"), 1), rank=0, world_size=1
    )
    yield
    dist.destroy_process_group()


class Run:
    """What torchtitan's Trainer has, built in its order, and its training step."""

    def __init__(self, folder, config, optimizers=ONE, parts=1, training_steps=999):
        torch.manual_seed(0)
        make, act = torch.nn.Linear, torch.nn.Tanh()
        self.parts = [torch.nn.Sequential(make(3, 3), act, make(3, 3)) for _ in range(parts)]
        self.data = [torch.randn(2, 4, 3) for _ in range(STEPS)]
        on_cpu = dataclasses.replace(optimizers, implementation="for-loop")
        self.optimizers = on_cpu.build(model_parts=self.parts)
        self.lr_schedulers = config.build(optimizers=self.optimizers, training_steps=training_steps)
        self.checkpointer = CheckpointManager.Config(
            enable=True, interval=SAVED, keep_latest_k=0, last_save_model_only=False
        ).build(
            dataloader=None,
            model_parts=self.parts,
            optimizers=self.optimizers,
            lr_schedulers=self.lr_schedulers,
            states={"train_state": self},
            sd_adapter=None,
            base_folder=str(folder),
        )
        self.step, self.rates = 0, []

    def state_dict(self):
        return {"step": torch.tensor(self.step)}

    def load_state_dict(self, state):
        self.step = int(state["step"])

    def train(self, until=STEPS, save=False):
        while self.step < until:
            micro_batches = self.data[self.step]
            self.step += 1
            self.optimizers.zero_grad()
            for batch in micro_batches:
                output = batch
                for part in self.parts:
                    output = part(output)
                (output.square().mean() / len(micro_batches)).backward()
            self.rates.append(
                [[group["lr"] for group in each.param_groups] for each in self.optimizers]
            )
            self.optimizers.step()
            self.lr_schedulers.step()
            if save:
                self.checkpointer.save(self.step)
        return self

    def weights(self):
        return [value for part in self.parts for value in part.state_dict().values()]


def rates_of(spec, optimizers, steps, parts=1):
    schedule = olm.parse(spec).schedule
    return [
        [[schedule.lr(step, base) for base in bases] for bases in BASES[id(optimizers)] * parts]
        for step in range(steps)
    ]


@pytest.mark.parametrize("optimizers", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("spec", [COSINE, NESTED], ids=["cosine", "nested"])
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path, spec, optimizers):
    whole = Run(tmp_path, OlmSchedulers.Config(spec=spec), optimizers).train(save=True)
    resumed = Run(tmp_path, OlmSchedulers.Config(spec=spec), optimizers)
    assert resumed.checkpointer.load(SAVED)
    resumed.train()
    assert whole.rates == rates_of(spec, optimizers, STEPS)
    assert resumed.rates == whole.rates[SAVED:]
    assert all(map(torch.equal, resumed.weights(), whole.weights()))
    assert resumed.lr_schedulers.state_dict() == whole.lr_schedulers.state_dict()
    assert resumed.lr_schedulers.state_dict()["last_epoch"] == STEPS


def test_the_container_is_a_torchtitan_container(tmp_path):
    container = Run(tmp_path, OlmSchedulers.Config(spec=COSINE), TWO).lr_schedulers
    assert isinstance(container, LRSchedulersContainer)
    assert isinstance(OlmSchedulers.Config(spec=COSINE), LRSchedulersContainer.Config)
    assert len(container) == len(list(container)) == 2
    assert container.get_metrics() == {
        "lr/Adam": olm.parse(COSINE).schedule.lr(0, 0.05),
        "lr/AdamW/0": olm.parse(COSINE).schedule.lr(0, 0.1),
        "lr/AdamW/1": olm.parse(COSINE).schedule.lr(0, 0.02),
    }


def test_the_state_of_one_model_part_loads_into_any_number_of_parts(tmp_path):
    one = Run(tmp_path / "one", OlmSchedulers.Config(spec=COSINE), TWO).train(until=SAVED)
    three = Run(tmp_path / "three", OlmSchedulers.Config(spec=COSINE), TWO, parts=3)
    three.lr_schedulers.load_state_dict(one.lr_schedulers.state_dict())
    three.step = SAVED
    assert three.train().rates == rates_of(COSINE, TWO, STEPS, parts=3)[SAVED:]
    one.lr_schedulers.load_state_dict(three.lr_schedulers.state_dict())
    assert [scheduler.last_epoch for scheduler in one.lr_schedulers] == [STEPS, STEPS]


# torchtitan itself calls get_lr outside of a step.
@pytest.mark.filterwarnings("ignore:To get the last learning rate:UserWarning")
def test_torchtitans_own_container_can_read_the_state(tmp_path):
    run = Run(tmp_path, OlmSchedulers.Config(spec=NESTED), TWO).train(until=SAVED)
    state = run.lr_schedulers.state_dict()
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert state["last_epoch"] == SAVED
    states = json.loads(state["schedulers"])
    assert [each["base_lrs"] for each in states] == BASES[id(TWO)]
    assert [olm.parse(each).schedule for each in states] == [olm.parse(NESTED).schedule] * 2
    own = Run(tmp_path, LRSchedulersContainer.Config(), TWO).lr_schedulers
    own.load_state_dict(state)
    assert own.state_dict() == {"last_epoch": SAVED}


def test_resuming_with_a_changed_spec_is_an_error_that_lists_the_differences(tmp_path):
    Run(tmp_path, OlmSchedulers.Config(spec=COSINE)).train(until=SAVED, save=True)
    other = Run(tmp_path, OlmSchedulers.Config(spec=COSINE | {"total_steps": 20}))
    with pytest.raises(Exception, match="total_steps: the checkpoint has 10, this scheduler 20"):
        other.checkpointer.load(SAVED)
    state = Run(tmp_path, OlmSchedulers.Config(spec=COSINE)).lr_schedulers.state_dict()
    with pytest.raises(olm.StateError, match="total_steps"):
        other.lr_schedulers.load_state_dict(state)


@pytest.mark.parametrize(("side", "total"), [("spec", 20), ("checkpoint", 10)])
def test_with_on_change_the_run_continues_though_the_optimizer_is_loaded_later(
    tmp_path, side, total
):
    Run(tmp_path, OlmSchedulers.Config(spec=COSINE)).train(until=SAVED, save=True)
    config = OlmSchedulers.Config(spec=COSINE | {"total_steps": 20}, on_change=side)
    other = Run(tmp_path, config)
    other.checkpointer.load(SAVED)
    chosen = COSINE | {"total_steps": total}
    assert other.train().rates == rates_of(chosen, ONE, STEPS)[SAVED:]


def test_a_state_that_one_scheduler_refuses_changes_no_scheduler(tmp_path):
    run = Run(tmp_path, OlmSchedulers.Config(spec=COSINE), TWO).train(until=2)
    before = run.lr_schedulers.state_dict()
    states = json.loads(before["schedulers"])
    states[0]["last_epoch"] = states[1]["last_epoch"] = 7
    states[1]["base_lrs"] = [0.1, 0.03]
    rates = [[group["lr"] for group in each.param_groups] for each in run.optimizers]
    with pytest.raises(olm.StateError, match=r"base_lrs\[1\]: the checkpoint has 0.03"):
        run.lr_schedulers.load_state_dict({"last_epoch": 7, "schedulers": json.dumps(states)})
    assert run.lr_schedulers.state_dict() == before
    assert rates == [[group["lr"] for group in each.param_groups] for each in run.optimizers]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"last_epoch": 3}, "torchtitan's own"),
        ({}, "found nothing"),
        ({"last_epoch": 3, "schedulers": "{"}, "schedulers must be JSON text"),
        ({"last_epoch": 3, "schedulers": None}, "schedulers must be JSON text"),
        ({"last_epoch": 3, "schedulers": "[]"}, "a list of length 1"),
        ({"last_epoch": 3, "schedulers": "[3]"}, "this is not a state"),
        ({"last_epoch": 3, "schedulers": '[{"last_epoch": 4}]'}, "3, but the schedulers are at 4"),
    ],
)
def test_an_invalid_state_is_an_error(tmp_path, state, message):
    container = Run(tmp_path, OlmSchedulers.Config(spec=COSINE)).lr_schedulers
    with pytest.raises(olm.StateError, match=message):
        container.load_state_dict(state)
    assert container.state_dict()["last_epoch"] == 0


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"spec": {"kind": "ReduceLROnPlateau"}}, "torchtitan passes none"),
        ({"spec": COSINE, "warmup_steps": 5}, "warmup_steps: leave out"),
        ({"spec": COSINE, "decay_ratio": 0.1, "total_steps": 4}, "total_steps, decay_ratio"),
        ({"spec": COSINE | {"total_steps": -1}}, "total_steps"),
    ],
)
def test_unusable_options_are_an_error_at_build(tmp_path, config, message):
    with pytest.raises(olm.OlmError, match=message):
        Run(tmp_path, OlmSchedulers.Config(**config))


def test_a_spec_may_be_a_file_named_on_the_command_line(tmp_path):
    path = tmp_path / "a.olm.yaml"
    path.write_text(json.dumps(COSINE))

    @dataclasses.dataclass
    class Job:
        lr_scheduler: LRSchedulersContainer.Config
        steps: int = 1

    default = Job(OlmSchedulers.Config(spec="none.yaml"))
    job = tyro.cli(Job, args=["--lr-scheduler.spec", str(path)], default=default)
    assert job.lr_scheduler.to_dict()["spec"] == str(path)
    run = Run(tmp_path, job.lr_scheduler).train(until=3)
    assert run.rates == rates_of(COSINE, ONE, 3)
    mapping = Job(OlmSchedulers.Config(spec=NESTED))
    assert tyro.cli(Job, args=["--steps", "2"], default=mapping) == Job(mapping.lr_scheduler, 2)


IN_TOKENS = {"kind": "WarmupCosineScheduler", "warmup_steps": "10%", "total_steps": "80e3tok"}


@pytest.mark.parametrize("clock", [{"tokens_per_step": 8000}, olm.Clock(tokens_per_step=8000)])
def test_a_spec_in_durations_ends_with_the_run(tmp_path, clock):
    config = OlmSchedulers.Config(spec=IN_TOKENS, clock=clock)
    run = Run(tmp_path, config, TWO, training_steps=STEPS).train()
    in_steps = {"kind": IN_TOKENS["kind"], "warmup_steps": 1, "total_steps": STEPS}
    assert run.rates == rates_of(in_steps, TWO, STEPS)
    assert [scheduler.get_last_lr() for scheduler in run.lr_schedulers] == [[0.0], [0.0, 0.0]]


def test_a_clock_overrides_the_training_steps(tmp_path):
    config = OlmSchedulers.Config(spec={"kind": "LinearLR", "total_steps": "100%"})
    ours = dataclasses.replace(config, clock={"total_steps": 40})
    for each, total in ((config, STEPS), (ours, 40)):
        (scheduler,) = Run(tmp_path, each, training_steps=STEPS).lr_schedulers
        assert scheduler.schedule.total_steps == total


def test_resuming_with_another_run_length_is_an_error_without_on_change(tmp_path):
    config = OlmSchedulers.Config(spec={"kind": "LinearLR", "total_steps": "100%"})
    Run(tmp_path, config, training_steps=STEPS).train(until=SAVED, save=True)
    longer = Run(tmp_path, config, training_steps=2 * STEPS)
    with pytest.raises(Exception, match="of a run of another length"):
        longer.checkpointer.load(SAVED)
    chosen = dataclasses.replace(config, on_change="spec")
    longer = Run(tmp_path, chosen, training_steps=2 * STEPS)
    longer.checkpointer.load(SAVED)
    wanted = rates_of({"kind": "LinearLR", "total_steps": 2 * STEPS}, ONE, STEPS)
    assert longer.train().rates == wanted[SAVED:]


def test_durations_without_a_clock_are_an_error_at_build(tmp_path):
    with pytest.raises(olm.SpecError, match="80e3tok needs a clock with tokens_per_step"):
        Run(tmp_path, OlmSchedulers.Config(spec=IN_TOKENS))


class TargetsRun(Run):
    """A run whose optimizer has the own numbers of `targets`, and whose loss has a value."""

    def __init__(self, folder, document):
        kwargs = [{"lr": lr, "weight_decay": wd} for lr, wd in ((0.1, 0.1), (0.03, 0.0))]
        groups = [
            ParamGroupConfig(pattern=pattern, optimizer_name="AdamW", optimizer_kwargs=numbers)
            for pattern, numbers in zip((r"weight$", ".*"), kwargs, strict=True)
        ]
        optimizers = OptimizersContainer.Config(param_groups=groups)
        super().__init__(folder, OlmSchedulers.Config(spec=document), optimizers)
        (self.scheduler,), (self.optimizer,) = self.lr_schedulers, self.optimizers
        self.seen = []

    def train(self, until=STEPS, save=False):
        for step in range(self.step, until):
            self.seen.append(targets.numbers(self.optimizer.param_groups, self.scheduler))
            self.data[step] = self.data[step] * self.scheduler.values()["temp"]
            super().train(step + 1, save)
        return self


def test_a_run_with_targets_resumes_bit_for_bit(tmp_path):
    document = targets.document(STEPS)
    whole = TargetsRun(tmp_path, document).train(save=True)
    resumed = TargetsRun(tmp_path, document)
    assert resumed.checkpointer.load(SAVED)
    resumed.train()
    assert whole.seen == targets.formula(document, range(STEPS))
    assert resumed.seen == whole.seen[SAVED:]
    assert all(map(torch.equal, resumed.weights(), whole.weights()))
    assert resumed.lr_schedulers.state_dict() == whole.lr_schedulers.state_dict()


HOLD = {"kind": "HoldLR"}


def test_targets_without_groups_are_set_in_every_optimizer(tmp_path):
    decay = {**HOLD, "factor": 0.5}
    document = {**HOLD, "also": [{"set": "weight_decay", "schedule": decay}]}
    run = Run(tmp_path, OlmSchedulers.Config(spec=document), TWO)
    decays = [group["weight_decay"] for each in run.optimizers for group in each.param_groups]
    own = [group["initial_weight_decay"] for each in run.optimizers for group in each.param_groups]
    assert decays == [number / 2 for number in own]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            {"set": "weight_decay", "groups": "decay", "schedule": HOLD},
            "each of 2 optimizers, and those without such param groups would drop weight_decay of ",
        ),
        (
            {"value": "temp", "metric": "kl", "schedule": {"kind": "ReduceLROnPlateau"}},
            "temp is driven by a metric: torchtitan passes none",
        ),
    ],
)
def test_targets_that_torchtitan_would_drop_are_an_error_at_build(tmp_path, target, message):
    with pytest.raises(olm.OlmError, match=message):
        Run(tmp_path, OlmSchedulers.Config(spec={**HOLD, "also": [target]}), TWO)
