"""What ``olm export`` writes for a trainer has the rates of the spec when the trainer reads it."""

import tomllib

import numpy as np
import pytest
import torch
import yaml
from torchtitan.components.optimizer import LRSchedulersContainer
from transformers import TrainingArguments
from transformers.optimization import get_scheduler

from olm.foreign.exports._targets import export, targets
from olm.problem import SpecError
from test_exports import BASE, RUNS
from test_exports_of_trainers import WRITTEN


def exported(target):
    """The runs that a target can have, with their texts."""
    for name, run in RUNS.items():
        try:
            yield name, run, export(run, targets()[target])
        except SpecError:
            continue


def rates(optimizer, schedulers, steps):
    """The rates that each step trains with."""
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedulers.step()
    return found


def sgd(lr):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def test_torchtitan_trains_with_the_exported_rates():
    names = set()
    for name, run, text in exported("torchtitan"):
        tables = tomllib.loads(text)
        optimizer = sgd(tables["optimizer"]["lr"])
        config = LRSchedulersContainer.Config(**tables["lr_scheduler"])
        built = config.build(optimizers=[optimizer], training_steps=tables["training"]["steps"])
        expected = run.schedule.lr(np.arange(run.steps), BASE)
        found = rates(optimizer, built, run.steps)
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12 * BASE), name
        names.add(name)
    assert WRITTEN["torchtitan"] <= names


def of_call(text):
    names = {}
    exec(text, names)
    return names["arguments"]


def of_yaml(text):
    return TrainingArguments(**yaml.safe_load(text))


@pytest.mark.filterwarnings("ignore:Both num_training_steps and num_stable_steps")
@pytest.mark.parametrize(
    ("target", "read"), [("transformers", of_yaml), ("transformers-call", of_call)]
)
def test_transformers_trains_with_the_exported_rates(target, read):
    names = set()
    for name, run, text in exported(target):
        args = read(text)
        optimizer = sgd(args.learning_rate)
        warmup = args.get_warmup_steps(args.max_steps)
        scheduler = get_scheduler(
            args.lr_scheduler_type, optimizer, warmup, args.max_steps, args.lr_scheduler_kwargs
        )
        expected = run.schedule.lr(np.arange(run.steps), BASE)
        found = rates(optimizer, scheduler, run.steps)
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12 * BASE), name
        names.add(name)
    assert WRITTEN["transformers-call"] <= names
