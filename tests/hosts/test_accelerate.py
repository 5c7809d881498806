"""Accelerate on 1 and 2 processes: a step is an optimizer step, and runs resume."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import olm
from hosts import targets
from olm.train.hosts.accelerate import clock_of

WORKER = Path(__file__).with_name("accelerate_worker.py")
BASE = 0.05
STEPS = 9
"""3 epochs of 3 steps: see the worker."""
STOP = 4
"""In the second epoch, after 3 of its batches."""

COSINE = {"kind": "WarmupCosineScheduler", "warmup_steps": 2, "total_steps": STEPS, "min_lr": 1e-3}
LONGER = {**COSINE, "total_steps": 2 * STEPS}
NESTED = {
    "kind": "SequentialLR",
    "milestones": [2, 6],
    "schedulers": [
        {"kind": "WarmupLR", "warmup_steps": 2},
        {
            "kind": "SequentialLR",
            "milestones": [1],
            "schedulers": [{"kind": "HoldLR"}, {"kind": "CosineAnnealingLR", "T_max": 3}],
        },
        {"kind": "LinearLR", "total_steps": 3, "start_factor": 0.5},
    ],
}
DOCUMENTS = {"cosine": COSINE, "nested": NESTED, "targets": targets.document(STEPS)}
COUNTED = {"3ep": {}, "1dur": {}, "100%": {"loading": {"split_batches": True}}}
"""Notations for the length of a run of 3 epochs, each with options."""
PLATEAU = {"kind": "ReduceLROnPlateau", "patience": 1, "factor": 0.5}


def run(tasks, processes, folder):
    """The results of tasks, by name, in new processes: a list with an item for each process."""
    out = folder / "results"
    command = [sys.executable, str(WORKER), json.dumps([*tasks.values()]), str(out)]
    if processes > 1:
        launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        command[1:1] = launch
    here = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "random"}
    path = os.pathsep.join([str(WORKER.parents[1]), os.environ.get("PYTHONPATH", "")])
    env = os.environ | here | {"PYTHONPATH": path}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ranks = [json.loads(Path(f"{out}.{rank}").read_text()) for rank in range(processes)]
    return {name: [results[index] for results in ranks] for index, name in enumerate(tasks)}


def rates(document, steps=STEPS, base=BASE, every=1):
    """The rates of both param groups, at every step or at every other one."""
    schedule = olm.parse(document).schedule
    bases = (base / 10, base)
    return [[schedule.lr(step * every, base) for base in bases] for step in range(steps)]


@pytest.fixture(scope="module", params=[1, 2], ids=["1 process", "2 processes"])
def processes(request):
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("accelerate")


@pytest.fixture(scope="module")
def before(processes, folder):
    """Runs that are never stopped, and the first halves of some that are."""
    split = {"loading": {"split_batches": True}}
    unlinked = {"step_scheduler_with_optimizer": False}
    tasks = {
        "plain": {"document": COSINE, "options": {"ours": False}},
        "plain plateau": {
            "document": PLATEAU,
            "options": {"ours": False},
            "train": {"metrics": [1.0, 1.0, 1.0]},
        },
        "unlinked": {
            "document": COSINE,
            "options": {"ours": False, **unlinked},
            "train": {"guarded": True},
        },
        "split": {"document": COSINE, "options": {"ours": False, **split}},
        "ours unlinked": {"document": COSINE, "options": unlinked},
        "ours split": {"document": COSINE, "options": split},
        "overflow": {
            "document": COSINE,
            "options": {"scaled": True},
            "train": {"overflow": [4]},
        },
        # The last step of each epoch is skipped, but the metric is still observed.
        "plateau": {
            "document": PLATEAU,
            "options": {"scaled": True},
            "train": {"metrics": [1.0, 1.0, 1.0], "overflow": [7]},
        },
        "torch": {"document": None},
    }
    # A step is 3 batches of 2 samples of 4 tokens on every process.
    counted = COUNTED | {f"{54 * processes}sp": {}, f"{216 * processes}tok": {}}
    for total, options in counted.items():
        document = {**COSINE, "warmup_steps": "20%", "total_steps": total}
        tasks[f"counted {total.lstrip('0123456789')}"] = {"document": document, "options": options}
    for name, document in DOCUMENTS.items():
        save = str(folder / f"{name}-{processes}")
        tasks[f"whole {name}"] = {"document": document}
        tasks[f"first {name}"] = {"document": document, "train": {"stop": STOP, "save": save}}
    return run(tasks, processes, folder)


@pytest.fixture(scope="module")
def after(before, processes, folder):
    """The second halves, in new processes."""
    half = {"start": 1, "skipped": 3}
    tasks = {
        f"second {name}": {
            "document": document,
            # Another seed: only the checkpoint can give the right weights.
            "options": {"seed": 1},
            "resume": str(folder / f"{name}-{processes}"),
            "train": half,
        }
        for name, document in DOCUMENTS.items()
    }
    changed = {"document": LONGER, "resume": str(folder / f"cosine-{processes}"), "train": half}
    for choice in ("error", "spec", "checkpoint"):
        tasks[choice] = changed | {"options": {"base": BASE / 2, "on_change": choice}}
    return run(tasks, processes, folder)


def test_every_process_has_the_same_rates_weights_and_states(before, after, processes):
    for ranks in (before | after).values():
        assert len(ranks) == processes
        assert all(json.dumps(rank) == json.dumps(ranks[0]) for rank in ranks)
    assert before["plain"][0]["processes"] == processes


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_scheduler_counts_optimizer_steps(before, name):
    whole = before[f"whole {name}"][0]
    document = DOCUMENTS[name]
    by_formula = targets.formula(document, range(STEPS)) if name == "targets" else rates(document)
    assert whole["rates"] == by_formula
    assert whole["state"]["last_epoch"] == STEPS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_run_resumed_in_new_processes_has_the_same_rates_and_weights(before, after, name):
    whole, first, second = (
        before[f"whole {name}"][0],
        before[f"first {name}"][0],
        after[f"second {name}"][0],
    )
    assert len(first["rates"]) == STOP
    assert first["rates"] + second["rates"] == whole["rates"]
    assert second["weights"] == whole["weights"]
    assert second["state"] == whole["state"]
    assert first["weights"] != whole["weights"]


def test_without_the_adapter_a_scheduler_steps_once_per_process(before, processes):
    plain = before["plain"][0]
    assert plain["rates"] == rates(COSINE, every=processes)
    assert plain["state"]["last_epoch"] == STEPS * processes
    # With a patience of 1, three equal metrics are one too few for the rate to fall.
    plateau = before["plain plateau"][0]["state"]
    assert plateau["last_epoch"] == 3 * processes
    assert plateau["num_reductions"] == {1: 1, 2: 2}[processes]


def test_step_scheduler_with_optimizer_false_is_right_in_a_guarded_loop(before):
    unlinked = before["unlinked"][0]
    assert unlinked["rates"] == rates(COSINE)
    assert unlinked["state"]["last_epoch"] == STEPS


@pytest.mark.parametrize("name", ["split", "ours split"])
def test_split_batches_is_right_with_the_adapter_and_without(before, processes, name):
    # Each process sees a share of every batch, so there are more steps.
    steps = {1: STEPS, 2: 18}[processes]
    assert before[name][0]["rates"] == rates(COSINE, steps)
    assert before[name][0]["state"]["last_epoch"] == steps


@pytest.mark.parametrize("unit", ["ep", "dur", "%", "sp", "tok"])
def test_a_spec_in_durations_ends_with_the_run(before, processes, unit):
    counted = before[f"counted {unit}"][0]
    steps = 18 if unit == "%" and processes == 2 else STEPS
    warmup = {9: 2, 18: 4}[steps]
    in_steps = {**COSINE, "warmup_steps": warmup, "total_steps": steps}
    assert counted["rates"] == rates(in_steps, steps)
    assert counted["state"]["last_epoch"] == counted["state"]["total_steps"] == steps


def test_a_clock_needs_a_prepared_loader():
    loader = torch.utils.data.DataLoader([1.0, 2.0])
    with pytest.raises(olm.OlmError, match=r"loader must be one that accelerator\.prepare ret"):
        clock_of(None, loader, epochs=3)


def test_the_adapter_is_right_in_a_loop_without_a_guard_whatever_the_setting(before):
    ours = before["ours unlinked"][0]
    assert ours["rates"] == rates(COSINE)
    assert ours["state"]["last_epoch"] == STEPS


def test_a_step_that_the_gradient_scaler_skips_is_not_counted(before):
    # In each of the 3 epochs, one step of 3 was skipped.
    overflow = before["overflow"][0]
    assert overflow["rates"] == rates(COSINE, 6)
    assert overflow["state"]["last_epoch"] == 6


def test_a_plateau_steps_once_per_metric_on_any_number_of_processes(before):
    state = before["plateau"][0]["state"]
    assert state["last_epoch"] == 3
    schedule = olm.parse(PLATEAU).schedule
    for _ in range(3):
        schedule = schedule.observe(1.0)
    assert olm.parse(state).schedule == schedule
    assert schedule.num_reductions == 1


def test_a_torch_scheduler_steps_once_per_optimizer_step_too(before):
    rates_of_both = before["torch"][0]["rates"]
    assert rates_of_both == [[BASE / 10 * 0.5**step, BASE * 0.5**step] for step in range(STEPS)]


def test_loading_a_state_of_another_spec_is_an_error_that_lists_every_difference(after):
    refused = after["error"][0]
    assert refused["error"].splitlines()[:4] == [
        "this state is of another schedule",
        "  total_steps: the checkpoint has 9, this scheduler 18",
        f"  base_lrs[0]: the checkpoint has {BASE / 10}, this scheduler {BASE / 20}",
        f"  base_lrs[1]: the checkpoint has {BASE}, this scheduler {BASE / 2}",
    ]
    assert refused["unchanged"]


@pytest.mark.parametrize(
    ("on_change", "document", "base"), [("spec", LONGER, BASE / 2), ("checkpoint", COSINE, BASE)]
)
def test_with_on_change_the_run_continues_from_the_same_step(after, on_change, document, base):
    chosen = after[on_change][0]
    assert chosen["rates"] == rates(document, base=base)[STOP:]
    assert chosen["state"] == {
        **olm.parse(document).model_dump(),
        "last_epoch": STEPS,
        "base_lrs": [base / 10, base],
        "digest": chosen["state"]["digest"],
    }


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_checkpoint_holds_the_state_in_plain_values(before, folder, processes, name):
    state = torch.load(folder / f"{name}-{processes}" / "scheduler.bin", weights_only=True)
    assert state == before[f"first {name}"][0]["state"]
    assert olm.parse(state).model_dump() == state
    assert state["last_epoch"] == STOP
