"""Kinds in other packages: real distributions, which a second process finds."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.machinery import PathFinder
from importlib.metadata import DistributionFinder
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

import needs
from olm.cli import FINE, MISUSE, PROBLEMS
from olm.kinds import KINDS
from olm.schedule.plugins import may_be_offered
from olm.schema.json_schema import schedules_schema

ROOT = Path(__file__).parent.parent
SOURCES = Path(__file__).parent / "plugins"
SCHEMA = ROOT / "schemas" / "schedule.schema.json"

REX = {"kind": "acme.Rex", "total_steps": 10}
DAMPED = {
    "kind": "acme.lab.Damped",
    "first": REX,
    "inner": [{"kind": "LinearLR", "total_steps": 9}],
}
SEQUENCE = {"kind": "SequentialLR", "schedulers": [REX, DAMPED], "milestones": [5]}

AS_OLM_NAMES_IT = {
    "lab.Fade": "CosineAnnealingLR",
    "lab.Drops": "MultiStepLR",
    "lab.Flat": "HoldLR",
    "lab.Highest": "MaximumLR",
    "lab.Rise": "WarmupLR",
    "lab.Slow": "TimeLR",
    "lab.Turns": "PhasesLR",
    "span": "T_max",
    "lowest": "eta_min",
    "drops": "milestones",
    "times": "factor",
    "among": "schedulers",
    "climb": "warmup_steps",
    "slowed": "scheduler",
    "pace": "every",
    "players": "schedulers",
    "spans": "lengths",
}
"""The kinds and fields of tests/plugins/lab, and the equivalent ones of olm."""

FADE = {"kind": "lab.Fade", "span": 90, "lowest": 0.001}
FLAT = {"kind": "lab.Flat"}
KNOWN = {"expect": {"base_lr": 0.1, "rates": [{"step": 0, "lr": 0.1}]}}


def turns(*players, spans):
    """A sequence of schedules of tests/plugins/lab."""
    return {"kind": "lab.Turns", "players": players, "spans": spans}


LINTED = [
    ("ends-elsewhere", {**FADE, "clock": {"total_steps": 100}}),
    ("floor-above-base", {**FADE, "lowest": 0.2, **KNOWN}),
    ("floor-not-reached", turns(FLAT, FADE, spans=[9, 45])),
    ("jump", turns(FLAT, {**FLAT, "times": 1e-5}, spans=[5, 5])),
    ("never-reached", turns(FLAT, {"kind": "lab.Drops", "drops": [2, 10]}, spans=[5, 9])),
    ("unused-final-rate", turns({"kind": "lab.Drops", "drops": [2, 9]}, spans=[9])),
    ("warmup-too-long", turns({"kind": "lab.Rise", "climb": 51}, FADE, spans=[51, 49])),
    (
        "zero-rate",
        turns({"kind": "lab.Slow", "slowed": {**FADE, "lowest": 0.0}, "pace": 3}, spans=[99]),
    ),
    (
        "floor-not-reached",
        turns(
            {
                "kind": "lab.Highest",
                "among": [{**FADE, "lowest": 0.01}, {**FLAT, "times": 1e-300}],
            },
            spans=[50],
        ),
    ),
    (
        "never-reached",
        {
            "kind": "lab.Slow",
            "slowed": turns(
                {**FLAT, "times": 0.0}, FADE, {**FLAT, "times": 1e-9}, spans=[5, 45, 10]
            ),
            "pace": 4,
            "clock": {"total_steps": 30},
        },
    ),
]
"""A code, and a document for which it is reported only by asking the kinds."""

BROKEN = {
    "Plain": "the name of a plugin's kind must be words joined by dots, as in `acme.Rex`",
    "broken.Absent": "`broken_schedules:Absent` cannot be imported: AttributeError: module "
    "'broken_schedules' has no attribute 'Absent'",
    "broken.Exits": "`broken_schedules.exits:Exits` cannot be imported: SystemExit: 3",
    "broken.Function": "`broken_schedules:function` is not a model: it must be a subclass of "
    "Schedule",
    "broken.Linear": "`broken_schedules.linear:Linear` cannot be imported: TypeError: two models "
    "of the kind LinearLR: olm.kinds.linear.Linear and broken_schedules.linear.Linear",
    "broken.Lost": "`broken_schedules.lost:Lost` cannot be imported: ModuleNotFoundError: No "
    "module named 'no_such_module'",
    "broken.Open": "pydantic cannot make its model: PydanticUndefinedAnnotation: name "
    "'NoSuchType' is not defined",
    "broken.Other": "the model at `broken_schedules:Named` is of the kind `broken.Named`",
    "broken.Rooted": "`broken_schedules.roots:Rooted` cannot be imported: TypeError: broken.Rooted "
    "has a field `expect`, which is a key of a document's root",
    "broken.Raises": "`broken_schedules.raises:Raises` cannot be imported: RuntimeError: the "
    "licence server",
}
"""The message for each kind of the broken package."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Installs a package of tests/plugins in a new folder, and returns the folder."""
    installed = {}

    def install(name):
        if name not in installed:
            folder = tmp_path_factory.mktemp(name)
            # setuptools writes next to the sources.
            shutil.copytree(SOURCES / name, folder / "source")
            pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
            pip += ["--no-index", "--no-build-isolation", "--no-deps", "--target", folder / "site"]
            subprocess.run([*pip, folder / "source"], check=True)
            installed[name] = folder / "site"
        return str(installed[name])

    return install


