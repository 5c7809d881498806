"""timm's and torchvision's command lines: the specs in epochs, for runs of unknown length."""

import pytest

import olm
from olm.problem import SpecError

LINES = [
    "train.py --sched cosine --epochs 9 --warmup-epochs 2 --lr 0.1 --min-lr 1e-3",
    "train.py --sched cosine --epochs 4 --warmup-epochs 2 --lr 0.1 --lr-cycle-limit 2",
    "train.py --sched step --epochs 9 --decay-epochs 2.4 --decay-rate 0.9 --lr 0.1",
    "train.py --sched multistep --epochs 9 --decay-milestones 3 6 --lr 0.1 --sched-on-updates",
    "train.py --sched tanh --epochs 9 --warmup-epochs 0 --lr 0.1",
    "train.py --sched wsd --epochs 9 --warmup-epochs 2 --decay-epochs 3 --lr 0.1",
    "train.py --lr-scheduler cosineannealinglr --epochs 9 --lr-warmup-epochs 2 --lr-gamma 0.5",
    "train.py --lr-scheduler exponentiallr --epochs 9 --lr-warmup-method linear"
    " --lr-warmup-epochs 2 --lr-gamma 0.9",
]


@pytest.mark.parametrize("line", LINES)
def test_a_spec_in_epochs_is_the_one_in_steps_once_an_epoch_is_known(tmp_path, line):
    (tmp_path / "run.sh").write_text(f"torchrun --nproc_per_node=8 {line}\n")
    counted = olm.import_config(tmp_path / "run.sh", steps_per_epoch=7).spec
    portable = olm.import_config(tmp_path / "run.sh").spec.resolve(counted.clock)
    steps = list(range(70))
    assert portable.lr(steps, 0.1) == pytest.approx(counted.lr(steps, 0.1), rel=1e-15)


def test_the_rate_of_timm_follows_from_the_batch_of_all_processes(tmp_path):
    file = tmp_path / "run.sh"
    file.write_text("./distributed_train.sh 4 data --sched cosine -b 128 --opt adamw --epochs 9\n")
    assert dict(olm.import_config(file).spec.optimizer)["lr"] == 0.1 * 2**0.5


def test_the_length_of_an_epoch_of_timm_follows_from_the_size_of_the_data_set(tmp_path):
    file = tmp_path / "run.sh"
    file.write_text(
        "./distributed_train.sh 4 data --sched cosine -b 10 --grad-accum-steps 3 --lr 1\n"
    )
    spec = olm.import_config(file, dataset_size=1003).spec
    # 251 samples a process, 25 whole batches, in groups of three.
    assert spec.clock.steps_per_epoch == 9


def test_shorter_cycles_of_timm_that_end_before_the_run_are_refused(tmp_path):
    cycles = "train.py --sched cosine --epochs 6 --warmup-epochs 0 --lr 0.1 --lr-cycle-limit 3"
    file = tmp_path / "run.sh"
    file.write_text(f"{cycles} --lr-cycle-mul 0.5 --cooldown-epochs 2\n")
    with pytest.raises(SpecError, match="become shorter"):
        olm.import_config(file)
    file.write_text(f"{cycles} --lr-cycle-mul 0.5 --cooldown-epochs 1\n")
    assert olm.import_config(file).format == "timm"
