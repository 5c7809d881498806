"""``olm export`` of kinds inside kinds: exact, or refused."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings

from olm.foreign.exports._targets import Run, export, targets
from olm.problem import SpecError
from olm.spec.spec import parse
from strategies import schedules
from test_exports import BASE
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
