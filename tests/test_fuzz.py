"""The inputs that `tools/fuzz.py` starts from, which include its findings, end without one."""

import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests" / "fuzz"
INPUTS = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def targets():
    """The module with the targets, whose folder is no package."""
    spec = spec_from_file_location("fuzz_targets", ROOT / "tools" / "fuzz_targets.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_input_is_no_finding(path, targets):
    if path.parent.name in targets.NEED_TORCH and not find_spec("torch"):
        pytest.skip("torch is not installed")
    targets.attempt(path.parent.name, path.read_bytes())


def test_each_target_has_inputs_from_which_to_start(targets):
    assert {path.parent.name for path in INPUTS} == {*targets.TARGETS}
