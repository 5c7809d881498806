"""Hydra and OmegaConf: a config specifies the schedule by olm's names, without an adapter."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch.optim import AdamW

import olm
from training import BASES, EXAMPLES, optimizer_of, trained, wanted

ROOT = Path(__file__).resolve().parents[2]

MAIN = """
defaults:
  - _self_
  - schedule: cosine
steps: 40
warmup: 5
scheduler:
  _target_: olm.build
  _partial_: true
  spec: ${schedule}
"""
SCHEDULES = {
    "cosine": """
kind: WarmupCosineScheduler
warmup_steps: ${warmup}
total_steps: ${steps}
min_lr: 1e-4
""",
    "sequence": """
kind: SequentialLR
schedulers:
  - {kind: WarmupLR, warmup_steps: "${warmup}"}
  - {kind: StepLR, step_size: 3, gamma: 0.5}
milestones: ["${warmup}"]
""",
    "plateau": """
kind: ReduceLROnPlateau
patience: 2
""",
}
COSINE = {
    "kind": "WarmupCosineScheduler",
    "warmup_steps": 5,
    "total_steps": 40,
    "min_lr": 1e-4,
}
SEQUENCE = {
    "kind": "SequentialLR",
    "schedulers": [
        {"kind": "WarmupLR", "warmup_steps": 5},
        {"kind": "StepLR", "step_size": 3, "gamma": 0.5},
    ],
    "milestones": [5],
}
CHOICES = {
    "cosine": COSINE,
    "sequence": SEQUENCE,
    "plateau": olm.parse({"kind": "ReduceLROnPlateau", "patience": 2}).model_dump(),
}


@pytest.fixture
def folder(tmp_path):
    """A folder of configs with a group of schedules, which are specs with interpolations."""
    (tmp_path / "schedule").mkdir()
    (tmp_path / "main.yaml").write_text(MAIN)
    for name, text in SCHEDULES.items():
        (tmp_path / "schedule" / f"{name}.yaml").write_text(text)
    return tmp_path


def composed(folder, *overrides):
    with initialize_config_dir(str(folder), version_base="1.3"):
        return compose("main", [*overrides])


def line():
    model = torch.nn.Linear(3, 1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.5)
    groups = zip(([model.weight], [model.bias]), (0.1, 0.03), strict=True)
    return model, AdamW([{"params": parameters, "lr": base} for parameters, base in groups])


def train(config, path, first, last):
    """Train from one step to another, from and to a checkpoint; the rates and the weights."""
    model, optimizer = line()
    scheduler = instantiate(config.scheduler)(optimizer=optimizer)
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    if first:
        for name, state in torch.load(path, weights_only=True).items():
            parts[name].load_state_dict(state)
    data = torch.randn(40, 4, 3, generator=torch.Generator().manual_seed(3))
    rates = []
    for step in range(first, last):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.zero_grad()
        model(data[step]).square().mean().backward()
        optimizer.step()
        if scheduler.schedule.metric_driven:
            scheduler.step(1.0 + step)
        else:
            scheduler.step()
    torch.save({name: part.state_dict() for name, part in parts.items()}, path)
    return rates, list(model.parameters())


@pytest.mark.parametrize("choice", SCHEDULES)
def test_a_run_composed_from_a_config_group_resumes_bit_for_bit(choice, folder):
    config = composed(folder, f"schedule={choice}")
    rates, weights = train(config, folder / "run.pt", 0, 30)
    if choice != "plateau":
        assert rates == wanted(CHOICES[choice], 30, (0.1, 0.03))
    before, _ = train(config, folder / "run.pt", 0, 13)
    after, resumed = train(composed(folder, f"schedule={choice}"), folder / "run.pt", 13, 30)
    assert before + after == rates
    assert all(map(torch.equal, resumed, weights))


def test_an_override_changes_the_schedule_and_resuming_with_it_is_an_error(folder):
    config = composed(folder, "steps=20", "schedule.min_lr=2e-4")
    changed = {**COSINE, "total_steps": 20, "min_lr": 2e-4}
    assert train(config, folder / "run.pt", 0, 13)[0] == wanted(changed, 13, (0.1, 0.03))
    with pytest.raises(olm.StateError) as caught:
        train(composed(folder, "steps=20"), folder / "run.pt", 13, 30)
    assert "min_lr: the checkpoint has 0.0002, this scheduler 0.0001" in str(caught.value)
    with pytest.raises(olm.StateError, match="kind: the checkpoint has WarmupCosineScheduler"):
        train(composed(folder, "schedule=sequence"), folder / "run.pt", 13, 30)


@pytest.mark.parametrize("document", EXAMPLES)
def test_a_config_builds_every_kind_with_a_given_optimizer(document):
    optimizer = optimizer_of(*BASES)
    config = OmegaConf.create({"_target_": "olm.build", "spec": document})
    scheduler = instantiate(config, optimizer=optimizer)
    assert scheduler.optimizer is optimizer
    assert scheduler.schedule == olm.parse(document).schedule
    assert trained(scheduler, 20) == wanted(document, 20)


@pytest.mark.parametrize("document", EXAMPLES)
def test_a_config_can_name_the_class_of_every_kind(document):
    fields = {name: value for name, value in document.items() if name != "kind"}
    target = f"olm.train.schedulers.{document['kind']}"
    config = OmegaConf.create({"_target_": target, "_partial_": True, **fields})
    scheduler = instantiate(config)(optimizer_of(*BASES))
    assert type(scheduler).__name__ == document["kind"]
    assert scheduler.schedule == olm.parse(document).schedule


@pytest.mark.parametrize("convert", ["none", "partial", "object", "all"])
def test_interpolations_are_resolved_however_hydra_converts(convert):
    config = OmegaConf.create(
        {
            "steps": 40,
            "warmup": 5,
            "scheduler": {
                "_target_": "olm.build",
                "_convert_": convert,
                "spec": yaml.safe_load(SCHEDULES["sequence"]),
            },
        }
    )
    scheduler = instantiate(config.scheduler, optimizer=optimizer_of(*BASES))
    assert scheduler.schedule == olm.parse(SEQUENCE).schedule
    state = scheduler.state_dict()
    assert json.loads(json.dumps(state)) == state


def test_a_config_can_name_a_spec_file():
    path = str(ROOT / "specs" / "llama-2-7b.olm.yaml")
    config = OmegaConf.create({"_target_": "olm.build", "spec": path})
    scheduler = instantiate(config, optimizer=optimizer_of(3e-4))
    assert scheduler.schedule == olm.load(path).schedule


def test_a_state_in_a_config_continues_from_its_step():
    scheduler = olm.build(SEQUENCE, optimizer_of(*BASES))
    trained(scheduler, 7)
    state = OmegaConf.create(scheduler.state_dict())
    config = OmegaConf.create({"_target_": "olm.build", "spec": state})
    assert trained(instantiate(config, optimizer=optimizer_of(*BASES)), 9) == wanted(
        SEQUENCE, 9, start=7
    )
    scheduler.load_state_dict(state)
    assert scheduler.last_epoch == 7


def test_an_error_in_a_config_is_reported_with_its_place():
    spec = {**SEQUENCE, "schedulers": [{"kind": "WarmupLR", "warmup_stps": 5}] * 2}
    config = OmegaConf.create({"_target_": "olm.build", "spec": spec})
    with pytest.raises(InstantiationException) as caught:
        instantiate(config, optimizer=optimizer_of(*BASES))
    assert isinstance(caught.value.__cause__, olm.SpecError)
    assert "schedulers[0].warmup_stps: error[unknown-field]" in str(caught.value.__cause__)


SCRIPT = """
import hydra, torch
from hydra.utils import instantiate

