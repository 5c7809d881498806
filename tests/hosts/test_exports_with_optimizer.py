"""What `olm export` writes for a trainer, trained with by the trainer's own code."""

import json
import sys
import warnings

import numpy as np
import pytest
import torch
import yaml
from lightning.pytorch import Callback, LightningModule
from lightning.pytorch.cli import LightningCLI, instantiate_class

from olm.foreign.exports._targets import Run, export, targets
from olm.problem import SpecError
from olm.spec.spec import parse
from test_exports import BASE, RUNS
from test_exports_with_optimizer import COMPOSED

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch.distributed"),
    # Lightning 2.6 with torch 2.13: the trees that it takes from torch are deprecated.
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.`:FutureWarning"),
    # LightningCLI 2.6 calls jsonargparse 4.53 by an old name.
    pytest.mark.filterwarnings("ignore::jsonargparse._deprecated.JsonargparseDeprecationWarning"),
]


def exported(target):
    """The texts of the examples that a target can have, each with its run."""
    composed = ((parse(document).resolve(), 60) for document in COMPOSED[target].values())
    for run in (*RUNS.values(), *(Run(spec, BASE, steps) for spec, steps in composed)):
        try:
            yield run, export(run, targets()[target])
        except SpecError:
            continue


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)


def walked(optimizer, schedulers, steps):
    """The rates of the steps, after each of which the schedulers move."""
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


def expected(run):
    """The rates of the spec, to the rounding of schedulers that compute each from the last."""
    rates = run.schedule.lr(np.arange(run.steps), run.base)
    return pytest.approx(rates, rel=1e-9, abs=1e-12 * np.abs(rates).max())


def scheduler_of_deepspeed(config, optimizer):
    """What `DeepSpeedEngine._scheduler_from_config` builds."""
    from deepspeed.runtime import lr_schedules

    name = config["scheduler"]["type"]
    module = lr_schedules if hasattr(lr_schedules, name) else torch.optim.lr_scheduler
    return getattr(module, name)(optimizer, **config["scheduler"]["params"])


def test_the_schedulers_of_deepspeed_have_the_exported_rates():
    for run, text in exported("deepspeed"):
        config, trained = json.loads(text), optimizer()
        scheduler = scheduler_of_deepspeed(config, trained)
        assert walked(trained, [scheduler], run.steps) == expected(run), text


@pytest.mark.usefixtures("alone")
def test_an_engine_of_deepspeed_trains_with_the_exported_rates():
    import deepspeed

    # DeepSpeed would compile this extension first.
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    for document in COMPOSED["deepspeed"].values():
        optimizer = {"lr": BASE, "weight_decay": 0.5, "momentum": 0.25}
        run = Run(parse(document | {"optimizer": optimizer}).resolve(), BASE, 25)
        config = json.loads(export(run, targets()["deepspeed"]))
        model = torch.nn.Linear(3, 1)
        engine, *_ = deepspeed.initialize(
            model=model,
            model_parameters=model.parameters(),
            config={"train_micro_batch_size_per_gpu": 2, **config},
        )
        group = engine.optimizer.param_groups[0]
        rates = []
        for _ in range(25):
            rates.append(group["lr"])
            engine.backward(engine(torch.ones(2, 3)).square().mean())
            engine.step()
        assert rates == expected(run)
        assert (group["weight_decay"], group["momentum"]) == (0.5, 0.25)


def test_the_classes_that_lightning_instantiates_have_the_exported_rates():
    for run, text in exported("lightning"):
        if '"interval": "step"' not in text:
            continue
        trained = optimizer()
        scheduler = instantiate_class((trained,), yaml.safe_load(text)["lr_scheduler"])
        assert walked(trained, [scheduler], run.steps) == expected(run), text


class Line(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def training_step(self, batch):
        return self.layer(batch).square().mean()

    def train_dataloader(self):
        return torch.utils.data.DataLoader(torch.ones(5, 3))


class Rates(Callback):
    def __init__(self):
        self.rates = []

    def on_train_batch_start(self, trainer, *_):
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


def class_of_the_comment(text):
    """The class in the comment above a file, as the reader of the file would paste it."""
    lines = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
    code = [line for line in lines if line.startswith(("class ", " "))]
    names = {"LightningCLI": LightningCLI}
    exec("\n".join(code), names)
    return names.get("StepCLI", LightningCLI)


BY_EPOCH = {"kind": "StepLR", "step_size": 10, "gamma": 0.5, "clock": {"steps_per_epoch": 5}}


@pytest.mark.parametrize("document", [BY_EPOCH, *COMPOSED["lightning"].values()])
def test_lightning_cli_trains_with_the_exported_rates(document, tmp_path, monkeypatch):
    run = Run(parse(document).resolve(), BASE, 40)
    text = export(run, targets()["lightning"])
    file = tmp_path / "run.yaml"
    file.write_text(text)
    rates = Rates()
    quiet = {"enable_progress_bar": False, "enable_checkpointing": False, "logger": False}
    monkeypatch.setattr(sys, "argv", ["train.py", "fit", "--config", str(file)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        class_of_the_comment(text)(
            Line,
            save_config_callback=None,
            trainer_defaults={"callbacks": [rates], "accelerator": "cpu", **quiet},
        )
    assert rates.rates == expected(run)
    assert (document is BY_EPOCH) == ("StepCLI" not in text)


def schedulers_of_mmengine(text, folder):
    """The optimizer and the schedulers that the runner builds from a file, in its order."""
    from mmengine.config import Config
    from mmengine.optim import build_optim_wrapper
    from mmengine.registry import PARAM_SCHEDULERS

    file = folder / "run.py"
    file.write_text(text)
    config = Config.fromfile(file)
    wrapper = build_optim_wrapper(torch.nn.Linear(1, 1), config.optim_wrapper)
    schedulers = [
        PARAM_SCHEDULERS.build(each, default_args={"optimizer": wrapper})
        for each in config.param_scheduler
    ]
    assert not any(scheduler.by_epoch for scheduler in schedulers)
    return wrapper, schedulers


# mmengine compiles functions with torch.jit as it is imported.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_schedulers_of_mmengine_have_the_exported_rates(tmp_path):
    for run, text in exported("mmengine"):
        trained, schedulers = schedulers_of_mmengine(text, tmp_path)
        assert walked(trained, schedulers, run.steps) == expected(run), text