@pytest.fixture
def python(site, tmp_path):
    """Runs Python, in an empty folder, with packages of tests/plugins installed."""

    def run(*arguments, plugins=("acme",), text=None):
        path = os.pathsep.join([*map(site, plugins), str(ROOT)])
        done = subprocess.run(
            [sys.executable, *arguments],
            input=text,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def olm(python):
    """Runs the command, with packages of tests/plugins installed."""
    return lambda *arguments, **more: python("-m", "olm", *arguments, **more)


def check(olm, *documents, plugins):
    """The exit status of a check and the headings of its findings."""
    text = "".join(f"{json.dumps(document)}\n" for document in documents)
    status, out, error = olm("check", "-", text=text, plugins=plugins)
    assert error == ""
    return status, [line.split(": ", 1)[1] for line in out.splitlines() if ": error[" in line]


@pytest.mark.parametrize("document", [REX, DAMPED, SEQUENCE])
def test_a_spec_of_a_plugin_kind_is_valid_where_the_package_is_installed(olm, document):
    assert check(olm, document, plugins=["acme"]) == (FINE, [])


def test_the_fields_of_a_plugin_kind_are_checked_with_their_places(olm):
    wrong = {**DAMPED, "first": {**REX, "total_steps": 0}, "factr": 1}
    status, found = check(olm, wrong, plugins=["acme"])
    assert status == PROBLEMS
    assert found == [
        "error[range]: total_steps must be at least 1, found 0",
        "error[unknown-field]: acme.lab.Damped has no field `factr`",
    ]
    assert check(olm, {**DAMPED, "factor": 0}, plugins=["acme"])[1] == [
        "error[rule]: factor (0.0) must be above 0 where there are inner (1)"
    ]


def as_olm_names_it(value):
    """A document or a text with olm's kinds and fields instead of those of tests/plugins/lab."""
    text = json.dumps(value)
    for theirs, ours in sorted(AS_OLM_NAMES_IT.items(), key=lambda names: -len(names[0])):
        text = re.sub(rf"\b{re.escape(theirs)}\b", ours, text)
    return json.loads(text)


def test_a_plugin_kind_gets_the_warnings_of_an_equivalent_kind(python):
    """The end, the jumps and the floor of a schedule, and the clocks of its children."""
    program = """
import json, sys
from olm.checking.check import Options, check
from olm.text.document import read
for line in sys.stdin:
    found = check(read(line, "a.json"), Options(lint=True)).problems
    print(json.dumps([[one.code, one.path, one.message, one.hint, one.severity] for one in found]))
"""
    documents = [document for _, document in LINTED]
    documents += [as_olm_names_it(document) for document in documents]
    text = "".join(f"{json.dumps(document)}\n" for document in documents)
    status, out, error = python("-c", program, text=text, plugins=["lab"])
    assert (status, error) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    theirs, ours = found[: len(LINTED)], found[len(LINTED) :]
    assert as_olm_names_it(theirs) == ours
    for (code, _), problems in zip(LINTED, ours, strict=True):
        assert code in {found for found, *_ in problems}


def test_a_missing_package_is_reported_at_the_kind(olm, tmp_path):
    (tmp_path / "a.olm.yaml").write_text("kind: acme.Rex\ntotal_steps: 10\n")
    status, out, _ = olm("check", "a.olm.yaml", plugins=[])
    assert status == PROBLEMS
    assert "a.olm.yaml:1:7: error[unknown-kind]: there is no kind `acme.Rex`\n" in out
    assert "a name with a dot is a plugin's, whose package is not installed here" in out


def test_a_misspelt_plugin_kind_is_corrected_without_importing_the_plugin(python):
    program = """
import sys, olm
try:
    olm.parse({"kind": "acme.Rexx", "total_steps": "many"})
except olm.SpecError as error:
    print(error)
print("acme_schedules" in sys.modules)
"""
    _, out, _ = python("-c", program)
    assert out == (
        "kind: error[unknown-kind]: there is no kind `acme.Rexx` (did you mean `acme.Rex`?)\n"
        "False\n"
    )


@needs.torch
def test_plugins_are_looked_up_only_for_unknown_kinds(python):
    program = """
import olm, olm.kinds, olm.schedule
from olm.schedule.plugins import offers
from olm.train.schedulers import *
olm.parse({"kind": "LinearLR", "total_steps": 5})
assert offers.cache_info().misses == 0
olm.parse({"kind": "acme.Rex", "total_steps": 5})
assert offers.cache_info().misses == 1
"""
    assert python("-c", program) == (0, "", "")


def test_installed_packages_are_not_listed_where_none_provides_a_kind(python):
    program = """
import sys
from olm.cli.pydantic_plugins import skip_pydantic_plugins
skip_pydantic_plugins()
import olm
try:
    olm.parse({"kind": "acme.Rex"})
except olm.SpecError:
    print("importlib.metadata" in sys.modules)
"""
    assert python("-c", program, plugins=[])[1] == "False\n"
    assert python("-c", program, plugins=["broken"])[1] == "True\n"


@pytest.mark.parametrize(
    "folder", ["acme-1.dist-info", "Acme.egg-info", "EGG-INFO", "acme.egg", "other"]
)
@pytest.mark.parametrize("group", ["olm.kinds", "olm.kin"])
def test_a_package_that_may_provide_a_kind_is_found_without_metadata(
    folder, group, tmp_path, monkeypatch
):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "entry_points.txt").write_text(f"[{group}]\nacme.Rex = acme:Rex\n")
    monkeypatch.setattr(sys, "meta_path", [PathFinder])
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "missing.zip")])
    assert may_be_offered() == (group == "olm.kinds" and folder.lower().endswith("-info"))


