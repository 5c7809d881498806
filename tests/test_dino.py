"""One document schedules all numbers of a self-distillation, which is killed and resumed."""

import json
import signal
import subprocess
import sys

import torch

import olm
from dino import train


def run(folder, *, kill_after=None):
    """The printed lines of a training process, killed after a step if one is given."""
    command = [sys.executable, train.__file__, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if int(line.split()[0]) == kill_after:
                process.send_signal(signal.SIGKILL)
    assert process.returncode == (0 if kill_after is None else -signal.SIGKILL)
    return lines


def test_a_distillation_that_is_killed_twice_has_every_number_of_one_that_is_not(tmp_path):
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    calm.mkdir(), rough.mkdir()
    wanted = run(calm)
    lines = [*run(rough, kill_after=17), *run(rough, kill_after=41), *run(rough)]
    assert {*lines} == {*wanted}
    assert len(wanted) == train.STEPS
    first, second = (
        torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (calm, rough)
    )
    assert first["scheduler"] == second["scheduler"]
    for part in ("student", "teacher"):
        for name, tensor in first[part].items():
            assert torch.equal(tensor, second[part][name])


def test_the_numbers_are_those_of_the_document(tmp_path):
    spec = olm.parse(train.DOCUMENT)
    for line in run(tmp_path):
        step, rest = line.split(" ", 1)
        settings, end = json.JSONDecoder().raw_decode(rest)
        step = int(step)
        for group in ("rest/wd", "rest/no_wd", "last_layer/wd"):
            assert settings[f"lr/{group}"] == spec.of("lr", step, base=5e-3, group=group)
            decay = 0.0 if "no_wd" in group else 0.04
            wanted = spec.of("weight_decay", step, base=decay, group=group)
            assert settings[f"weight_decay/{group}"] == wanted
        for name in ("teacher_momentum", "teacher_temp"):
            assert settings[name] == spec.value(name, step)
        # The last layer is frozen for an epoch; at step 0 all rates are 0.
        assert ("last_layer" in rest[end:]) == (0 < step < 12)
