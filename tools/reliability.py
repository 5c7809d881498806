"""Print how schedulers fail in other libraries, and the tests that rule these failures out in olm.

    python3 tools/reliability.py          print the table
    python3 tools/reliability.py --run    print it, then run its tests

Each row is a family of failures in current versions of other libraries, with the issues and pull
requests about it; #123 is one of pytorch, HF is transformers. A test in `tests/` belongs to a row
by `@pytest.mark.reliability("1a")`, and the first line of its docstring describes the failure. The
tests inside trainers and those that start processes are listed here. The files are parsed, not
imported. The exit status is 1 if a row has no test, if a listed test does not exist, or, with
--run, if a test fails.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS = {
    "1a": "#52911 #29697 Lightning#19865 Lightning#15462 mmengine#1565",
    "1b": "HF#27749 HF#34053 HF#23099 HF#9099 OneTrainer#1604 kohya#141 nanotron#233",
    "1c": "Megatron#1138 Megatron#5213 Megatron#7468 NeMo-Automodel#3882 miles#1627 verl#7954",
    "1d": "#52911 #32756",
    "2a": "#160626",
    "2b": "Megatron#5213",
    "2c": "",
    "2d": "#32756 #162359",
    "2e": "",
    "3a": "#67586 #72874 #185872 #162359",
    "3b": "#196243 #196242 #132745",
    "3c": "#67586",
    "3d": "",
    "3e": "#162591 #171515",
    "3f": "#132745",
    "4a": "HF#21689 HF#10880 HF#23865 Lightning#7618 PiPPy#404",
    "4b": "#98921 #163105 #94450 #106243 #88684 #90414",
    "4c": "#110931",
    "4d": "#85410 #25605",
    "5": "#98921 #33229 #33357",
    "6": "#104361 HF#43692 HF#20029 Lightning#12141 Lightning#8720",
    "7": "#162359 #163093 #130467",
    "8": "#160626 #162591 #65342 #60265 #140900 speculators#1048",
    "9a": "#20086 #152081",
    "9b": "#29697",
    "9c": "#38170 OneTrainer#1604 kohya#141 kohya#954 LLaMA-Factory#7476 NeMo#4472",
    "9d": "#180187 #32898",
    "9e": "#193682 #192655 #189374 #177833",
    "9f": "",
    "9g": "timm#2745 timm#2753",
    "10": "#119168 #65342 torchtune#2730",
    "11a": "accelerate#2142 accelerate#2926 accelerate#2773 accelerate#1398 "
    "accelerate#3797 diffusers#3954",
    "11b": "accelerate#843 accelerate#963",
    "11c": "Lightning#1476 starVLA#210 SpecForge#364",
    "11d": "#55585 #67590 Lightning#5558 Lightning#21339 HF#11144",
    "12": "#177833 #193682 #192655 #174025 #185006 #194712 #30889 #168044 litgpt#1393",
    "13": "pyyaml#173 pyyaml#165 pyyaml#235 pyyaml#895 pyyaml#897 pyyaml#604 "
    "pydantic#13799 jsonschema#1386",
    "14a": "#140900 modalities#315",
    "14b": "HF#27749",
    "14c": "Lightning#16211 Lightning#15912 Lightning#4655 Lightning#1772",
    "14d": "torchtune#2263 #130467 #107076 #120934 #133898",
    "14e": "#189374",
    "15": "",
    "16": "",
    "17": "HF#29417 darts#711 distiller#161",
}
"""The rows, and the reports of each family of failures."""
MARK = "reliability"
HOSTS = "tests/hosts/"
"""The folder of the tests that run in the environment of the trainers."""


@dataclass(frozen=True)
class Proof:
    """A failure in another library, and the test that rules it out in olm."""

    row: str
    failure: str
    test: str
    """The name of the test in pytest: the file, two colons, the function."""


ELSEWHERE = [
    Proof(
        "11a",
        "Accelerate steps a scheduler once per process: negative rates (accelerate#2142, #2926).",
        "tests/hosts/test_accelerate.py::test_the_scheduler_counts_optimizer_steps",
    ),
    Proof(
        "11a",
        "The settings that fix this in Accelerate are easily missed.",
        "tests/hosts/test_accelerate.py::"
        "test_the_adapter_is_right_in_a_loop_without_a_guard_whatever_the_setting",
    ),
    Proof(
        "11c",
        "With gradient accumulation, a loop may step once per batch: the schedule ends early.",
        "tests/hosts/test_lightning.py::test_accumulated_batches_are_one_step",
    ),
    Proof(
        "14a",
        "The distributed checkpoint of torch merges a saved and a live state into a mixture.",
        "tests/test_state.py::test_a_mixture_of_two_states_is_told_by_its_digest",
    ),
    Proof(
        "14a",
        "The mixture is loaded silently, on every rank.",
        "tests/test_distributed.py::"
        "test_another_schedule_is_rejected_on_every_rank_and_changes_nothing",
    ),
    Proof(
        "14b",
        "The Trainer of transformers resumes a state of another length or shape (HF#27749).",
        "tests/hosts/test_transformers.py::"
        "test_resuming_with_another_number_of_steps_is_an_error_that_lists_the_differences",
    ),
    Proof(
        "14b",
        "Without scheduler.pt, it restarts the schedule and drops the state of the optimizer.",
        "tests/hosts/test_transformers.py::test_a_checkpoint_without_one_of_the_two_files_is_an_error",
    ),
    Proof(
        "14b",
        "A second train() of a Trainer continues at the end of the schedule of the first.",
        "tests/hosts/test_transformers.py::test_a_second_training_starts_a_new_schedule",
    ),
    Proof(
        "14c",
        "Lightning ignores surplus schedulers in a checkpoint.",
        "tests/hosts/test_lightning.py::"
        "test_a_checkpoint_with_another_number_of_schedulers_is_an_error",
    ),
    Proof(
        "14c",
        "By default, a scheduler steps once per epoch: its rate hardly changes.",
        "tests/hosts/test_lightning.py::"
        "test_a_resumed_fit_has_the_rates_and_weights_of_an_uninterrupted_one",
    ),
    Proof(
        "14d",
        "A compiled optimizer step may be compiled again for every new rate.",
        "tests/test_torch_itself.py::"
        "test_a_compiled_step_is_compiled_once_for_a_rate_that_is_a_tensor",
    ),
    Proof(
        "15",
        "A checkpoint that is not written atomically is truncated when the process is killed.",
        "tests/test_crash.py::test_a_run_killed_forty_times_ends_with_the_same_rates_and_weights",
    ),
    Proof(
        "15",
        "A full disk leaves a truncated file in place of the last good checkpoint.",
        "tests/test_state.py::test_a_state_that_cannot_be_written_leaves_the_old_one",
    ),
]
"""The tests without a mark: inside trainers, or with processes."""


def main(args: list[str]) -> int:
    """Print the table, run its tests with --run, and return the exit status."""
    if args not in ([], ["--run"]):
        print(__doc__.strip())
        return 0 if args in (["-h"], ["--help"]) else 2
    proofs = [*marked(), *ELSEWHERE]
    print(table(proofs))
    errors = [*errors_in(proofs)]
    for error in errors:
        print(error, file=sys.stderr)
    failed = run(proofs) if args and not errors else 0
    return 1 if errors or failed else 0


def marked() -> Iterator[Proof]:
    """The tests that belong to a row by a mark."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        name = path.relative_to(ROOT).as_posix()
        for function in functions(path):
            failure = (ast.get_docstring(function) or "").partition("\n")[0]
            for row in rows_of(function):
                yield Proof(row, failure, f"{name}::{function.name}")


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """The test functions of a file."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def rows_of(function: ast.FunctionDef) -> list[str]:
    """The rows in the mark of a test, if it has one."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith(f".{MARK}"):
            return [str(ast.literal_eval(row)) for row in decorator.args]
    return []


