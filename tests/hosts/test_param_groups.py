"""Named param groups in Accelerate and DeepSpeed: their names, rates and parameters."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

import olm
from hosts.zero_groups_worker import groups_of, layers, names_in

LINEAR = {"kind": "LinearLR", "total_steps": 10}
NAMES = {
    "layer_00/wd": ["0.weight"],
    "layer_00/no_wd": ["0.bias"],
    "layer_01/wd": ["1.weight"],
    "layer_01/no_wd": ["1.bias"],
}
RATES = [0.05, 0.05, 0.1, 0.1]


def test_groups_survive_accelerate_and_its_checkpoint(tmp_path):
    accelerator, model = Accelerator(cpu=True), layers()
    optimizer = torch.optim.AdamW(groups_of(model))
    scheduler = olm.build(LINEAR, optimizer)
    model, optimizer, scheduler = accelerator.prepare(model, optimizer, scheduler)
    accelerator.backward(model(torch.ones(2, 3)).sum())
    optimizer.step()
    scheduler.step()
    accelerator.save_state(tmp_path)
    accelerator.load_state(tmp_path)
    assert [group["name"] for group in optimizer.param_groups] == list(NAMES)
    assert [group["lr"] for group in optimizer.param_groups] == [0.9 * rate for rate in RATES]
    assert names_in(groups_of(model)) == NAMES


@pytest.mark.parametrize("stage", [0, 3])
def test_an_engine_of_deepspeed_has_the_groups_of_its_model_also_when_emptied(stage):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    worker = Path(__file__).with_name("zero_groups_worker.py")
    done = subprocess.run(
        [sys.executable, str(worker), str(stage), str(port)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    last = next(line for line in done.stdout.splitlines() if line.startswith('{"dimensions'))
    report = json.loads(last)
    assert report["optimizer"] == list(NAMES)
    assert report["engine"] == NAMES
    assert report["dimensions"] == ([1, 1, 1, 1] if stage == 3 else [2, 1, 2, 1])
