"""Without torch, skip what cannot be imported without it: the rest must pass."""

from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

import pytest

HAS_TORCH = find_spec("torch") is not None
TRAIN = Path(__file__).parent / "olm" / "train"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Skip the only layer that imports torch."""
    return True if collection_path == TRAIN and not HAS_TORCH else None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Skip a file of tests that imports torch."""
    report = yield
    if not HAS_TORCH and report.failed and "No module named 'torch'" in str(report.longrepr):
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, "Skipped: torch is not installed")
    return report