@hydra.main(config_path=".", config_name="main", version_base="1.3")
def main(config):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    scheduler = instantiate(config.scheduler)(optimizer=optimizer)
    for _ in range(8):
        print(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()

main()
"""


def test_a_script_trains_with_the_schedule_chosen_on_its_command_line(folder):
    (folder / "script.py").write_text(SCRIPT)
    ran = subprocess.run(
        [sys.executable, "script.py", "schedule=sequence", "warmup=2", "schedule.milestones=[2]"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    chosen = {
        "kind": "SequentialLR",
        "schedulers": [{"kind": "WarmupLR", "warmup_steps": 2}, SEQUENCE["schedulers"][1]],
        "milestones": [2],
    }
    assert [float(word) for word in ran.stdout.split()] == [
        rate for (rate,) in wanted(chosen, 8, (0.5,))
    ]


def test_a_config_can_have_the_clock_of_its_schedule(folder):
    config = composed(
        folder,
        "schedule.warmup_steps=12.5%",
        "schedule.total_steps=1dur",
        "+scheduler.clock={_target_: olm.Clock, total_steps: '${steps}'}",
    )
    assert train(config, folder / "run.pt", 0, 40)[0] == wanted(COSINE, 40, (0.1, 0.03))
    longer = OmegaConf.merge(config, {"steps": 80})
    with pytest.raises(olm.StateError, match="of a run of another length"):
        train(longer, folder / "run.pt", 20, 30)
