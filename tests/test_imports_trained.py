"""Configurations of frameworks, imported, checked, trained to the end and resumed.

Each goes through the commands of the guide `imports-to-training`, in this process. The rates that
the guide's script prints are compared with those of the framework's own code.
"""

import re
import shlex
from pathlib import Path

import pytest
import yaml

import code_blocks
import needs
from olm.checking.guides import guide
from olm.cli import FINE, main

FOLDER = Path(__file__).parent / "imports"
PAGE = code_blocks.blocks(guide("imports-to-training").text)
SCRIPT = next(block.text for block in PAGE if block.file == "train.py")
COMMANDS = [
    command
    for block in PAGE
    if block.language == "console"
    for command, _ in code_blocks.commands(block.text)
]
PRINTED = re.compile(r"^step (\d+): rate (.+)$", re.MULTILINE)
STOP = 37

TRAINED = [
    "axolotl/quadratic_restarts.yaml",
    "composer/share_cut_off.yaml",
    "deepspeed/warmup_cosine.json",
    "hydra/sequence_by_step.yaml",
    "lightning/cosine_by_epoch.yaml",
    "litgpt/without_warmup.yaml",
    "megatron/inverse_root.sh",
    "mmengine/poly.py",
    "nemo/polynomial_hold.yaml",
    "timm/args.yaml",
    "torchtitan/half_to_even.toml",
    "torchvision/step.sh",
    "transformers/call_in_notebook.ipynb",
]


def imported(name, monkeypatch, folder):
    """The expectation of a configuration that the guide's commands import and check."""
    file = FOLDER / name
    expected = yaml.safe_load(file.with_suffix(".expect.yaml").read_text(encoding="utf-8"))
    options = expected.get("given", {}).items()
    given = [f"--{option.replace('_', '-')}={value}" for option, value in options]
    monkeypatch.chdir(folder)
    for command in COMMANDS[:2]:
        words = shlex.split(command.replace(" --total-steps 200", ""))
        at = words.index("config.yaml") + 1 if "config.yaml" in words else 0
        words[at - 1 : at] = [str(file), *given] if at else []
        assert main(words[1:] if at else command.split()[1:]) == FINE, command
    return expected


@pytest.fixture
def one_thread():
    """Small matrices take longer on several threads, which wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@needs.torch
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", TRAINED)
def test_an_import_trains_to_the_end_with_the_rates_of_its_framework(
    name, tmp_path, monkeypatch, capsys
):
    expected = imported(name, monkeypatch, tmp_path)
    names = {"__name__": "train"}
    exec(compile(SCRIPT, "train.py", "exec"), names)
    spec = Path("run.olm.yaml")
    total = yaml.safe_load(spec.read_text(encoding="utf-8"))["clock"]["total_steps"]
    capsys.readouterr()
    names["train"](spec, min(STOP, total // 2))
    names["train"](spec)
    rates = {int(step): float(rate) for step, rate in PRINTED.findall(capsys.readouterr().out)}
    assert [*rates] == [*range(total)]
    for step, rate in expected["checks"]:
        if step < total:
            tolerance = expected.get("tolerance", 1e-12)
            assert rates[step] == pytest.approx(rate, rel=tolerance, abs=1e-15)


def test_ten_frameworks_are_trained():
    assert len({name.partition("/")[0] for name in TRAINED}) >= 10
    assert [shlex.split(command)[1] for command in COMMANDS[:2]] == ["import", "check"]
