"""Muon and AdamW as one optimizer in each trainer: trained, stopped and resumed, bit for bit."""

import copy
import warnings

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState
from lightning.fabric import Fabric
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import BaseFinetuning, LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.optim import AdamW, Muon
from torch.utils.data import DataLoader
from transformers import Trainer as HubTrainer
from transformers import TrainerCallback, TrainingArguments

import olm
from olm.train import Optimizers
from olm.train.hosts.accelerate import prepare
from olm.train.hosts.lightning import guard, lr_scheduler_config
from olm.train.hosts.transformers import with_schedule

with warnings.catch_warnings():
    # mmengine compiles functions with torch.jit as it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    from mmengine.optim import OptimWrapper

    from olm.train.hosts.mmengine import OlmScheduler

pytestmark = [
    # Lightning 2.6 with torch 2.13: the trees that it takes from torch are deprecated.
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.`:FutureWarning"),
    # Resuming in the same folder.
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty"),
]

BASES = (0.05, 0.01)
STEPS, STOP = 12, 5
RAMP = {"kind": "RampLR", "total_steps": STEPS, "start_factor": 0.8, "end_factor": 0.9}
SPEC = {
    "kind": "WarmupCosineScheduler",
    "warmup_steps": 3,
    "total_steps": STEPS,
    "min_lr": 1e-3,
    "also": [
        {"set": "momentum", "groups": "muon", "base": 1.0, "schedule": RAMP},
        {"set": "betas[0]", "groups": "adamw/*", "base": 1.0, "schedule": RAMP},
        {"set": "weight_decay", "schedule": {**RAMP, "end_factor": 4.0}},
    ],
}
OWN = [
    *(("lr", group, base) for group, base in zip(("muon/0", "adamw/0"), BASES, strict=True)),
    *(("weight_decay", group, base) for group, base in (("muon/0", 0.1), ("adamw/0", 0.01))),
    ("momentum", "muon/0", 0.95),
    ("betas[0]", "adamw/0", 0.9),
]
"""The own numbers of the optimizers, here torch's defaults, each with its group."""

RATES = [
    [olm.parse(SPEC).of(key, step, base=base, group=group) for key, group, base in OWN]
    for step in range(STEPS)
]


def rates_of(optimizer):
    """The numbers of `OWN` with which the next step trains."""
    muon, adamw = optimizer.param_groups
    rates = [group[key] for key in ("lr", "weight_decay") for group in (muon, adamw)]
    return [*rates, muon["momentum"], adamw["betas"][0]]


@pytest.fixture(autouse=True)
def apart():
    """No test sees the settings of Accelerate that another one made."""
    yield
    for state in (AcceleratorState, GradientState, PartialState):
        state._reset_state()


def data():
    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn(24, 4, generator=generator)
    return [{"x": x, "labels": x.sum()} for x in inputs]


class Model(torch.nn.Module):
    """Two layers, whose weights depend on a seed. The loss is the one that the Trainer takes."""

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.hidden, self.head = torch.nn.Linear(4, 8), torch.nn.Linear(8, 1)

    def forward(self, x, labels):
        output = self.head(self.hidden(x).tanh()).squeeze(-1)
        return {"loss": torch.nn.functional.mse_loss(output, labels), "logits": output}


def optimizer_of(model):
    rest = [model.hidden.bias, *model.head.parameters()]
    return Optimizers(muon=Muon([model.hidden.weight], lr=BASES[0]), adamw=AdamW(rest, lr=BASES[1]))


def weights_of(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


class Loop:
    """A loop of one's own. The batches of a step depend on the step alone."""

    def __init__(self, seed=0):
        self.model = Model(seed)
        self.optimizer = optimizer_of(self.model)
        self.scheduler = olm.build(SPEC, self.optimizer)
        self.start = 0

    def batch(self, step):
        items = data()[4 * (step % 6) :][:4]
        return {key: torch.stack([item[key] for item in items]) for key in items[0]}

    def train(self, stop=STEPS):
        rates = []
        for step in range(self.start, stop):
            self.optimizer.zero_grad()
            self.backward(self.model(**self.batch(step))["loss"])
            rates.append(rates_of(self.optimizer))
            self.optimizer.step()
            self.scheduler.step()
        return rates, weights_of(self.model)

    def backward(self, loss):
        loss.backward()


class Accelerated(Loop):
    def __init__(self, seed=0, folder=None, scaler=None):
        super().__init__(seed)
        self.accelerator = Accelerator(cpu=True)
        # Accelerate creates a scaler for half precision only, and refuses it on the CPU.
        self.accelerator.scaler = scaler
        self.model, self.optimizer, self.scheduler = prepare(
            self.accelerator, self.model, self.optimizer, self.scheduler
        )
        if folder:
            self.accelerator.load_state(folder)
            self.start = STOP

    def backward(self, loss):
        self.accelerator.backward(loss)


def test_accelerate_resumes_from_its_own_checkpoint(tmp_path):
    plain = Loop().train()
    assert plain[0] == RATES
    whole = Accelerated().train()
    assert whole[0] == RATES
    assert torch.equal(whole[1], plain[1])
    first = Accelerated()
    before, _ = first.train(STOP)
    first.accelerator.save_state(tmp_path)
    after, weights = Accelerated(seed=1, folder=tmp_path).train()
    assert before + after == RATES
    assert torch.equal(weights, whole[1])


def test_accelerate_skips_the_steps_that_its_scaler_skips():
    run = Accelerated(scaler=torch.amp.GradScaler("cpu"))
    positions = []
    for step, factor in enumerate((1.0, float("inf"), 1.0)):
        run.optimizer.zero_grad()
        run.accelerator.backward(run.model(**run.batch(step))["loss"] * factor)
        run.optimizer.step()
        run.scheduler.step()
        positions.append((run.scheduler.scheduler.last_epoch, run.optimizer.step_was_skipped))
    assert positions == [(1, False), (1, True), (2, False)]


def test_parts_that_accelerate_has_prepared_can_be_joined_and_a_whole_cannot():
    model, accelerator = Model(0), Accelerator(cpu=True)
    whole = optimizer_of(model)
    muon, adamw = accelerator.prepare(*whole.parts.values())
    scheduler = olm.build(SPEC, {"muon": muon, "adamw": adamw}, only_if_stepped=True)
    scheduler.step()
    for part in (muon, adamw):
        part.step()
        scheduler.step()
    assert rates_of(whole) == RATES[2]
    with pytest.raises(olm.OlmError, match="whole consists of several optimizers"):
        Optimizers(whole=accelerator.prepare(whole))


def test_the_wrapper_of_mmengine_takes_all_parts_and_resumes():
    runs = [Loop(seed) for seed in (0, 1)]
    wrappers = [OptimWrapper(run.optimizer) for run in runs]
    schedulers = [OlmScheduler(wrapper, spec=SPEC) for wrapper in wrappers]

    def train(index, steps):
        rates = []
        for step in steps:
            rates.append(rates_of(runs[index].optimizer))
            wrappers[index].update_params(runs[index].model(**runs[index].batch(step))["loss"])
            schedulers[index].step()
        return rates

    assert train(0, range(STOP)) == RATES[:STOP]
    saved = copy.deepcopy([runs[0].model.state_dict(), wrappers[0].state_dict()])
    runs[1].model.load_state_dict(saved[0])
    wrappers[1].load_state_dict(saved[1])
    schedulers[1].load_state_dict(schedulers[0].state_dict())
    rest = range(STOP, STEPS)
    assert train(0, rest) == train(1, rest) == RATES[STOP:]
    assert torch.equal(weights_of(runs[0].model), weights_of(runs[1].model))
    assert torch.equal(weights_of(runs[0].model), Loop().train()[1])


def fabric_run(folder, stop=STEPS, resume=False, seed=0):
    run, fabric = Loop(seed), Fabric(accelerator="cpu", devices=1)
    run.model, run.optimizer = fabric.setup(run.model, run.optimizer)
    run.backward = fabric.backward
    state = {"model": run.model, "optimizer": run.optimizer, "scheduler": run.scheduler}
    if resume:
        fabric.load(folder / "fabric.ckpt", state)
        run.start = run.scheduler.last_epoch
    result = run.train(stop)
    fabric.save(folder / "fabric.ckpt", state)
    return result


def test_fabric_resumes_from_its_own_checkpoint(tmp_path):
    whole = fabric_run(tmp_path / "whole")
    before, _ = fabric_run(tmp_path, STOP)
    after, weights = fabric_run(tmp_path, resume=True, seed=1)
    assert whole[0] == before + after == RATES
    assert torch.equal(weights, whole[1])


class Module(LightningModule):
    """The model, with automatic optimization."""

    def __init__(self, seed=0):
        super().__init__()
        self.model = Model(seed)

    def training_step(self, batch, index):
        return self.model(**batch)["loss"]

    def train_dataloader(self):
        return DataLoader(data(), 4)

    def configure_optimizers(self):
        optimizer = optimizer_of(self.model)
        scheduler = lr_scheduler_config(olm.build(SPEC, optimizer))
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


class Rates(Callback):
    """The rates with which every optimizer step trains."""

    def __init__(self):
        self.seen = []

    def on_before_optimizer_step(self, trainer, module, optimizer):
        self.seen.append(rates_of(optimizer))


def fit(folder, seed=0, resume=None, callbacks=(), **options):
    module, rates = Module(seed), Rates()
    keep = ModelCheckpoint(folder, "{step}", save_top_k=-1, every_n_train_steps=1)
    trainer = Trainer(
        **{"max_steps": STEPS, "logger": False, "accelerator": "cpu", **options},
        default_root_dir=folder,
        callbacks=[rates, guard(), keep, *callbacks],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, ckpt_path=resume, weights_only=True)
    return rates.seen, weights_of(module)


@pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers")
def test_lightning_resumes_from_its_own_checkpoint(tmp_path):
    """With automatic optimization, the step of the optimizer takes a closure."""
    whole = fit(tmp_path / "whole")
    assert whole[0] == RATES
    assert torch.equal(whole[1], Loop().train()[1])
    before, _ = fit(tmp_path / "half", max_steps=6)
    after, weights = fit(tmp_path / "half", 1, tmp_path / "half" / "step=6.ckpt")
    assert before + after == RATES
    assert torch.equal(weights, whole[1])


@pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers")
@pytest.mark.filterwarnings("ignore:Experiment logs directory .* exists and is not empty")
def test_lightning_logs_the_rates_of_all_parts(tmp_path):
    logger = CSVLogger(tmp_path, name="", version="")
    monitor = LearningRateMonitor(logging_interval="step")
    fit(tmp_path / "run", callbacks=[monitor], logger=logger, log_every_n_steps=1)
    logged = (tmp_path / "metrics.csv").read_text().splitlines()
    names = logged[0].split(",")
    columns = [names.index(f"lr-Optimizers/pg{number}") for number in (1, 2)]
    rows = [[line.split(",")[column] for column in columns] for line in logged[1:]]
    assert [[float(rate) for rate in row] for row in rows] == [
        [pytest.approx(rate) for rate in rates[:2]] for rates in RATES
    ]


class Unfreeze(BaseFinetuning):
    """Lightning's callback that adds the parameters of a frozen layer as a group of their own."""

    def freeze_before_training(self, module):
        pass

    def finetune_function(self, module, epoch, optimizer):
        self.unfreeze_and_add_param_group(torch.nn.Linear(2, 2), optimizer)


@pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers")
def test_lightning_that_adds_a_group_to_the_whole_is_an_error_with_the_reason(tmp_path):
    with pytest.raises(olm.OlmError, match="a param group belongs to a part"):
        fit(tmp_path, callbacks=[Unfreeze()])


class Recorder(TrainerCallback):
    """Record the rates of every optimizer step, and stop a run half way."""

    def __init__(self, stop):
        self.rates, self.stop = [], stop

    def on_pre_optimizer_step(self, args, state, control, optimizer, **kwargs):
        self.rates.append(rates_of(optimizer))

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop |= state.global_step == self.stop


def hub_run(folder, given, *, stop=None, resume=None, seed=0):
    model, recorder = Model(seed), Recorder(stop)
    optimizer = optimizer_of(model)
    trainer = (HubTrainer if given else with_schedule(HubTrainer, SPEC))(
        model=model,
        args=TrainingArguments(
            output_dir=folder,
            max_steps=STEPS,
            per_device_train_batch_size=4,
            save_steps=STOP,
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
            logging_strategy="no",
        ),
        train_dataset=data(),
        callbacks=[recorder],
        optimizers=(optimizer, olm.build(SPEC, optimizer) if given else None),
    )
    trainer.train(resume_from_checkpoint=resume)
    return recorder.rates, weights_of(model)


@pytest.mark.parametrize("given", [True, False])
def test_a_transformers_trainer_resumes_from_its_own_checkpoint(given, tmp_path):
    """The scheduler is given with the optimizer, or built by `with_schedule`."""
    whole = hub_run(tmp_path / "whole", given)
    before, _ = hub_run(tmp_path / "half", given, stop=STOP)
    after, weights = hub_run(tmp_path / "half", given, resume=True, seed=1)
    assert whole[0] == before + after == RATES
    assert torch.equal(weights, whole[1])