def test_packages_in_archives_and_of_other_finders_may_provide_kinds(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [PathFinder])
    (tmp_path / "packages.zip").write_bytes(b"")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert not may_be_offered()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages.zip")])
    assert may_be_offered()
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [PathFinder, DistributionFinder])
    assert may_be_offered()


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_reported_by_package_and_only_where_it_is_used(olm, kind):
    message = f"error[plugin]: Broken.Schedules 0.3 provides the kind `{kind}`, but {BROKEN[kind]}"
    sequence = {**SEQUENCE, "schedulers": [REX, {"kind": kind}]}
    assert check(olm, sequence, plugins=["acme", "broken"]) == (PROBLEMS, [message])
    fine = {**SEQUENCE, "schedulers": [REX, {"kind": "broken.Named"}]}
    assert check(olm, fine, plugins=["acme", "broken"]) == (FINE, [])


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("broken.Validates", "checked by its own package: ConnectionError: no route to host"),
        ("broken.Evaluates", "evaluated by its own package: ZeroDivisionError: division by zero"),
    ],
)
def test_an_exception_in_a_plugin_is_a_finding(olm, kind, message):
    expect = {"base_lr": 1.0, "rates": [{"step": 0, "lr": 1.0}]}
    found = [f"error[plugin]: `{kind}` cannot be {message}"]
    assert check(olm, {"kind": kind, "expect": expect}, plugins=["broken"]) == (PROBLEMS, found)


