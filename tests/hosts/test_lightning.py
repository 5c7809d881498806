"""Lightning's Trainer, LightningCLI and Fabric: trained, stopped and resumed, bit for bit."""

import csv
import json
import sys
from functools import partial

import pytest
import torch
import yaml
from lightning.fabric import Fabric
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import (
    BaseFinetuning,
    GradientAccumulationScheduler,
    LearningRateMonitor,
    ModelCheckpoint,
    StochasticWeightAveraging,
)
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, instantiate_class
from lightning.pytorch.loggers import CSVLogger
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import LinearLR, LRScheduler

import olm
from hosts import targets
from olm.train.hosts.lightning import (
    clock_of,
    configure_optimizers,
    guard,
    lr_scheduler_config,
)
from training import EXAMPLES, rates_of

pytestmark = [
    # Lightning 2.6 with torch 2.13: the trees that it takes from torch are deprecated.
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.`:FutureWarning"),
    # Resuming in the same folder.
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty"),
    # LightningCLI 2.6 calls jsonargparse 4.53 by an old name.
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
    # With manual optimization a checkpoint is saved after the step, as without.
    pytest.mark.filterwarnings("ignore:Using ModelCheckpoint with manual optimization"),
]

BASES = (0.1, 0.03)
COSINE = {
    "kind": "WarmupCosineScheduler",
    "warmup_steps": 4,
    "total_steps": 18,
    "min_lr": 1e-3,
}
SEQUENCE = {
    "kind": "SequentialLR",
    "schedulers": [
        {"kind": "WarmupLR", "warmup_steps": 5},
        {
            "kind": "ChainedScheduler",
            "schedulers": [
                {"kind": "CosineAnnealingLR", "T_max": 15},
                {"kind": "StepLR", "step_size": 4},
            ],
        },
    ],
    "milestones": [5],
}
PLATEAU = {"kind": "ReduceLROnPlateau", "factor": 0.5, "patience": 0, "threshold": 0.9}
WARMED_PLATEAU = {
    "kind": "SequentialLR",
    "schedulers": [{"kind": "WarmupLR", "warmup_steps": 5}, PLATEAU],
    "milestones": [5],
}
DOCUMENTS = [pytest.param(COSINE, id="cosine"), pytest.param(SEQUENCE, id="sequence")]
QUIET = {
    "accelerator": "cpu",
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
}
EVERY_STEP = {"every_n_train_steps": 1}
EVERY_EPOCH = {"every_n_epochs": 1, "save_on_train_epoch_end": True}
EVERY_VALIDATION = {"every_n_epochs": 1, "save_on_train_epoch_end": False}


class Batches:
    """Ten batches, the same in every epoch; an interrupted epoch goes on where it was."""

    def __init__(self):
        self.taken = 0
        generator = torch.Generator().manual_seed(5)
        self.batches = torch.randn(10, 3, 5, generator=generator)

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        for index in range(self.taken % len(self), len(self)):
            self.taken = index + 1
            yield self.batches[index]

    def state_dict(self):
        return {"taken": self.taken}

    def load_state_dict(self, state):
        self.taken = state["taken"]


class BareLine(LightningModule):
    """A straight line through five dimensions."""

    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(4, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.fill_(0.25)

    def forward(self, inputs):
        return self.line(inputs)

    def loss(self, batch):
        return (self(batch[:, :4]) - batch[:, 4:]).square().mean()

    def training_step(self, batch, index):
        loss = self.loss(batch)
        self.log("loss", loss)
        return loss

    def validation_step(self, batch, index):
        self.log("val_loss", self.loss(batch))

    def train_dataloader(self):
        return Batches()

    def val_dataloader(self):
        return Batches()


class Line(BareLine):
    """The line with an optimizer; the bias has a base rate of its own."""

    def __init__(self, configure=None):
        super().__init__()
        self.configure = configure

    def configure_optimizers(self):
        groups = zip(([self.line.weight], [self.line.bias]), BASES, strict=True)
        optimizer = AdamW([{"params": parameters, "lr": base} for parameters, base in groups])
        if self.configure is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": self.configure(optimizer)}


def line(document, **options):
    return Line(lambda optimizer: lr_scheduler_config(olm.build(document, optimizer), **options))


class Rates(Callback):
    """The rates with which every optimizer step trains."""

    def __init__(self):
        self.seen = []

    def on_before_optimizer_step(self, trainer, module, optimizer):
        self.seen.append([group["lr"] for group in optimizer.param_groups])


def fit(module, folder, ckpt_path=None, callbacks=(), save=EVERY_STEP, guarded=True, **options):
    """Train and save checkpoints; the rates of every optimizer step and the final weights."""
    rates = Rates()
    keep = ModelCheckpoint(folder, "{step}", save_top_k=-1, **save)
    trainer = Trainer(
        **{"logger": False, "max_steps": 20, "val_check_interval": 1.0, **QUIET, **options},
        default_root_dir=folder,
        callbacks=[rates, *([guard()] if guarded else []), keep, *callbacks],
    )
    trainer.fit(module, ckpt_path=ckpt_path, weights_only=True)
    return rates.seen, [parameter.detach().clone() for parameter in module.parameters()]


def wanted(document, steps=range(20), bases=BASES):
    schedule = olm.parse(document).schedule
    return [[schedule.lr(step, base) for base in bases] for step in steps]


def same(first, second):
    return len(first) == len(second) > 0 and all(map(torch.equal, first, second))


def saved_schedulers(path):
    return torch.load(path, weights_only=True)["lr_schedulers"]


def interrupted(make, folder, stop, **options):
    """The same in two fits, with everything rebuilt for the second."""
    before, _ = fit(make(), folder, **{**options, "max_steps": stop})
    after, weights = fit(make(), folder, folder / f"step={stop}.ckpt", **options)
    return before + after, weights


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("stop", [1, 10, 13])
def test_a_resumed_fit_has_the_rates_and_weights_of_an_uninterrupted_one(document, stop, tmp_path):
    rates, weights = fit(line(document), tmp_path / "whole")
    assert rates == wanted(document)
    again, resumed = interrupted(partial(line, document), tmp_path / "parts", stop)
    assert again == rates
    assert same(resumed, weights)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_accumulated_batches_are_one_step(document, tmp_path):
    options = {"accumulate_grad_batches": 4}
    rates, weights = fit(line(document), tmp_path / "whole", **options)
    assert rates == wanted(document)
    again, resumed = interrupted(partial(line, document), tmp_path / "parts", 7, **options)
    assert again == rates
    assert same(resumed, weights)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_checkpoint_has_the_state_in_plain_json(document, tmp_path):
    fit(line(document), tmp_path, max_steps=3)
    (state,) = torch.load(tmp_path / "step=3.ckpt", weights_only=True)["lr_schedulers"]
    assert json.loads(json.dumps(state)) == state
    assert state["last_epoch"] == 3
    assert olm.parse(state).schedule == olm.parse(document).schedule


def test_resuming_with_another_schedule_is_an_error_without_on_change(tmp_path):
    longer = {**COSINE, "total_steps": 30}
    fit(line(COSINE), tmp_path, max_steps=10)
    resume = partial(fit, folder=tmp_path, ckpt_path=tmp_path / "step=10.ckpt")
    with pytest.raises(olm.StateError, match="total_steps: the checkpoint has 18, this scheduler"):
        resume(line(longer))
    with pytest.raises(olm.StateError, match="kind: the checkpoint has WarmupCosineScheduler"):
        resume(line(SEQUENCE))
    rates, _ = resume(line(longer, on_change="spec"))
    assert rates == wanted(longer, range(10, 20))
    rates, _ = resume(line(longer, on_change="checkpoint"))
    assert rates == wanted(COSINE, range(10, 20))


def test_resuming_with_another_base_rate_is_an_error(tmp_path, monkeypatch):
    fit(line(COSINE), tmp_path, max_steps=10)
    monkeypatch.setattr(sys.modules[__name__], "BASES", (0.2, 0.03))
    with pytest.raises(olm.StateError, match=r"base_lrs\[0\]: the checkpoint has 0.1, this sch"):
        fit(line(COSINE), tmp_path, tmp_path / "step=10.ckpt")


class Losses(Callback):
    """The measured metrics, each with the number of steps before it."""

    def __init__(self):
        self.seen = []

    def on_validation_end(self, trainer, module):
        self.seen.append((trainer.global_step, float(trainer.callback_metrics["val_loss"])))


def driven(document, losses, steps=20):
    """The rates of a number of steps, some followed by a validation."""
    schedule, rates = olm.parse(document).schedule, []
    for step in range(steps):
        rates.append([schedule.lr(step, base) for base in BASES])
        for _, loss in (measured for measured in losses if measured[0] == step + 1):
            schedule = schedule.observe(loss, step + 1)
    return rates


@pytest.mark.parametrize(
    ("stop", "save"),
    [(10, EVERY_EPOCH), (24, EVERY_STEP), (30, EVERY_EPOCH), (30, EVERY_VALIDATION)],
)
def test_a_plateau_steps_with_the_monitored_metric_once_per_epoch(stop, save, tmp_path):
    losses, options = Losses(), {"max_steps": 50, "save": save}
    make = partial(line, PLATEAU, monitor="val_loss")
    rates, weights = fit(make(), tmp_path / "whole", callbacks=[losses], **options)
    assert [step for step, _ in losses.seen] == [10, 20, 30, 40, 50]
    assert rates == driven(PLATEAU, losses.seen, 50)
    assert len({tuple(rate) for rate in rates}) == 4
    again, resumed = interrupted(make, tmp_path / "parts", stop, **options)
    assert again == rates
    assert same(resumed, weights)


@pytest.mark.parametrize(
    ("stop", "save"),
    [(4, EVERY_STEP), (10, EVERY_STEP), (9, EVERY_VALIDATION), (13, EVERY_VALIDATION)],
)
def test_a_warmed_up_plateau_steps_every_step_and_sees_every_validation(stop, save, tmp_path):
    losses, options = Losses(), {"val_check_interval": 3, "save": save}
    make = partial(line, WARMED_PLATEAU, monitor="val_loss")
    rates, weights = fit(make(), tmp_path / "whole", callbacks=[losses], **options)
    assert len(losses.seen) == 6
    assert rates == driven(WARMED_PLATEAU, losses.seen)
    assert len({tuple(rate) for rate in rates[5:]}) > 2
    again, resumed = interrupted(make, tmp_path / "parts", stop, **options)
    assert again == rates
    assert same(resumed, weights)


def test_a_plateau_without_a_monitor_is_an_error(tmp_path):
    for document in (PLATEAU, WARMED_PLATEAU):
        with pytest.raises(
            olm.OlmError, match=f"{document['kind']} is driven by a metric: pass monitor"
        ):
            fit(line(document), tmp_path)


def test_a_monitored_metric_that_is_not_logged_is_an_error_that_lists_the_logged(tmp_path):
    with pytest.raises(
        olm.OlmError, match="metric accuracy was not logged; logged: loss, val_loss"
    ):
        fit(line(WARMED_PLATEAU, monitor="accuracy"), tmp_path)


def test_a_rate_monitor_logs_the_rates_that_train(tmp_path):
    logger = CSVLogger(tmp_path, name="", version="")
    monitor = LearningRateMonitor(logging_interval="step")
    options = {"logger": logger, "log_every_n_steps": 1, "limit_val_batches": 0}
    fit(line(SEQUENCE), tmp_path, callbacks=[monitor], **options)
    with (tmp_path / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["lr-AdamW/pg1"]]
    logged = [[float(row[f"lr-AdamW/pg{group}"]) for group in (1, 2)] for row in rows]
    assert logged == wanted(SEQUENCE)


class TwoOptimizers(Line):
    """A separate optimizer and scheduler for each parameter, stepped by hand."""

    def __init__(self, *documents):
        super().__init__()
        self.documents = documents
        self.automatic_optimization = False

    def training_step(self, batch, index):
        for optimizer, scheduler in zip(self.optimizers(), self.lr_schedulers(), strict=True):
            optimizer.zero_grad()
            self.manual_backward(self.loss(batch))
            optimizer.step()
            scheduler.step()

    def configure_optimizers(self):
        optimizers = [
            AdamW([parameter], lr=base)
            for parameter, base in zip(self.parameters(), BASES, strict=True)
        ]
        schedulers = map(olm.build, self.documents, optimizers)
        configs = [lr_scheduler_config(scheduler) for scheduler in schedulers]
        return optimizers[: len(configs)], configs


def test_each_of_two_optimizers_has_its_own_scheduler(tmp_path):
    make = partial(TwoOptimizers, COSINE, SEQUENCE)
    rates, weights = fit(make(), tmp_path / "whole", max_steps=40)
    each = [wanted(COSINE, bases=BASES[:1]), wanted(SEQUENCE, bases=BASES[1:])]
    assert rates == [rate for pair in zip(*each, strict=True) for rate in pair]
    again, resumed = interrupted(make, tmp_path / "parts", 14, max_steps=40)
    assert again == rates
    assert same(resumed, weights)


def test_a_state_at_another_position_in_the_list_is_an_error(tmp_path):
    fit(TwoOptimizers(COSINE, SEQUENCE), tmp_path, max_steps=14)
    with pytest.raises(olm.StateError, match="the checkpoint has WarmupCosineScheduler, this"):
        fit(TwoOptimizers(SEQUENCE, COSINE), tmp_path, tmp_path / "step=14.ckpt")


def checkpoint_with(states, folder):
    """A checkpoint with the states of other schedulers."""
    fit(line(COSINE), folder, max_steps=3)
    checkpoint = torch.load(folder / "step=3.ckpt", weights_only=True)
    checkpoint["lr_schedulers"] *= states
    torch.save(checkpoint, folder / "other.ckpt")
    return folder / "other.ckpt"


@pytest.mark.parametrize("states", [0, 2])
def test_a_checkpoint_with_another_number_of_schedulers_is_an_error(states, tmp_path):
    path = checkpoint_with(states, tmp_path)
    text = f"number of lr_schedulers differs: the checkpoint has {states}, this trainer 1"
    with pytest.raises(olm.StateError, match=text):
        fit(line(COSINE), tmp_path, path)


def test_a_checkpoint_with_a_scheduler_is_an_error_for_a_fit_without_one(tmp_path):
    path = checkpoint_with(1, tmp_path)
    with pytest.raises(olm.StateError, match="the checkpoint has 1, this trainer 0"):
        fit(Line(), tmp_path, path)


@pytest.mark.filterwarnings("ignore:SWA is currently only supported every epoch")
@pytest.mark.parametrize("stop", [20, 30, 50])
def test_a_fit_with_weight_averaging_resumes_before_and_in_the_averaging(stop, tmp_path):
    def callbacks():
        return [StochasticWeightAveraging(swa_lrs=0.05, swa_epoch_start=4, annealing_epochs=2)]

    document = {"kind": "LinearLR", "total_steps": 60}
    options = {"max_steps": -1, "save": EVERY_EPOCH}
    rates, weights = fit(line(document), tmp_path, callbacks=callbacks(), max_epochs=6, **options)
    assert rates[:30] == wanted(document, range(30))
    assert rates[50:] == [[0.05, 0.05]] * 10
    path = tmp_path / f"step={stop}.ckpt"
    again, resumed = fit(
        line(document), tmp_path, path, callbacks=callbacks(), max_epochs=6, **options
    )
    assert again == rates[stop:]
    assert same(resumed, weights)


class Unfrozen(BaseFinetuning):
    """Adds the first layer in the third epoch, at a tenth of the rate that the last layer has."""

    def freeze_before_training(self, module):
        self.freeze(module.first)

    def finetune_function(self, module, epoch, optimizer):
        if epoch == 2:
            self.unfreeze_and_add_param_group(module.first, optimizer)


class TwoLayers(BareLine):
    """Two layers, the last of which trains from the start."""

    def __init__(self, schedule):
        super().__init__()
        self.first = torch.nn.Linear(4, 4)
        self.schedule = schedule

    def forward(self, inputs):
        return self.line(self.first(inputs))

    def configure_optimizers(self):
        optimizer = SGD(self.line.parameters(), lr=0.1)
        config = {"scheduler": self.schedule(optimizer), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": config}


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("stop", [10, 30])
def test_a_layer_that_finetuning_adds_falls_with_the_others_as_in_torch(guarded, stop, tmp_path):
    options = {"save": EVERY_EPOCH, "max_steps": 40, "guarded": guarded}
    theirs, _ = fit(
        TwoLayers(partial(LinearLR, start_factor=1.0, end_factor=0.0, total_iters=48)),
        tmp_path / "torch",
        callbacks=[Unfrozen()],
        **options,
    )
    document = {"kind": "LinearLR", "total_steps": 48}
    make = partial(TwoLayers, partial(olm.build, document))
    rates, _ = fit(make(), tmp_path, callbacks=[Unfrozen()], **options)
    assert rates[20:] == wanted(document, range(20, 40), (0.1, 0.01))
    assert len(rates) == len(theirs)
    assert all(ours == pytest.approx(other) for ours, other in zip(rates, theirs, strict=True))
    path = tmp_path / f"step={stop}.ckpt"
    again, _ = fit(make(), tmp_path, path, callbacks=[Unfrozen()], **options)
    assert again == rates[stop:]


def test_the_guard_is_a_callback_of_the_installed_lightning(monkeypatch):
    import pytorch_lightning

    monkeypatch.setitem(sys.modules, "lightning.pytorch.callbacks", None)
    assert isinstance(guard(), pytorch_lightning.Callback)


CHANGES = {"WarmupCosineScheduler": {"total_steps": 19}, "SequentialLR": {"milestones": [6]}}


class PerStepCLI(LightningCLI):
    configure_optimizers = staticmethod(configure_optimizers)


class PlateauCLI(LightningCLI):
    configure_optimizers = staticmethod(partial(configure_optimizers, monitor="val_loss"))


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Runs a training script with a command line; the rates and the final weights."""

    def run(*arguments, cli=PerStepCLI):
        monkeypatch.setattr(sys, "argv", ["train.py", "fit", *map(str, arguments)])
        rates, save = Rates(), ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, **EVERY_STEP)
        made = cli(
            BareLine,
            seed_everything_default=False,
            save_config_kwargs={"overwrite": True},
            trainer_defaults={
                **QUIET,
                "logger": False,
                "max_steps": 20,
                "default_root_dir": str(tmp_path),
                "callbacks": [rates, guard(), save],
            },
        )
        return [rate for (rate,) in rates.seen], list(made.model.parameters())

    return run


ADAM = ("--optimizer=AdamW", "--optimizer.lr=0.1")
COSINE_OPTIONS = (
    "--lr_scheduler=olm.train.schedulers.WarmupCosineScheduler",
    "--lr_scheduler.warmup_steps=4",
    "--lr_scheduler.min_lr=1e-3",
)


def one_group(document, steps=range(20)):
    return [rate for (rate,) in wanted(document, steps, bases=BASES[:1])]


def test_a_schedule_from_the_command_line_steps_every_step_and_resumes(command, tmp_path):
    options = (*ADAM, *COSINE_OPTIONS, "--lr_scheduler.total_steps=18")
    rates, weights = command(*options)
    assert rates == one_group(COSINE)
    before, _ = command(*options, "--trainer.max_steps=13")
    after, resumed = command(*options, "--ckpt_path", tmp_path / "step=13.ckpt")
    assert before + after == rates
    assert same(resumed, weights)
    longer = (*ADAM, *COSINE_OPTIONS, "--lr_scheduler.total_steps=30")
    with pytest.raises(olm.StateError, match="total_steps: the checkpoint has 18, this scheduler"):
        command(*longer, "--ckpt_path", tmp_path / "step=13.ckpt")


def cli_config(document):
    """A document as a LightningCLI's config file has it."""
    kind = document["kind"]
    fields = {name: value for name, value in document.items() if name != "kind"}
    return {"class_path": f"olm.train.schedulers.{kind}", "init_args": fields}


def test_a_nested_schedule_from_a_file_is_in_the_saved_config(command, tmp_path):
    file = tmp_path / "run.yaml"
    optimizer = {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.1}}
    file.write_text(yaml.safe_dump({"optimizer": optimizer, "lr_scheduler": cli_config(SEQUENCE)}))
    rates, weights = command("--config", file)
    assert rates == one_group(SEQUENCE)
    before, _ = command("--config", file, "--trainer.max_steps=7")
    saved = tmp_path / "saved.yaml"
    (tmp_path / "config.yaml").rename(saved)
    resume = ("--ckpt_path", tmp_path / "step=7.ckpt")
    after, resumed = command("--config", saved, "--trainer.max_steps=20", *resume)
    assert before + after == rates
    assert same(resumed, weights)


def test_a_command_line_can_specify_a_plateau(command):
    plateau = "--lr_scheduler=olm.train.schedulers.ReduceLROnPlateau"
    options = ("--lr_scheduler.factor=0.5", "--lr_scheduler.patience=0", "--trainer.max_steps=40")
    rates, _ = command(*ADAM, plateau, *options, "--lr_scheduler.threshold=0.9", cli=PlateauCLI)
    assert [rates[step] for step in (0, 10, 20, 30)] == [0.1, 0.1, 0.05, 0.025]


def test_torch_schedulers_keep_lightnings_defaults(command):
    torchs = "--lr_scheduler=torch.optim.lr_scheduler.ExponentialLR"
    rates, _ = command(*ADAM, torchs, "--lr_scheduler.gamma=0.5")
    assert rates == [0.1] * 10 + [0.05] * 10
    torchs = "--lr_scheduler=lightning.pytorch.cli.ReduceLROnPlateau"
    rates, _ = command(*ADAM, torchs, "--lr_scheduler.monitor=val_loss")
    assert rates == [0.1] * 20


def test_a_command_line_without_a_schedule_trains_with_the_base_rate(command):
    assert command(*ADAM)[0] == [0.1] * 20


@pytest.fixture(scope="module")
def parser():
    parser = LightningArgumentParser()
    parser.add_lr_scheduler_args((LRScheduler,))
    return parser


@pytest.mark.parametrize("document", EXAMPLES)
def test_a_file_can_specify_every_kind(document, parser):
    text = yaml.safe_dump({"lr_scheduler": cli_config(document)})
    config = parser.instantiate_classes(parser.parse_string(text))["lr_scheduler"]
    scheduler = instantiate_class(SGD([torch.zeros(1)], lr=0.5), config)
    assert scheduler.schedule == olm.parse(document).schedule


def fabric_run(document, folder, first, last, early=False):
    """Train from one step to another with Fabric, from and to a checkpoint; rates and weights."""
    fabric = Fabric(accelerator="cpu", devices=1)
    module = BareLine()
    optimizer = AdamW(module.parameters(), lr=0.1)
    if early:
        scheduler = olm.build(document, optimizer)
    module, optimizer = fabric.setup(module, optimizer)
    if not early:
        scheduler = olm.build(document, optimizer)
    state = {"module": module, "optimizer": optimizer, "scheduler": scheduler}
    if first:
        fabric.load(folder / f"{first}.ckpt", state, weights_only=True)
    rates, batches = [], Batches().batches
    for step in range(first, last):
        rates += rates_of(optimizer)
        optimizer.zero_grad()
        batch = batches[step % 10]
        fabric.backward((module(batch[:, :4]) - batch[:, 4:]).square().mean())
        optimizer.step()
        scheduler.step()
    fabric.save(folder / f"{last}.ckpt", state)
    return rates, [parameter.detach().clone() for parameter in module.parameters()]


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_fabric_saves_and_loads_a_scheduler_as_it_is(document, early, tmp_path):
    rates, weights = fabric_run(document, tmp_path, 0, 20, early)
    assert rates == one_group(document)
    before, _ = fabric_run(document, tmp_path, 0, 9, early)
    after, resumed = fabric_run(document, tmp_path, 9, 20, early)
    assert before + after == rates
    assert same(resumed, weights)
    state = torch.load(tmp_path / "9.ckpt", weights_only=True)["scheduler"]
    assert json.loads(json.dumps(state)) == state
    with pytest.raises(olm.StateError, match="this state is of another schedule"):
        fabric_run({**document, **CHANGES[document["kind"]]}, tmp_path, 9, 20, early)


IN_DURATIONS = {"kind": "WarmupCosineScheduler", "warmup_steps": "10%", "total_steps": "100%"}


class CountedLine(Line):
    """The line with a spec in durations and the trainer's clock, or one that overrides it."""

    def __init__(self, document, clock=None, **options):
        super().__init__()
        self.document, self.clock, self.options = document, clock or olm.Clock(), options

    def configure_optimizers(self):
        optimizer = super().configure_optimizers()
        clock = self.clock.over(clock_of(self.trainer))
        self.scheduler = olm.build(self.document, optimizer, clock=clock)
        config = lr_scheduler_config(self.scheduler, **self.options)
        return {"optimizer": optimizer, "lr_scheduler": config}


@pytest.mark.parametrize(
    ("options", "total", "length"),
    [
        ({"max_steps": -1, "max_epochs": 3}, "100%", 30),
        # 10 batches are 2 steps of 4 batches and 1 step of the remaining 2.
        ({"max_steps": -1, "max_epochs": 3, "accumulate_grad_batches": 4}, "3ep", 9),
        ({"max_steps": -1, "max_epochs": 3, "accumulate_grad_batches": 4}, "1dur", 9),
        ({"max_steps": 7, "accumulate_grad_batches": 4}, "100%", 7),
        ({"max_steps": 6, "accumulate_grad_batches": 4}, "2ep", 6),
        ({"max_steps": -1, "max_epochs": 2, "limit_train_batches": 5}, "2ep", 10),
    ],
)
def test_a_spec_in_durations_ends_with_the_run_of_the_trainer(options, total, length, tmp_path):
    module = CountedLine(IN_DURATIONS | {"total_steps": total})
    rates, _ = fit(module, tmp_path, **options)
    warmup = {30: 3, 10: 1, 9: 1, 7: 1, 6: 1}[length]
    in_steps = {"kind": "WarmupCosineScheduler", "warmup_steps": warmup, "total_steps": length}
    assert rates == wanted(in_steps, range(length))
    assert module.scheduler.get_last_lr() == [0.0, 0.0]


def test_an_explicit_clock_overrides_the_trainers(tmp_path):
    module = CountedLine(IN_DURATIONS, clock=olm.Clock(total_steps=50))
    rates, _ = fit(module, tmp_path)
    assert rates == wanted({**COSINE, "warmup_steps": 5, "total_steps": 50, "min_lr": 0.0})


def test_resuming_with_a_longer_fit_is_an_error_without_on_change(tmp_path):
    fit(CountedLine(IN_DURATIONS), tmp_path, max_steps=10)
    resume = partial(fit, folder=tmp_path, ckpt_path=tmp_path / "step=10.ckpt", max_steps=20)
    with pytest.raises(olm.StateError, match="of a run of another length\n  warmup_steps: the"):
        resume(CountedLine(IN_DURATIONS))
    rates, _ = resume(CountedLine(IN_DURATIONS, on_change="spec"))
    longer = {**COSINE, "warmup_steps": 2, "total_steps": 20, "min_lr": 0.0}
    assert rates == wanted(longer, range(10, 20))


class ByHand(CountedLine):
    automatic_optimization = False

    def training_step(self, batch, index):
        raise AssertionError("it was to be refused before")


@pytest.mark.parametrize(
    ("module", "options"),
    [
        (ByHand, {}),
        (CountedLine, {"callbacks": [GradientAccumulationScheduler({0: 1, 1: 4})]}),
        (CountedLine, {"max_steps": -1, "max_epochs": -1}),
    ],
    ids=["optimized by hand", "accumulated by the epoch", "without an end"],
)
def test_an_unknown_run_length_is_an_error(module, options, tmp_path):
    with pytest.raises(olm.SpecError, match="100% needs a clock with total_steps"):
        fit(module(IN_DURATIONS), tmp_path, **{"max_epochs": 2, **options})


class Targets(Line):
    """The line with named param groups, whose loss is multiplied by a value of the document."""

    def configure_optimizers(self):
        optimizer = AdamW(targets.groups_of([self.line.weight], [self.line.bias]))
        return {"optimizer": optimizer, "lr_scheduler": self.configure(optimizer)}

    def training_step(self, batch, index):
        return super().training_step(batch, index) * self.lr_schedulers().values()["temp"]


class Numbers(Rates):
    """The numbers with which every optimizer step trains."""

    def on_before_optimizer_step(self, trainer, module, optimizer):
        self.seen.append(targets.numbers(optimizer.param_groups, module.lr_schedulers()))


def with_targets(document, **options):
    return Targets(lambda optimizer: lr_scheduler_config(olm.build(document, optimizer), **options))


@pytest.mark.parametrize("accumulated", [1, 4])
@pytest.mark.parametrize("stop", [1, 10, 13])
def test_targets_have_the_same_numbers_after_a_resume(stop, accumulated, tmp_path):
    document = targets.document(18)
    parts, whole = Numbers(), Numbers()
    options = {"accumulate_grad_batches": accumulated}
    make = partial(with_targets, document)
    _, weights = fit(make(), tmp_path / "whole", callbacks=[whole], **options)
    assert whole.seen == targets.formula(document, range(20))
    _, resumed = interrupted(make, tmp_path / "parts", stop, callbacks=[parts], **options)
    assert parts.seen == whole.seen
    assert same(resumed, weights)
    states = [saved_schedulers(tmp_path / part / "step=20.ckpt") for part in ("whole", "parts")]
    assert states[0] == states[1]


def test_a_monitor_of_lightning_logs_rates_decays_and_momenta_by_the_names_of_groups(tmp_path):
    document, logger = targets.document(18), CSVLogger(tmp_path, name="", version="")
    monitor = LearningRateMonitor("step", log_momentum=True, log_weight_decay=True)
    options = {"logger": logger, "log_every_n_steps": 1, "limit_val_batches": 0}
    fit(with_targets(document), tmp_path, callbacks=[monitor], **options)
    with (tmp_path / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["lr-AdamW/bias"]]
    columns = {"lr": "", "weight_decay": "-weight_decay", "betas[0]": "-momentum"}
    logged = [
        {
            f"{key}/{name}": float(row[f"lr-AdamW/{name}{suffix}"])
            for key, suffix in columns.items()
            for name in targets.NAMES
        }
        for row in rows
    ]
    wanted = targets.formula(document, range(20))
    # Lightning keeps metrics as 32-bit floats.
    assert logged == [
        {key: pytest.approx(row[key], rel=1e-6) for key in row if key != "temp"} for row in wanted
    ]


def test_a_resume_with_another_target_is_an_error_that_names_it(tmp_path):
    fit(with_targets(targets.document(18)), tmp_path, max_steps=10)
    other = targets.document(18)
    other["also"][1]["schedule"]["end_factor"] = 5.0
    with pytest.raises(olm.StateError) as caught:
        fit(with_targets(other), tmp_path, tmp_path / "step=10.ckpt")
    text = "weight_decay: schedule.end_factor: the checkpoint has 10.0, this scheduler 5.0"
    assert text in str(caught.value)
    numbers = Numbers()
    module = with_targets(other, on_change="spec")
    fit(module, tmp_path, tmp_path / "step=10.ckpt", callbacks=[numbers])
    assert numbers.seen == targets.formula(other, range(10, 20))


DRIVEN = {
    "kind": "HoldLR",
    "also": [
        {"set": "weight_decay", "schedule": {**PLATEAU, "factor": 0.1}},
        {"value": "temp", "metric": "loss", "schedule": PLATEAU},
    ],
}


def test_a_target_observes_the_monitored_metric_or_the_one_that_it_names(tmp_path):
    whole, parts = Numbers(), Numbers()
    make = partial(with_targets, DRIVEN, monitor="val_loss")
    options = {"val_check_interval": 3, "save": EVERY_VALIDATION}
    _, weights = fit(make(), tmp_path / "whole", callbacks=[whole], **options)
    assert len({row["temp"] for row in whole.seen}) > 2
    assert len({row["weight_decay/weight"] for row in whole.seen}) > 2
    assert {row["lr/weight"] for row in whole.seen} == {0.1}
    _, resumed = interrupted(make, tmp_path / "parts", 9, callbacks=[parts], **options)
    assert parts.seen == whole.seen
    assert same(resumed, weights)


@pytest.mark.parametrize(
    ("document", "options", "message"),
    [
        (DRIVEN, {}, "the schedule of weight_decay is driven by a metric: pass monitor"),
        (
            {**DRIVEN, "also": [{**DRIVEN["also"][1], "metric": "kl"}]},
            {},
            "there is no metric kl, which a target observes, found loss, val_loss",
        ),
        (
            {**DRIVEN, **PLATEAU},
            {"monitor": "val_loss"},
            "Lightning steps a ReduceLROnPlateau only when it has a metric, but weight_decay and ",
        ),
    ],
)
def test_targets_that_lightning_cannot_drive_are_an_error(document, options, message, tmp_path):
    with pytest.raises(olm.OlmError, match=message):
        fit(with_targets(document, **options), tmp_path)


def test_targets_that_weight_averaging_would_stop_are_an_error(tmp_path):
    averaging = StochasticWeightAveraging(swa_lrs=0.05, swa_epoch_start=4)
    text = "StochasticWeightAveraging replaces the scheduler and would stop lr of bias, weight_dec"
    with pytest.raises(olm.OlmError, match=text):
        fit(with_targets(targets.document(18)), tmp_path, callbacks=[averaging])


def test_fabric_resumes_targets_bit_for_bit(tmp_path):
    fabric = Fabric(accelerator="cpu", devices=1)
    document = targets.document(18)

    def made():
        module = BareLine()
        optimizer = AdamW(targets.groups_of([module.line.weight], [module.line.bias]))
        scheduler = olm.build(document, optimizer)
        module, wrapped = fabric.setup(module, optimizer)
        return {"model": module, "optimizer": wrapped, "scheduler": scheduler}

    def train(run, steps):
        seen, batches = [], Batches().batches
        for step in steps:
            seen.append(targets.numbers(run["optimizer"].param_groups, run["scheduler"]))
            loss = run["model"](batches[step % 10][:, :4]).square().mean()
            run["optimizer"].zero_grad()
            fabric.backward(loss * run["scheduler"].values()["temp"])
            run["optimizer"].step()
            run["scheduler"].step()
        return seen

    whole, first, second = made(), made(), made()
    wanted = train(whole, range(20))
    assert wanted == targets.formula(document, range(20))
    before = train(first, range(7))
    fabric.save(tmp_path / "half.ckpt", first)
    fabric.load(tmp_path / "half.ckpt", second)
    assert before + train(second, range(7, 20)) == wanted
    assert same([*second["model"].parameters()], [*whole["model"].parameters()])
