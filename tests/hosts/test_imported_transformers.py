"""Imported arguments have the rates of transformers, and every argument has a place."""

import dataclasses
import json

import pytest
import torch
from transformers import TrainingArguments
from transformers.optimization import get_scheduler
from transformers.trainer_utils import SchedulerType

import olm
from olm.foreign.configs._training_arguments import CHECKED, HARMLESS, REFUSED, TRANSLATED
from olm.problem import SpecError

LR = 3e-4
RUNS = [
    ("linear", {}),
    ("cosine", {}),
    ("cosine", {"num_cycles": 1.5}),
    ("cosine", {"num_cycles": 0.35}),
    ("cosine_with_restarts", {}),
    ("cosine_with_restarts", {"num_cycles": 3}),
    ("cosine_with_restarts", {"num_cycles": 4}),
    ("cosine_with_restarts", {"num_cycles": 2.5}),
    ("polynomial", {}),
    ("polynomial", {"power": 2.0, "lr_end": 1e-5}),
    ("constant", {}),
    ("constant_with_warmup", {}),
    ("inverse_sqrt", {}),
    ("inverse_sqrt", {"timescale": 30}),
    ("cosine_with_min_lr", {"min_lr": 1e-5}),
    ("cosine_with_min_lr", {"min_lr_rate": 0.1, "num_cycles": 1.0}),
    ("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1}),
    ("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2}),
    ("cosine_warmup_with_min_lr", {"min_lr": 1e-5, "num_cycles": 1.25}),
    ("warmup_stable_decay", {"num_decay_steps": 20}),
    ("warmup_stable_decay", {"num_decay_steps": 20, "decay_type": "1-sqrt", "min_lr_ratio": 0.1}),
    ("warmup_stable_decay", {"num_decay_steps": 20, "num_stable_steps": 10, "num_cycles": 1.0}),
    ("warmup_stable_decay", {"num_decay_steps": 9, "warmup_type": "1-sqrt", "min_lr_ratio": 0.2}),
    ("warmup_stable_decay", {"num_decay_steps": 9, "warmup_type": "cosine", "num_cycles": 0.3}),
]


def rates_of_transformers(name, warmup, total, options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = get_scheduler(name, optimizer, warmup, total, dict(options))
    optimizer.step()
    rates = scheduler.get_last_lr()
    for _ in range(total - 1):
        scheduler.step()
        rates += scheduler.get_last_lr()
    return rates


@pytest.mark.filterwarnings("ignore:Both num_training_steps and num_stable_steps")
@pytest.mark.parametrize("warmup", [0, 1, 7, 100, 130])
@pytest.mark.parametrize(("name", "options"), RUNS)
def test_imported_arguments_have_the_rates_of_transformers(tmp_path, name, options, warmup):
    total = 100
    text = {
        "lr_scheduler_type": name,
        "learning_rate": LR,
        "max_steps": total,
        "warmup_steps": warmup,
        "lr_scheduler_kwargs": options,
    }
    file = tmp_path / "arguments.json"
    file.write_text(json.dumps(text))
    try:
        spec = olm.import_config(file).spec
    except SpecError as error:
        codes = {problem.code for problem in error.problems}
        assert codes == {"unsupported-key"}
        assert warmup >= total or "num_cycles" in options
        return
    expected = rates_of_transformers(name, warmup, total, options)
    rates = [spec.lr(step, LR) for step in range(total)]
    assert rates == pytest.approx(expected, rel=1e-12, abs=1e-15 * LR)


def test_every_field_of_the_arguments_is_translated_or_changes_no_rate():
    fields = {field.name for field in dataclasses.fields(TrainingArguments)}
    assert fields - TRANSLATED - HARMLESS - CHECKED - set(REFUSED) == set()


def test_every_schedule_of_the_library_is_one_that_is_tested_or_follows_a_metric():
    measured = {"reduce_lr_on_plateau", "greedy"}
    assert {each.value for each in SchedulerType} == {name for name, _ in RUNS} | measured