def table(proofs: list[Proof]) -> str:
    """The rows, each followed by a line for every failure and one for its test."""
    lines = []
    for row, issues in ROWS.items():
        lines.append(f"{row:<5}{issues}".rstrip())
        for proof in proofs:
            if proof.row == row:
                lines += [f"{'':<5}{proof.failure}", f"{'':<7}{proof.test}"]
    tests = len({proof.test for proof in proofs})
    return "\n".join([*lines, f"{len(ROWS)} rows, {tests} tests"])


def errors_in(proofs: list[Proof]) -> Iterator[str]:
    """The rows without a test, the tests that do not exist, the failures without a description."""
    for row in ROWS:
        if not any(proof.row == row for proof in proofs):
            yield f"row {row} has no test"
    for proof in proofs:
        name, _, function = proof.test.partition("::")
        file = ROOT / name
        if not file.exists() or function not in {test.name for test in functions(file)}:
            yield f"row {proof.row}: {proof.test} does not exist"
        if proof.row not in ROWS:
            yield f"{proof.test}: row {proof.row} does not exist"
        if not proof.failure:
            yield f"{proof.test}: its docstring must describe the failure"


def run(proofs: list[Proof]) -> int:
    """Run the tests of the table, and print the command for those inside trainers."""
    tests = [*dict.fromkeys(proof.test for proof in proofs)]
    inside = [test for test in tests if test.startswith(HOSTS)]
    here = [test for test in tests if test not in inside]
    print("inside the trainers: python3 tools/hosts.py", *inside, sep="\n  ", flush=True)
    return subprocess.run([sys.executable, "-m", "pytest", "-q", *here], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
