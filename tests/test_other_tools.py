"""A file of another tool: olm's classes in it are checked, and other schedules are recognized."""

from pathlib import Path

import pytest

from olm.checking.check import Options, check
from olm.checking.fix import fixed_text
from olm.cli import main
from olm.foreign.configs._formats import format_of
from olm.foreign.configs._source import read_source
from olm.text.document import read

LIGHTNING = """\
seed_everything: 1
trainer: &shared {max_steps: 1000}
optimizer:
  class_path: torch.optim.AdamW
  init_args: {lr: 0.001}
lr_scheduler:
  class_path: olm.train.schedulers.WarmupCosineScheduler
  init_args:
    warmup_step: 100  # mine
    total_steps: 1000
"""

HYDRA = """\
steps: 1000
scheduler:
  _target_: olm.build
  _partial_: true
  spec: {kind: LinearLR, total_step: 9}
"""

FLAT = """\
_target_: olm.train.schedulers.WarmupCosineScheduler
_partial_: true
warmup_steps: ${steps}
total_steps: 1000
min_lr: -1
"""


def found(text, at=(), file="run.yaml", **options):
    options = Options(at=at, **options)
    problems = check(read(text, file, at), options).problems
    return [(each.place.line, each.place.column, each.code, each.hint) for each in problems]


@pytest.mark.parametrize("at", [(), ("lr_scheduler",)])
def test_a_misspelt_argument_of_a_class_of_olm_is_found_in_place_and_fixed(at):
    assert found(LIGHTNING, at) == [(9, 5, "unknown-field", "did you mean `warmup_steps`?")]
    after, count = fixed_text(LIGHTNING.encode(), "run.yaml", Options(at=at))
    assert count == 1
    assert after.decode() == LIGHTNING.replace("warmup_step:", "warmup_steps:")
    assert found(after.decode(), at) == []


def test_the_command_shows_the_argument_with_a_caret(tmp_path, capsys):
    file = tmp_path / "run.yaml"
    file.write_text(LIGHTNING)
    assert main(["check", str(file)]) == 1
    out = capsys.readouterr().out
    assert (
        "9 |     warmup_step: 100  # mine\n  |     ^^^^^^^^^^^ did you mean `warmup_steps`?" in out
    )
    assert main(["check", "--fix", str(file)]) == 0
    assert "    warmup_steps: 100  # mine\n" in file.read_text()


def test_a_spec_of_build_and_the_arguments_of_a_target_are_checked():
    assert found(HYDRA) == [(5, 26, "unknown-field", "did you mean `total_steps`?")]
    assert [each[:3] for each in found(FLAT)] == [(5, 9, "range")]


def test_each_class_of_olm_in_a_file_is_checked():
    both = HYDRA + "other:\n  class_path: olm.train.schedulers.LinearLR\n"
    assert [each[:3] for each in found(both)] == [
        (5, 26, "unknown-field"),
        (7, 15, "missing-field"),
    ]


def test_an_argument_that_is_a_key_of_a_spec_is_unknown():
    text = FLAT.replace("min_lr: -1", "clock: {total_steps: 9}")
    assert found(text) == [(5, 1, "unknown-field", "`olm.build` takes a spec")]


@pytest.mark.parametrize("argument", ["optimizer: {lr: 1}", "last_epoch: 3", "_convert_: all"])
def test_the_arguments_of_a_class_that_are_no_fields_are_accepted(argument):
    assert found(FLAT.replace("min_lr: -1", argument)) == []


def test_a_kind_among_the_arguments_is_unknown():
    text = LIGHTNING.replace("warmup_step: 100", "kind: LinearLR\n    warmup_steps: 100")
    assert [each[:3] for each in found(text)] == [(9, 5, "unknown-field")]


@pytest.mark.parametrize("value", ["", "3", "[]", "[1, {a: b}]", "{class_path: olm.build}"])
@pytest.mark.parametrize("name", ["", "a.b", "LinearLR", "SequentialLR", "ScheduleLR"])
def test_odd_arguments_are_errors_with_places(name, value):
    text = f"class_path: olm.train.schedulers.{name}\ninit_args: {value}\n"
    assert found(text)
    assert fixed_text(text.encode(), "run.yaml")


SAMPLES = [
    path
    for path in sorted((Path(__file__).parent / "imports").glob("*/*"))
    if path.suffix in (".yaml", ".json", ".toml")
    and not path.name.endswith((".expect.yaml", "drawn.json", "keys.json"))
]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_check_prints_how_to_import_a_sample_of_each_framework(sample):
    document = read(sample.read_bytes(), str(sample))
    if isinstance(document.value, dict) and not document.problems:
        _, form = format_of(read_source(sample))
        [problem] = check(document).problems
        assert form.title in problem.hint
        assert f"`olm import {sample}` writes its spec" in problem.hint


def test_a_misspelt_class_is_found_and_fixed():
    text = LIGHTNING.replace("Scheduler\n", "Sheduler\n").replace("warmup_step:", "warmup_steps:")
    assert found(text) == [(7, 15, "unknown-kind", "did you mean `WarmupCosineScheduler`?")]
    after, _ = fixed_text(text.encode(), "run.yaml")
    assert found(after.decode()) == []


def test_lint_warns_in_place():
    text = LIGHTNING.replace("warmup_step: 100", "warmup_steps: 999")
    assert found(text, lint=True) == found(text, ("lr_scheduler",), lint=True)
    steps = [each[:1] for each in found(text.replace("999", "0"), lint=True)]
    assert steps == [each[:1] for each in found(text.replace("999", "0"), lint=True)]


def test_a_configuration_of_a_framework_leads_to_import(tmp_path):
    text = "lr_scheduler_type: cosine\nlearning_rate: 1e-4\noptimizer: adamw_torch\n"
    [problem] = found(text, file="args.yaml")
    assert problem == (
        1,
        1,
        "missing-kind",
        "this is a configuration of transformers' TrainingArguments: "
        "`olm import args.yaml` writes its spec",
    )
    nested = "trainer: {lr_scheduler_type: cosine}\n"
    assert found(nested, ("trainer",))[0][3].endswith(
        "`olm import run.yaml --at trainer` writes its spec"
    )


@pytest.mark.parametrize(
    ("text", "column", "hint"),
    [
        ("{class_path: torch.optim.lr_scheduler.LinearLR}", 17, "did you mean `LinearFactorLR`"),
        ("{_target_: torch.optim.lr_scheduler.StepLR}", 15, "did you mean `StepLR`"),
        ("{type: WarmupLR, params: {warmup_num_steps: 3}}", 11, "DeepSpeed's WarmupLR is"),
        ("{name: CosineAnnealing, warmup_steps: 3}", 11, "did you mean `CosineAnnealingLR`"),
        ("{type: StepLR, step_size: 3}", 11, "did you mean `kind: StepLR`?"),
    ],
)
def test_the_name_of_another_frameworks_class_leads_to_its_kind(text, column, hint):
    [(line, at, code, found_hint)] = found(f"s: {text}\n", ("s",))
    assert (line, at, code) == (1, column, "missing-kind")
    assert found_hint.startswith(hint)


def test_a_mapping_that_no_tool_writes_needs_its_kind():
    assert found("total_steps: 9\n") == [(1, 1, "missing-kind", "`olm kinds` lists them")]


def test_a_spec_of_build_in_a_file_of_its_own_is_named():
    text = "_target_: olm.build\nspec: lr.olm.yaml\n"
    assert found(text) == [(2, 7, "missing-kind", "the spec is a file: `olm check lr.olm.yaml`")]