def test_the_error_of_a_plugin_does_not_depend_on_earlier_lookups(python):
    program = f"""
import olm
kinds = [*{[*BROKEN]}, "broken.Named", "broken.Constant"]
def said(kind):
    try:
        return str(olm.parse({{"kind": kind}}).schedule)
    except olm.SpecError as error:
        return str(error)
first = [said(kind) for kind in kinds]
assert [said(kind) for kind in reversed(kinds)] == first[::-1]
print("\\n".join(first))
"""
    _, out, error = python("-c", program, plugins=["broken"])
    assert error == ""
    lines = out.splitlines()
    assert [line.startswith("kind: error[plugin]") for line in lines[:-2]] == [True] * len(BROKEN)
    assert lines[-2] == "Named()"
    assert lines[-1].startswith("kind: error[unknown-kind]: there is no kind `broken.Constant` ")


@pytest.mark.parametrize("order", [["acme", "rival"], ["rival", "acme"]])
def test_two_packages_with_one_kind_are_both_named_even_after_one_was_imported(olm, order):
    message = (
        "error[plugin]: several packages provide the kind `acme.Rex`: "
        "acme-schedules 1.2 and rival-schedules 2.0"
    )
    assert check(olm, REX, plugins=order) == (PROBLEMS, [message])
    assert check(olm, DAMPED, plugins=order) == (PROBLEMS, [message])
    linear = {"kind": "LinearLR", "total_steps": 5}
    assert check(olm, {**DAMPED, "first": linear}, plugins=order) == (FINE, [])


def test_kinds_lists_plugin_kinds_last(olm):
    _, without, _ = olm("kinds", plugins=[])
    status, out, error = olm("kinds")
    assert (status, error) == (FINE, "")
    assert out.startswith(without.rstrip())
    assert out.removeprefix(without.rstrip()) == (
        "\n\nFROM acme-schedules 1.2\n"
        "acme.Rex\n"
        "  The base rate, which decays to zero, ever faster.\n"
        "  requires total_steps\n"
        "acme.lab.Damped\n"
        "  The product of several schedules and a factor.\n"
        "  requires first\n"
    )


def test_kinds_warns_of_broken_plugins_and_lists_the_rest(olm):
    status, out, error = olm("kinds", plugins=["broken"])
    assert status == FINE
    assert error.splitlines() == [
        f"olm kinds: warning: Broken.Schedules 0.3 provides the kind `{kind}`, but {why}"
        for kind, why in sorted(BROKEN.items())
    ]
    assert "FROM Broken.Schedules 0.3\nbroken.Colour\n" in out
    assert "broken.Named\n  The valid kind.\n  requires no fields\n" in out


def test_a_plugin_kind_is_described_like_any_other(olm):
    status, out, _ = olm("kinds", "acme.Rex")
    assert status == FINE
    paragraphs = out.split("\n\n")
    assert paragraphs[0] == "acme.Rex"
    assert "total_steps: a whole number of at least 1 or a duration, required" in out
    assert "example\n  kind: acme.Rex\n  total_steps: 100\n" in out


