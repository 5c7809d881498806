"""mmengine's configurations: their `_base_` files, and the specs of runs of unknown length."""

import pytest

import olm
from olm.problem import SpecError

BASE = """\
train_cfg = dict(max_epochs=9)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9))
"""
STEPS = "param_scheduler = [dict(type='MultiStepLR', milestones=[3, 6])]\n"


def code_of(file):
    with pytest.raises(SpecError) as error:
        olm.import_config(file)
    return error.value.problems[0].code


def test_the_keys_of_a_base_in_the_same_folder_are_merged(tmp_path):
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "below").mkdir()
    config = "_base_ = ['base.py']\noptim_wrapper = dict(optimizer=dict(lr=0.2))\n" + STEPS
    (tmp_path / "run.py").write_text(config)
    made = olm.import_config(tmp_path / "run.py", steps_per_epoch=10)
    assert dict(made.spec.optimizer) == {"lr": 0.2, "momentum": 0.9}
    assert made.spec.lr([29, 30, 60], 1.0) == pytest.approx([1.0, 0.1, 0.01])


@pytest.mark.parametrize("base", ["../base.py", "link.py", "inner/../../base.py", "mmdet::base.py"])
def test_a_base_outside_of_the_folder_is_not_read(tmp_path, base):
    (tmp_path / "base.py").write_text("this is not Python")
    folder = tmp_path / "configs"
    (folder / "inner").mkdir(parents=True)
    (folder / "link.py").symlink_to(tmp_path / "base.py")
    (folder / "run.py").write_text(f"_base_ = ['{base}']\n{BASE}{STEPS}")
    assert code_of(folder / "run.py") == "needs-key"


def test_a_loop_of_bases_is_refused(tmp_path):
    (tmp_path / "a.py").write_text(f"_base_ = 'b.py'\n{STEPS}")
    (tmp_path / "b.py").write_text(f"_base_ = 'a.py'\n{BASE}")
    assert code_of(tmp_path / "a.py") == "needs-key"


@pytest.mark.parametrize(
    "statement",
    [
        "param_scheduler[0]['gamma'] = 0.5",
        "param_scheduler.append(dict(type='StepLR', step_size=1))",
        "for scheduler in param_scheduler:\n    scheduler.update(gamma=0.5)",
        "rate *= 2",
        "with read_base():\n    from .schedule import *",
        "del train_cfg",
    ],
)
def test_a_statement_that_may_change_the_schedule_is_refused(tmp_path, statement):
    text = f"rate = 0.1\n{BASE.replace('0.1', 'rate')}{STEPS}{statement}\n"
    (tmp_path / "run.py").write_text(text)
    assert code_of(tmp_path / "run.py") == "needs-code"


def test_statements_about_other_things_are_skipped(tmp_path):
    (tmp_path / "run.py").write_text(f"{BASE}{STEPS}files = []\nfiles.append('x')\nprint(files)\n")
    assert olm.import_config(tmp_path / "run.py").spec.schedule.kind == "MultiStepLR"


WINDOWS = [
    "dict(type='LinearLR', start_factor=0.1, begin=0, end=2, convert_to_iter_based=True)",
    "dict(type='CosineAnnealingLR', T_max=5, eta_min=1e-3, begin=3, end=8)",
    "dict(type='PolyLR', power=2, begin=2, end=9, convert_to_iter_based=True)",
    "dict(type='StepLR', step_size=2, begin=1, end=6)",
    "dict(type='ExponentialLR', gamma=0.9, begin=4, end=7)",
    "dict(type='CosineRestartLR', periods=[3, 6], restart_weights=[1, 0.5], eta_min=1e-3)",
]


@pytest.mark.parametrize("window", WINDOWS)
def test_a_spec_in_epochs_is_the_one_in_steps_once_an_epoch_is_known(tmp_path, window):
    (tmp_path / "run.py").write_text(f"{BASE}param_scheduler = {window}\n")
    counted = olm.import_config(tmp_path / "run.py", steps_per_epoch=7).spec
    portable = olm.import_config(tmp_path / "run.py").spec
    again = portable.resolve(counted.clock)
    steps = list(range(63))
    assert again.lr(steps, 0.1) == pytest.approx(counted.lr(steps, 0.1), rel=1e-15)
