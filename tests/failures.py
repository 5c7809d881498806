"""What the tests of other libraries' failures have in common."""

import olm
from training import optimizer_of, trained

LINEAR = {"kind": "LinearLR", "total_steps": 10}


def still(what, so):
    """Assert that another library fails as it did; it is no failure of ours if it does not."""
    assert so, f"it is no longer so that {what}: this check, and the table's line, can go"


def after(document, steps, *bases):
    """A scheduler of ours that has taken some steps."""
    scheduler = olm.build(document, optimizer_of(*(bases or (0.5,))))
    trained(scheduler, steps)
    return scheduler


def snapshot(scheduler):
    """All that a scheduler and its optimizer say of themselves, as text."""
    groups = [{**group} for group in scheduler.optimizer.param_groups]
    return str((scheduler.state_dict(), scheduler.get_last_lr(), scheduler._step_count, groups))


def raised(function, *arguments):
    """The name of what a call of another library raises, or "nothing"."""
    try:
        function(*arguments)
    except Exception as error:
        return type(error).__name__
    return "nothing"