@pytest.mark.parametrize("verb", ["kinds", "schema"])
def test_a_kind_that_cannot_be_shown_is_misuse_with_the_reason(olm, verb):
    status, out, error = olm(verb, "acme.Rex", plugins=[])
    assert (status, out) == (MISUSE, "")
    assert error.startswith(
        f"olm {verb}: there is no kind `acme.Rex`: a name with a dot is a plugin's"
    )
    status, out, error = olm(verb, "acme.Rex", plugins=["acme", "rival"])
    assert (status, out) == (MISUSE, "")
    assert "acme-schedules 1.2 and rival-schedules 2.0: uninstall all" in error


def test_a_kind_without_a_possible_schema_is_misuse_only_of_schema(olm):
    status, out, error = olm("schema", "broken.Colour", plugins=["broken"])
    assert (status, out) == (MISUSE, "")
    assert error.startswith(
        "olm schema: Broken.Schedules 0.3 provides the kind `broken.Colour`, but"
    )
    assert olm("kinds", "broken.Colour", plugins=["broken"])[0] == FINE


@needs.pins
def test_schema_without_plugins_is_the_committed_one_to_the_byte(olm, tmp_path):
    assert olm("schema") == (FINE, SCHEMA.read_text(encoding="utf-8"), "")
    assert olm("schema", "LinearLR", "--out", "one.json") == (FINE, "", "")
    one = SCHEMA.with_name("LinearLR.schema.json")
    assert (tmp_path / "one.json").read_bytes() == one.read_bytes()
    assert olm("schema", "--out", "no/such/folder.json")[0] == MISUSE


def test_a_schema_without_plugins_rejects_their_kinds_with_one_error_each():
    errors = list(Draft7Validator(json.loads(SCHEMA.read_bytes())).iter_errors(SEQUENCE))
    where = [[*error.absolute_path] for error in errors]
    assert where == [["schedulers", 0, "kind"], ["schedulers", 1, "kind"]]


def test_schema_with_plugins_accepts_their_kinds_and_checks_their_fields(olm):
    status, out, error = olm("schema", "--with-plugins")
    assert (status, error) == (FINE, "")
    schema = json.loads(out)
    Draft7Validator.check_schema(schema)
    assert "olm schema --with-plugins, with acme-schedules 1.2." in schema["$comment"]
    validator = Draft7Validator(schema)
    for document in (REX, DAMPED, SEQUENCE, {"kind": "LinearLR", "total_steps": 5}):
        assert validator.is_valid(document)
    for document in ({**REX, "total_steps": 0}, {**DAMPED, "first": {"kind": "acme.Rexx"}}):
        assert len(list(validator.iter_errors(document))) == 1
    labels = [snippet["label"] for snippet in schema["anyOf"][1]["defaultSnippets"]]
    assert labels == [*json.loads(SCHEMA.read_bytes())["properties"]["kind"]["enum"], *labels[-2:]]
    assert labels[-2:] == ["acme.Rex", "acme.lab.Damped"]


def test_the_schema_of_a_plugin_kind_needs_no_option(olm):
    schema = json.loads(olm("schema", "acme.Rex")[1])
    assert "acme.Rex" in schema["definitions"]
    assert "acme.lab.Damped" not in schema["definitions"]
    assert Draft7Validator(schema).is_valid(REX)
    children = json.loads(olm("schema", "acme.lab.Damped")[1])
    assert not Draft7Validator(children).is_valid(DAMPED)
    children = json.loads(olm("schema", "acme.lab.Damped", "--with-plugins")[1])
    assert Draft7Validator(children).is_valid(DAMPED)


