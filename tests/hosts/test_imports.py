"""Each module of a trainer can be the first of olm that a process imports."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = sorted(path.stem for path in (ROOT / "olm" / "train" / "hosts").glob("[!_]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_the_module_of_a_trainer_can_be_imported_first(name):
    before = "import sys; assert not [each for each in sys.modules if each.split('.')[0] == 'olm']"
    code = f"{before}; import olm.train.hosts.{name}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
