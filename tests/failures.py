"""Helpers of the tests of failures in other libraries."""

import olm
from training import optimizer_of, trained

LINEAR = {"kind": "LinearLR", "total_steps": 10}


def still(what, so):
    """Assert that another library still fails; if it does not, skip, since olm is not at fault."""
    assert so, f"it is no longer so that {what}: this check, and the table's line, can go"


def after(document, steps, *bases):
    """A scheduler of olm after some steps."""
    scheduler = olm.build(document, optimizer_of(*(bases or (0.5,))))
    trained(scheduler, steps)
    return scheduler


def snapshot(scheduler):
    """The whole state of a scheduler and its optimizer, as text."""
    groups = [{**group} for group in scheduler.optimizer.param_groups]
    return str((scheduler.state_dict(), scheduler.get_last_lr(), scheduler._step_count, groups))


def raised(function, *arguments):
    """The name of the exception that a call of another library raises, or "nothing"."""
    try:
        function(*arguments)
    except Exception as error:
        return type(error).__name__
    return "nothing"
