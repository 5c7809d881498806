"""Configurations of other frameworks and the rates that they must have as specs.

A folder `tests/imports/FORMAT` has the files, each with its expectation beside it.
"""

from pathlib import Path

import pytest
import yaml

import olm
from olm.problem import SpecError

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
