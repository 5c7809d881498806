"""Other packages called `olm` in the same folder, laid out as their wheels do.

`tools/other_olm.py` installs the real packages in fresh environments, in both orders, and records
their lists of files and what each command printed there, with which these layouts are compared.
"""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import olm
from olm.cli import FINE, MISUSE

RECORD = json.loads((Path(__file__).parent / "other_olm.json").read_text(encoding="utf-8"))
OURS = Path(olm.__file__).parent

THEIR_INIT = {"openlanguagemodel": "from . import nn\n"}
"""What the `__init__.py` of another package does, if it leaves the command alive."""

RUN = """
import sys
sys.path += {path}
sys.argv = ["olm", "--version"]
{code}
"""
PROBES = {
    "import olm": "import olm",
    "olm": "from olm.cli import script; script()",
}


@pytest.fixture
def site(tmp_path):
    """A folder of packages with ours, of links."""
    (tmp_path / "olm").mkdir()
    for entry in OURS.iterdir():
        if entry.name != "__pycache__":
            (tmp_path / "olm" / entry.name).symlink_to(entry)
    describe(tmp_path, "olm-schedules", ["olm/__init__.py"])
    return tmp_path


def describe(site, name, files):
    """Write what an installer writes about a distribution."""
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def add_other(site, name, init=None):
    """Add the files of another package; without its `__init__.py`, ours was installed last."""
    files = RECORD[name]["files"]
    ours = {entry.name for entry in OURS.iterdir()}
    for file in map(Path, files):
        if file.parts[1] not in ours:
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            (site / file).touch()
    if init is not None:
        (site / "olm" / "__init__.py").unlink()
        (site / "olm" / "__init__.py").write_text(init)
    describe(site, name, files)


def outcome(site, code, *options):
    """The exit status and the last line, in the form of the record."""
    # Without `site`, no file of `.pth` adds the folder of this checkout.
    path = [str(site), sysconfig.get_path("purelib")]
    command = [sys.executable, "-I", "-S", *options, "-c", RUN.format(path=path, code=code)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=site)
    lines = (done.stdout + done.stderr).strip().splitlines() or [""]
    return {"status": done.returncode, "line": lines[-1].replace(str(site), "SITE")}


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("name", RECORD)
def test_if_ours_was_installed_last_a_warning_names_the_other_and_what_to_do(name, probe, site):
    add_other(site, name)
    expected = RECORD[name]["outcomes"]["olm-schedules last"][probe]
    assert outcome(site, PROBES[probe]) == expected
    assert expected["status"] == FINE
    assert f"`pip uninstall {name} olm-schedules` and then" in expected["line"]


@pytest.mark.parametrize("name", THEIR_INIT)
def test_if_another_was_installed_last_the_command_refuses(name, site):
    add_other(site, name, THEIR_INIT[name])
    expected = RECORD[name]["outcomes"][f"{name} last"]["olm"]
    assert outcome(site, PROBES["olm"]) == expected
    assert expected["status"] == MISUSE


def test_after_another_was_uninstalled_the_command_reports_what_is_missing(site):
    (site / "olm" / "__init__.py").unlink()
    case = "olm-schedules last, then openlanguagemodel uninstalled"
    expected = RECORD["openlanguagemodel"]["outcomes"][case]["olm"]
    assert outcome(site, PROBES["olm"]) == expected
    assert expected["status"] == MISUSE


@pytest.mark.parametrize("name", RECORD)
def test_what_is_advised_repairs_every_environment(name):
    outcomes = RECORD[name]["outcomes"]
    advised = [each for case, each in outcomes.items() if case.endswith("as advised")]
    assert len(advised) == 4
    assert {probe["status"] for each in advised for probe in each.values()} == {FINE}
    assert {probe["line"][:4] for each in advised for probe in each.values()} == {"", "olm "}


def test_files_of_an_unknown_package_are_named(site):
    (site / "olm" / "vision.py").touch()
    line = outcome(site, PROBES["olm"])["line"]
    assert "SITE/olm has files of another package called `olm`, such as `vision.py`: " in line


def test_the_warning_can_be_an_error(site):
    (site / "olm" / "vision.py").touch()
    assert outcome(site, "import olm", "-W", "error")["status"] == 1


def test_stray_files_and_folders_are_no_package(site):
    (site / "olm" / ".DS_Store").touch()
    (site / "olm" / "words" / "__pycache__").mkdir(parents=True)
    assert outcome(site, "import olm") == {"status": FINE, "line": ""}


def test_the_package_knows_its_own_files():
    present = (path for path in OURS.iterdir() if path.is_file() or (path / "__init__.py").exists())
    # A build copies the recipes into the package; tests/test_packaging.py looks into the wheel.
    assert {path.name for path in present} | {"__pycache__", "recipes"} == olm._FILES
