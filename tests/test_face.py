"""The public interface: the names in `olm`, and the modules that `import olm` does not load."""

import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

import needs
import olm
from olm.kinds import KINDS

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import olm
assert olm.loads("{kind: LinearLR, total_steps: 4}").lr(1, base=0.5) == 0.375
try:
    olm.build({"kind": "LinearLR", "total_steps": 4}, None)
except ImportError as error:
    print(error)
"""


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_without_torch_an_error_names_the_package_only_when_torch_is_needed():
    message = "olm.train needs torch, which is not installed: pip install 'olm-schedules[torch]'"
    assert python(WITHOUT_TORCH) == message


@pytest.mark.parametrize("name", olm.__all__)
def test_every_public_name_exists_and_is_documented(name):
    assert name in dir(olm)
    if name == "save_state" and not find_spec("torch"):
        pytest.skip("torch is not installed")
    assert getattr(olm, name).__doc__


@needs.torch
def test_the_package_for_torch_needs_no_import_of_its_own():
    assert python("import olm; print(olm.train.param_groups.__name__)") == "param_groups"
    assert "train" in dir(olm)


def test_importing_olm_loads_no_slow_module():
    code = "import sys, olm; print(sorted({'torch', 'numpy', 'pydantic', 'yaml'} & {*sys.modules}))"
    assert python(code) == "[]"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'olm' has no attribute 'bild'"):
        olm.bild  # noqa: B018  # the access is the test


def test_a_spec_is_read_from_a_file_and_a_problem_names_it(tmp_path):
    path = tmp_path / "run.olm.yaml"
    path.write_text("kind: LinearLR\ntotal_steps: 4\n")
    assert (
        olm.load(path) == olm.load(str(path)) == olm.parse({"kind": "LinearLR", "total_steps": 4})
    )
    path.write_text("kind: LinearLR\ntotal_steps: four\n")
    with pytest.raises(
        olm.SpecError, match=r"run\.olm\.yaml:2:14: error\[type\]: total_steps must"
    ):
        olm.load(path)
    with pytest.raises(FileNotFoundError):
        olm.load(tmp_path / "none.olm.yaml")


def test_every_error_is_a_value_error_of_the_library():
    for error in (olm.SpecError, olm.StateError, olm.RateError):
        assert issubclass(error, olm.OlmError)
        assert issubclass(error, ValueError)


def test_a_spec_and_a_schedule_are_accepted_as_they_are():
    spec = olm.parse({"kind": "LinearLR", "total_steps": 4})
    assert olm.parse(spec) is spec
    assert olm.parse(spec.schedule) == spec
    assert olm.Spec(schedule=spec.schedule) == spec
    assert hash(olm.Spec(schedule=spec.schedule)) == hash(spec)


def test_an_error_text_stays_short_for_any_input():
    huge = {"kind": "x" * 10_000, **{f"{'y' * 1000}{index}": "z" * 1000 for index in range(1000)}}
    for document in (huge, {**huge, "kind": "LinearLR"}):
        with pytest.raises(olm.SpecError) as caught:
            olm.parse(document)
        assert len(str(caught.value)) < 5000


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"kind": "LinearLR", "total_steps": 4, "end_lr": [[]] * 200_000}, "size"),
        ({1: 2}, "key-type"),
        ([], "type"),
        (None, "type"),
        ("kind: LinearLR", "type"),
    ],
)
def test_anything_but_a_document_is_rejected(mapping, code):
    with pytest.raises(olm.SpecError) as caught:
        olm.parse(mapping)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_mapping_that_contains_itself_is_rejected():
    document = {"kind": "SequentialLR", "milestones": []}
    document["schedulers"] = [document]
    with pytest.raises(olm.SpecError, match="nested more than"):
        olm.parse(document)


def test_exponentially_shared_lists_are_rejected_at_once():
    bomb: list = []
    for _ in range(60):
        bomb = [bomb] * 10
    with pytest.raises(olm.SpecError, match="at most 100,000 values"):
        olm.parse({"kind": bomb})


def test_the_package_lists_its_public_names_alone():
    names = {name for name in dir(olm) if not name.startswith("__")}
    assert names == {*olm.__all__, "kinds", "train"}


def test_the_version_is_that_of_the_distribution():
    assert olm.__version__ == version("olm-schedules")
    assert "__version__" in dir(olm)


def test_a_model_is_an_attribute_by_the_name_of_its_kind():
    assert python("import olm; print(olm.kinds.LinearLR(total_steps=3).kind)") == "LinearLR"
    assert {*KINDS} <= {*dir(olm.kinds)}
    assert all(getattr(olm.kinds, kind) is model for kind, model in KINDS.items())
    with pytest.raises(AttributeError, match=r"no attribute 'LinearRL': did you mean LinearLR\?"):
        olm.kinds.LinearRL  # noqa: B018  # the access is the test


def test_a_model_is_imported_without_the_files_of_other_kinds():
    code = "import sys; from olm.kinds import LinearLR; print('olm.kinds.cosine' in sys.modules)"
    assert python(code) == "False"


@pytest.mark.parametrize(
    ("given", "call"),
    [
        ("a.yaml", r"olm\.load\('a\.yaml'\)"),
        (Path("runs/a"), r"olm\.load\('runs/a'\)"),
        ("C:/runs/a.yaml", r"olm\.load\('C:/runs/a\.yaml'\)"),
        ("kind: LinearLR", r"olm\.loads\(text\)"),
        ("{kind: LinearLR}", r"olm\.loads\(text\)"),
    ],
)
def test_parse_names_the_function_that_reads_a_path_or_a_text(given, call):
    with pytest.raises(olm.SpecError, match=rf"\({call} reads it\)$"):
        olm.parse(given)
