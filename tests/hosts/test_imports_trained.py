"""A framework trains with a configuration, and the imported spec has its rate at each step."""

import json
import warnings

import pytest
import torch
import yaml

import olm

STEPS = 24
DATA = [(torch.randn(3, generator=torch.Generator().manual_seed(seed)), torch.ones(1))
        for seed in range(STEPS)]  # fmt: skip


def assert_same_rates(file, rates, **given):
    """Compare the rates of a training with those of the imported file."""
    spec = olm.import_config(file, **given).spec
    base = dict(spec.optimizer)["lr"]
    assert len(rates) == STEPS
    assert rates == pytest.approx([spec.lr(step, base) for step in range(STEPS)], rel=1e-12)


class Recorder:
    """The rate of each step of an optimizer."""

    def __init__(self, optimizer):
        self.rates = []
        optimizer.register_step_pre_hook(self.record)

    def record(self, optimizer, *_):
        self.rates.append(optimizer.param_groups[0]["lr"])


ARGUMENTS = {
    "cosine": {"lr_scheduler_type": "cosine", "warmup_steps": 5},
    "linear": {"lr_scheduler_type": "linear", "warmup_steps": 0.13},
    "stages": {
        "lr_scheduler_type": "warmup_stable_decay",
        "warmup_steps": 4,
        "lr_scheduler_kwargs": {"num_decay_steps": 8, "min_lr_ratio": 0.1},
    },
}


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.filterwarnings("ignore:Both num_training_steps and num_stable_steps")
def test_transformers_trains_with_the_rates_of_the_imported_arguments(tmp_path, name):
    from transformers import Trainer, TrainingArguments

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def forward(self, inputs, labels):
            return {"loss": ((self.layer(inputs) - labels) ** 2).mean()}

    arguments = ARGUMENTS[name] | {
        "learning_rate": 3e-4,
        "num_train_epochs": 2,
        "per_device_train_batch_size": 2,
        "optim": "adamw_torch",
    }
    file = tmp_path / "arguments.yaml"
    file.write_text(yaml.safe_dump(arguments))
    rows = [{"inputs": inputs, "labels": labels} for inputs, labels in DATA]
    fixed = {"output_dir": str(tmp_path), "report_to": [], "save_strategy": "no", "use_cpu": True}
    trainer = Trainer(
        Model(), TrainingArguments(**arguments, **fixed, disable_tqdm=True), train_dataset=rows
    )
    trainer.create_optimizer()
    recorder = Recorder(trainer.optimizer)
    trainer.train()
    assert_same_rates(file, recorder.rates, dataset_size=len(rows), world_size=1)


LIGHTNING = """\
trainer: {max_epochs: 4}
optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.1}}
lr_scheduler:
  class_path: torch.optim.lr_scheduler.%s
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "scheduler",
    [
        "CosineAnnealingLR\n  init_args: {T_max: 4, eta_min: 1.0e-4}",
        "StepLR\n  init_args: {step_size: 2, gamma: 0.5}",
    ],
    ids=["cosine", "step"],
)
def test_lightning_trains_with_the_rates_of_the_imported_file(tmp_path, scheduler, monkeypatch):
    from lightning.pytorch import LightningModule
    from lightning.pytorch.cli import LightningCLI

    recorders = []

    class Model(LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def train_dataloader(self):
            return torch.utils.data.DataLoader(DATA, batch_size=4)

        def on_train_start(self):
            recorders.append(Recorder(self.optimizers().optimizer))

        def training_step(self, batch, index):
            return ((self.layer(batch[0]) - batch[1]) ** 2).mean()

    file = tmp_path / "config.yaml"
    file.write_text(LIGHTNING % scheduler)
    quiet = ["logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"]
    arguments = ["fit", "--config", str(file), "--trainer.accelerator", "cpu"]
    LightningCLI(
        Model, args=arguments + [f"--trainer.{name}=false" for name in quiet],
        save_config_callback=None,
    )  # fmt: skip
    assert_same_rates(file, recorders[0].rates, steps_per_epoch=6)


MMENGINE = """\
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9))
train_cfg = dict(by_epoch=True, max_epochs=4)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=5),
    dict(type='CosineAnnealingLR', T_max=3, eta_min=1e-4, by_epoch=True, begin=1, end=4,
         convert_to_iter_based=%s),
]
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("convert", [True, False], ids=["steps", "epochs"])
def test_mmengine_trains_with_the_rates_of_the_imported_file(tmp_path, convert):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from mmengine.config import Config
        from mmengine.model import BaseModel
        from mmengine.runner import Runner

    class Model(BaseModel):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def forward(self, inputs, targets, mode="tensor"):
            return {"loss": ((self.layer(inputs) - targets) ** 2).mean()}

    file = tmp_path / "schedule.py"
    file.write_text(MMENGINE % convert)
    config = Config.fromfile(str(file))
    runner = Runner(
        Model(),
        str(tmp_path),
        train_dataloader={
            "dataset": DATA,
            "batch_size": 4,
            "sampler": {"type": "DefaultSampler", "shuffle": False},
            "collate_fn": {"type": "default_collate"},
        },
        train_cfg=config.train_cfg,
        optim_wrapper=config.optim_wrapper,
        param_scheduler=config.param_scheduler,
        default_hooks={"checkpoint": None, "logger": None},
        experiment_name=f"imported{convert}",
    )
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    recorder = Recorder(runner.optim_wrapper.optimizer)
    runner.train()
    assert_same_rates(file, recorder.rates, steps_per_epoch=6)


DEEPSPEED = {
    "WarmupDecayLR": {"warmup_num_steps": 6, "total_num_steps": STEPS},
    "WarmupLR": {"warmup_num_steps": 6, "warmup_max_lr": 0.01, "warmup_type": "linear"},
    "WarmupCosineLR": {"warmup_num_steps": 6, "total_num_steps": STEPS},
    "OneCycle": {"cycle_min_lr": 1e-4, "cycle_max_lr": 1e-2, "cycle_first_step_size": 9},
    "LRRangeTest": {"lr_range_test_min_lr": 1e-3, "lr_range_test_step_size": 5},
}


@pytest.mark.usefixtures("alone")
@pytest.mark.filterwarnings("ignore::FutureWarning:torch.distributed")
@pytest.mark.parametrize("name", DEEPSPEED)
def test_deepspeed_trains_with_the_rates_of_the_imported_file(tmp_path, name):
    import deepspeed

    # DeepSpeed would compile this extension first.
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    file = tmp_path / "ds.json"
    config = {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "optimizer": {"type": "AdamW", "params": {"lr": 0.01, "torch_adam": True}},
        "scheduler": {"type": name, "params": DEEPSPEED[name]},
    }
    file.write_text(json.dumps(config))
    model = torch.nn.Linear(3, 1)
    engine, optimizer, _, _ = deepspeed.initialize(model=model, config=config)
    recorder = Recorder(getattr(optimizer, "optimizer", optimizer))
    for inputs, targets in DATA:
        engine.backward(((engine(inputs[None]) - targets) ** 2).mean())
        engine.step()
    assert_same_rates(file, recorder.rates)
