"""What the package requires and contains, and what the environments pin."""

import re
import subprocess
import sys
import tarfile
import tomllib
from itertools import chain
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import olm
from checkout import ROOT, checkout, variables

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
GROUPS = PYPROJECT["dependency-groups"]

CONSTRAINTS = {"dev": "constraints.txt", "hosts": "constraints-hosts.txt"}
"""The file in `tools` with the exact versions of a dependency group, of olm and of its extras."""

OLM = [
    *PYPROJECT["build-system"]["requires"],
    *PROJECT["dependencies"],
    *chain.from_iterable(PROJECT["optional-dependencies"].values()),
]
REQUIREMENTS = [(group, text) for group in CONSTRAINTS for text in [*OLM, *GROUPS[group]]]

MACHINE_PATH = re.compile(r"(?<![\w.*:/{}])/\w[\w.-]*/|file:|[A-Z]:\\")
"""A path from the root of some machine, such as one of a folder of wheels."""

BUILD = """
from setuptools import build_meta
build_meta.build_sdist("dist")
build_meta.build_wheel("dist")
"""

SOME_TESTS = ("tests/test_compare.py", "tests/test_problems.py")
"""Tests that need helper modules, tools, cases and the rates of peers."""


def pins(group: str) -> dict[str, str]:
    """The exact version of every package in the constraints of a group, by normalised name."""
    lines = (ROOT / "tools" / CONSTRAINTS[group]).read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize(("group", "text"), REQUIREMENTS)
def test_every_requirement_is_pinned_to_a_version_that_it_allows(group, text):
    requirement = Requirement(text)
    assert pins(group)[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_lowest_versions_that_are_tested_are_those_that_the_project_admits():
    lines = (ROOT / "tools" / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    extras = chain.from_iterable(PROJECT["optional-dependencies"].values())
    lowest = [Requirement(text) for text in [*PROJECT["dependencies"], *extras]]
    assert {*pinned} - {"pyparsing"} == {requirement.name for requirement in lowest}
    for requirement in lowest:
        [bound] = requirement.specifier
        assert (bound.operator, Version(pinned[requirement.name])) == (">=", Version(bound.version))


@pytest.mark.parametrize("group", CONSTRAINTS)
def test_no_pin_has_a_local_version_which_package_indexes_do_not_have(group):
    local = {name for name, version in pins(group).items() if Version(version).local}
    assert local == set()


@pytest.mark.parametrize("path", ["pyproject.toml", *(f"tools/{x}" for x in CONSTRAINTS.values())])
def test_no_list_of_packages_names_a_path_on_a_machine(path):
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if MACHINE_PATH.search(line)] == []


def test_paths_on_a_machine_are_recognized():
    found = ["torch @ file:x", "--find-links /opt/wheels/", 'links = "/srv/x/y"', "C:\\wheels"]
    assert [text for text in found if not MACHINE_PATH.search(text)] == []


def test_only_an_extra_requires_torch():
    assert not [text for text in PROJECT["dependencies"] if Requirement(text).name == "torch"]
    assert [Requirement(text).name for text in PROJECT["optional-dependencies"]["torch"]] == [
        "torch"
    ]


def test_every_address_of_the_project_is_in_its_repository():
    urls = PROJECT["urls"]
    assert [url for url in urls.values() if not url.startswith(urls["Repository"])] == []


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A copy of the repository, with the sdist and the wheel in `dist`."""
    folder = checkout(tmp_path_factory.mktemp("repository"))
    done = subprocess.run(
        [sys.executable, "-c", BUILD], cwd=folder, capture_output=True, text=True, env=variables()
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def unpacked(built, tmp_path_factory):
    """The folder in the sdist."""
    (archive,) = (built / "dist").glob("*.tar.gz")
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / f"olm_schedules-{PROJECT['version']}"


def files_in(folder):
    """The paths of all files in a folder, relative to it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_sdist_contains_every_file_of_the_repository(unpacked, tmp_path):
    missing = files_in(checkout(tmp_path)) - files_in(unpacked)
    assert {name for name in missing if not name.startswith(".ci/")} == set()


def test_the_tests_in_the_sdist_run(unpacked):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *SOME_TESTS],
        cwd=unpacked,
        capture_output=True,
        text=True,
        env=variables(PYTHONPATH=str(unpacked)),
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^[1-9]\d* passed", done.stdout, re.MULTILINE), done.stdout


def test_the_wheel_contains_every_file_of_the_package_the_recipes_and_no_other(built):
    (wheel,) = (built / "dist").glob("*.whl")
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = {f"olm/{name}" for name in files_in(built / "olm") if "__pycache__" not in name}
    recipes = {f"olm/recipes/{path.name}" for path in (built / "specs").glob("*.olm.yaml")}
    assert names == package | recipes


def test_the_package_knows_all_that_the_wheel_has_in_its_folder(built):
    (wheel,) = (built / "dist").glob("*.whl")
    inside = (name.split("/") for name in ZipFile(wheel).namelist())
    assert {parts[1] for parts in inside if parts[0] == "olm"} == olm._FILES - {"__pycache__"}


FORMS = {
    "github-workflows": ".github/workflows/*.yml",
    "github-issue-forms": ".github/ISSUE_TEMPLATE/[0-9]*.yml",
    "github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "dependabot": ".github/dependabot.yml",
}
"""The schema of each sort of file for GitHub."""


@pytest.mark.parametrize(("schema", "pattern"), FORMS.items())
def test_files_for_github_have_the_keys_that_it_reads(schema, pattern):
    files = sorted(map(str, ROOT.glob(pattern)))
    options = ["--builtin-schema", f"vendor.{schema}", "--color", "never"]
    command = [sys.executable, "-m", "check_jsonschema", *options, *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert files
    assert done.returncode == 0, done.stdout


CONTRIBUTING = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_contributors_find_every_layer_of_the_package():
    layers = {path.name for path in (ROOT / "olm").iterdir() if (path / "__init__.py").exists()}
    assert {layer for layer in layers if f"| `olm/{layer}/` |" not in CONTRIBUTING} == set()


def test_every_path_that_contributors_are_sent_to_exists():
    spans = re.findall(r"`(?:python3 )?([\w.-]+(?:/[\w.-]+)+/?)(?: [^`]*)?`", CONTRIBUTING)
    paths = {span for span in spans if "NAME" not in span}
    assert {path for path in paths if not (ROOT / path).exists()} == set()
    assert len(paths) > 30


def test_every_topic_that_contributors_are_sent_to_exists():
    topics = set(re.findall(r"`olm explain ([\w-]+)`", CONTRIBUTING))
    guides = {path.stem for path in (ROOT / "olm" / "checking" / "guides").glob("*.md")}
    assert topics
    assert topics - guides == set()


def test_every_path_that_a_workflow_names_exists():
    workflows = (ROOT / ".github" / "workflows").glob("*.yml")
    text = "\n".join(path.read_text(encoding="utf-8") for path in workflows)
    paths = set(re.findall(r"(?<![\w./-])(?:olm|specs|tests|tools)(?:/[\w.-]+)+", text))
    assert {path for path in paths if not (ROOT / path).exists()} == set()
    assert len(paths) > 20