def test_schema_skips_broken_plugins_with_a_warning(olm):
    status, out, error = olm("schema", "--with-plugins", plugins=["acme", "broken"])
    assert status == FINE
    unclear = "it cannot be described: TypeError: a field may not be of a model or an enumeration"
    assert f"`broken.Colour`, but {unclear} of its own: Colour\n" in error
    assert "`broken.Validates`, but it cannot be described: ConnectionError: no route" in error
    assert len(error.splitlines()) == len(BROKEN) + 2
    kinds = json.loads(out)["properties"]["kind"]["enum"]
    assert [kind for kind in kinds if "." in kind] == [
        "acme.Rex",
        "acme.lab.Damped",
        "broken.Evaluates",
        "broken.Named",
    ]


TRAINING = f"""
import copy, inspect, json, pickle, torch, olm
from olm.train import schedulers

def optimizer():
    return torch.optim.SGD([torch.zeros(1)], lr=0.5)

def advance(scheduler, steps):
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
    return scheduler

def rates(scheduler):
    return [advance(scheduler, 1).get_last_lr() for _ in range(12)]

for document in ({REX}, {DAMPED}, {SEQUENCE}):
    scheduler = advance(olm.build(document, optimizer()), 3)
    state = json.loads(json.dumps(scheduler.state_dict()))
    assert olm.parse(state).schedule == scheduler.schedule
    loaded = olm.build(document, optimizer())
    loaded.load_state_dict(state)
    copies = [olm.build(state, optimizer()), loaded, copy.copy(scheduler), copy.deepcopy(scheduler)]
    copies += [pickle.loads(pickle.dumps(scheduler, protocol)) for protocol in range(6)]
    # copy.copy has the same optimizer: each is asked alone, and the original last of all.
    curves = [rates(copy.deepcopy(one)) for one in copies]
    assert all(curve == curves[0] for curve in curves)
    assert all(type(one) is type(scheduler) for one in copies)
    assert rates(scheduler) == curves[0]

Rex = schedulers.acme.Rex
assert type(olm.build({REX}, optimizer())) is Rex
assert (Rex.__module__, Rex.__qualname__, Rex.__name__) == (schedulers.__name__, "acme.Rex", "Rex")
assert Rex(optimizer(), 10, floor_factor=0.2).schedule.floor_factor == 0.2
assert all(pickle.loads(pickle.dumps(Rex, protocol)) is Rex for protocol in range(6))
assert pickle.loads(pickle.dumps(schedulers.acme)).Rex is Rex
assert str(inspect.signature(Rex.__init__)) == (
    "(self, optimizer: torch.optim.optimizer.Optimizer, total_steps: int, "
    "floor_factor: float = 0.0, last_epoch: int = -1) -> None"
)
assert {{"Rex", "lab"}} <= {{*dir(schedulers.acme)}}
assert schedulers.acme.lab.Damped.__qualname__ == "acme.lab.Damped"
assert not hasattr(schedulers, "nothing")
assert not hasattr(schedulers.acme, "Nothing")
assert "acme.Rex" not in schedulers.__all__
"""


@needs.torch
def test_a_plugin_kind_trains_saves_resumes_pickles_and_copies(python):
    status, out, error = python("-W", "error", "-c", TRAINING)
    assert (status, out) == (0, "")
    # The training goes on after the end, which is logged.
    assert all(" is over since step " in line for line in error.splitlines())


@needs.torch
def test_a_broken_plugin_is_an_attribute_error_with_the_reason(python):
    program = """
from olm.train import schedulers
try:
    schedulers.broken.Raises
except AttributeError as error:
    print(error)
"""
    _, out, _ = python("-c", program, plugins=["broken"])
    start = "module 'olm.train.schedulers' has no attribute 'broken.Raises': Broken.Schedules 0.3"
    assert out.startswith(start)


