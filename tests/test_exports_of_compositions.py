"""``olm export`` of kinds inside kinds: exact, or refused."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from olm.foreign.exports._targets import Run, export, targets
from olm.problem import SpecError
from olm.spec.spec import parse
from strategies import schedules
from test_exports import BASE
from test_exports_of_trainers import SEARCHED, imported
from test_exports_with_optimizer import ENDS, has_the_rates


@pytest.mark.parametrize("target", ENDS)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(schedule=schedules(depth=2))
def test_a_composition_of_kinds_is_exported_exactly_or_refused(target, tmp_path, schedule):
    run = Run(parse(schedule), BASE, 30)
    text = None
    with suppress(SpecError):
        text = export(run, targets()[target])
    assert text is None or has_the_rates(text, target, run, tmp_path)


@pytest.mark.parametrize("target", SEARCHED)
@settings(max_examples=25, deadline=None)
@given(schedule=schedules(), base=st.sampled_from([0.25, 3e-4]), steps=st.integers(1, 60))
def test_a_composition_is_imported_with_the_same_rates_or_refused(target, schedule, base, steps):
    run = Run(parse(schedule.model_dump()), base, steps)
    with TemporaryDirectory() as folder:
        rates = imported(target, run, Path(folder))
    if rates is not None:
        expected = schedule.lr(np.arange(steps), base)
        assert rates == pytest.approx(expected, rel=1e-12, abs=1e-12 * max(expected))
