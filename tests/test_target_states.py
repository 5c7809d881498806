"""Every kind as the schedule of targets: its states, whatever the hash seed and the checkpoint."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.optim import SGD

import olm
from olm.train.hosts.dcp import SchedulerState
from training import EXAMPLES

DOCUMENTS = [
    {
        "kind": "HoldLR",
        "also": [
            {"set": "weight_decay", "schedule": example.values[0]},
            {"set": "momentum", "groups": "head", "base": 0.0, "schedule": {"kind": "HoldLR"}},
            {"set": "lr", "groups": ["neck", "head"], "scaled_by": example.values[0]},
            {"value": "temp", "schedule": example.values[0]},
            {"value": "kl", "metric": "loss", "schedule": example.values[0]},
        ],
    }
    for example in EXAMPLES
]
NAMES = ("body", "neck", "head")
STEPS = 5


def built(document):
    groups = [
        {"params": [torch.zeros(2)], "name": name, "lr": 0.5, "weight_decay": 0.1 * index}
        for index, name in enumerate(NAMES)
    ]
    return olm.build(document, SGD(groups, momentum=0.9))


def numbers_of(scheduler):
    return scheduler.settings() | scheduler.values()


def trained(scheduler, steps):
    """The numbers of some steps, with a metric after each."""
    found = []
    for step in range(steps):
        found.append(numbers_of(scheduler))
        scheduler.optimizer.step()
        scheduler.step()
        scheduler.observe(1.0 / (scheduler.last_epoch % 3 + 1), loss=float(step))
    return found


def states():
    """The states of all kinds as targets after some steps, as JSON."""
    schedulers = list(map(built, DOCUMENTS))
    for scheduler in schedulers:
        trained(scheduler, STEPS)
    return json.dumps([scheduler.state_dict() for scheduler in schedulers])


def test_states_are_the_same_bytes_for_any_hash_seed():
    code = "import test_target_states; print(test_target_states.states())"
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    ]
    assert {*outputs} == {states() + "\n"}


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled:UserWarning")
@pytest.mark.parametrize("wrap", [lambda scheduler: scheduler, SchedulerState])
def test_every_kind_as_a_target_survives_a_distributed_checkpoint(wrap, tmp_path):
    olds, news = (list(map(built, DOCUMENTS)) for _ in range(2))
    for old in olds:
        trained(old, STEPS)
    dcp.save({f"{n}": wrap(old) for n, old in enumerate(olds)}, checkpoint_id=tmp_path)
    dcp.load({f"{n}": wrap(new) for n, new in enumerate(news)}, checkpoint_id=tmp_path)
    for old, new in zip(olds, news, strict=True):
        assert new.state_dict() == old.state_dict()
        assert numbers_of(new) == numbers_of(old)
        assert trained(new, 8) == trained(old, 8)


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled:UserWarning")
@pytest.mark.parametrize("index", range(len(DOCUMENTS)), ids=lambda index: EXAMPLES[index].id)
def test_a_mixture_of_two_states_is_rejected_by_its_digest(index):
    document = DOCUMENTS[index]
    state, other = built(document).state_dict(), json.loads(json.dumps(document))
    other["also"][0]["schedule"] = {"kind": "HoldLR", "factor": 0.25}
    others = built(other).state_dict()
    for key in ("also", "digest"):
        scheduler = built(document)
        before = scheduler.state_dict(), numbers_of(scheduler)
        with pytest.raises(olm.StateError):
            scheduler.load_state_dict({**state, key: others[key]}, on_change="checkpoint")
        assert (scheduler.state_dict(), numbers_of(scheduler)) == before