@needs.torch
def test_a_state_is_shown_with_the_package_and_reported_without_it(python, olm, tmp_path):
    program = f"""
import json, torch, olm
scheduler = olm.build({REX}, torch.optim.SGD([torch.zeros(1)], lr=0.5))
olm.save_state(scheduler, "state.json")
"""
    assert python("-c", program)[0] == 0
    for verb in ("state", "show"):
        status, out, _ = olm(verb, "state.json")
        assert status == FINE
        assert "down from the base rate to 0 at step 10" in out
        status, out, error = olm(verb, "state.json", plugins=[])
        assert status != FINE
        assert "there is no kind `acme.Rex`" in out + error
        assert "a name with a dot is a plugin's, whose package is not installed here" in out + error


def test_a_file_of_kinds_is_imported_on_first_use(python):
    program = """
import sys, olm
from olm.kinds import KINDS
def files():
    return sorted(name for name in sys.modules if name.startswith("olm.kinds."))
olm.parse({"kind": "WarmupCosineScheduler", "warmup_steps": 5, "total_steps": 9})
assert files() == ["olm.kinds.warmup"]
assert "acme.Rex" in KINDS and files() == ["olm.kinds.warmup"]
names = list(KINDS)
assert len(files()) > 10
assert names == [*(kind for kind in names if "." not in kind), "acme.Rex"]
assert "NoSuchLR" not in KINDS
"""
    assert python("-c", program) == (0, "", "")


def test_kinds_are_in_the_order_of_the_files_however_they_are_imported(python):
    program = "from olm.kinds import KINDS; {}; print(*(k for k in KINDS if '.' not in k))"
    orders = {
        python("-c", program.format(first))[1]
        for first in ("0", "KINDS['WarmupLR']", "KINDS['acme.Rex']", "len(KINDS)")
    }
    assert orders == {" ".join(kind for kind in KINDS if "." not in kind) + "\n"}


NEW_FAMILY = """
from typing import Literal
from olm.schedule.schedule import Schedule

class Twice(Schedule):
    kind: Literal["TwiceLR"] = "TwiceLR"
"""


@pytest.mark.parametrize("first", ["KINDS['TwiceLR']", "assert 'TwiceLR' in {*KINDS}"])
def test_the_table_may_lack_new_files_and_list_removed_ones(tmp_path, first):
    shutil.copytree(ROOT / "olm", tmp_path / "olm", ignore=shutil.ignore_patterns("__pycache__"))
    kinds = tmp_path / "olm" / "kinds"
    (kinds / "twice.py").write_text(NEW_FAMILY)
    (kinds / "linear.py").rename(kinds / "straight.py")
    program = f"""
from olm.kinds import KINDS
{first}
assert KINDS["TwiceLR"].__module__ == "olm.kinds.twice"
assert KINDS["LinearLR"].__module__ == "olm.kinds.straight"
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True)
    assert done.stderr == b""


def test_a_second_model_of_a_kind_is_an_error_before_the_first_is_imported(python):
    program = NEW_FAMILY.replace("TwiceLR", "LinearLR")
    _, _, error = python("-c", program)
    assert error.endswith(
        "TypeError: two models of the kind LinearLR: olm.kinds.linear.Linear and __main__.Twice\n"
    )


@needs.torch
def test_a_kind_that_is_defined_anywhere_can_be_parsed_and_built(python):
    program = f"""{NEW_FAMILY.replace("TwiceLR", "ThriceLR")}
    def formula(self, step, base):
        return 3 * base + 0 * step

import pickle, torch, olm
from olm.kinds import KINDS
from olm.train import schedulers
scheduler = olm.build({{"kind": "ThriceLR"}}, torch.optim.SGD([torch.zeros(1)], lr=0.5))
assert scheduler.get_last_lr() == [1.5]
assert type(scheduler) is type(pickle.loads(pickle.dumps(scheduler))) is schedulers.ThriceLR
assert [*KINDS][-1] == "ThriceLR"
"""
    assert python("-c", program) == (0, "", "")


def test_the_schema_with_plugins_is_generated_like_the_committed_one():
    own = {kind: model for kind, model in KINDS.items() if model.__module__.startswith("olm.kinds")}
    assert schedules_schema(own) == json.loads(SCHEMA.read_bytes())
