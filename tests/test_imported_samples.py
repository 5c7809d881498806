"""Configurations of other frameworks and the rates that they must have as specs.

A folder `tests/imports/FORMAT` has the files, each with its expectation beside it.
"""

from pathlib import Path

import pytest
import yaml

import olm
from olm.problem import OlmError, SpecError

FOLDER = Path(__file__).parent / "imports"
SAMPLES = sorted(FOLDER.glob("*/*.expect.yaml"))


def of_sample(expectation):
    """The file beside an expectation."""
    stem = expectation.name.removesuffix(".expect.yaml")
    (file,) = (path for path in expectation.parent.glob(f"{stem}.*") if path != expectation)
    return file


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_imported_configuration_has_the_rates_of_its_framework(path):
    expected = yaml.safe_load(path.read_text(encoding="utf-8"))
    file, given = of_sample(path), expected.get("given", {})
    if expected["verdict"] == "cannot":
        with pytest.raises(SpecError) as error:
            olm.import_config(file, **given)
        assert error.value.problems[0].code == expected["code"]
        return
    made = olm.import_config(file, nearest=expected["verdict"] == "near", **given)
    assert made.format == path.parent.name
    spec = made.spec
    tolerance = expected.get("tolerance", 1e-12)
    base = expected["base_lr"]
    for step, rate in expected["checks"]:
        if "observations" in expected.get("checks_are", ""):
            schedule = spec.schedule
            for _ in range(step):
                schedule = schedule.observe(1.0)
            assert schedule.lr(0, base) == pytest.approx(rate, rel=tolerance)
        else:
            assert spec.lr(step, base) == pytest.approx(rate, rel=tolerance, abs=1e-15 * base)
    assert dict(spec.optimizer)["lr"] == pytest.approx(base)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"total_step": 9}, "there is no option total_step: did you mean total_steps?"),
        ({"world_size": 0}, "world_size must be above 0, found 0"),
        ({"warmup_steps": -1}, "warmup_steps must be at least 0, found -1"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0, found nan"),
    ],
)
def test_an_option_of_an_import_that_means_nothing_is_an_error(options, message):
    with pytest.raises(OlmError) as error:
        olm.import_config(of_sample(SAMPLES[0]), **options)
    assert str(error.value) == message


def test_devices_are_the_processes_of_all_nodes():
    file = FOLDER / "transformers" / "cai_dpo_linear.yaml"
    made = [
        olm.import_config(file, dataset_size=1000, **{name: 2}).spec
        for name in ("devices", "world_size")
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    "options",
    [
        "--sched cosine --lr-cycle-mul 2 --lr-cycle-limit 1000000000000 --epochs 9",
        "--sched step --decay-epochs 2.4 --epochs 1000000000",
        "--sched step --decay-epochs 1e-300 --epochs 9",
    ],
)
def test_a_number_beyond_all_runs_is_refused_at_once(options, tmp_path):
    file = tmp_path / "run.sh"
    file.write_text(f"python train.py --lr 0.1 {options}\n", encoding="utf-8")
    with pytest.raises(SpecError) as error:
        olm.import_config(file, steps_per_epoch=7)
    assert error.value.problems[0].code == "unsupported-key"
