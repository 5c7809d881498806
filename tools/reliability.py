"""Print what goes wrong with schedulers elsewhere, and the tests that show that it cannot here.

    python3 tools/reliability.py          the table
    python3 tools/reliability.py --run    and run its tests

Each row is a family of failures of other libraries, as they are today, and the issues or pull
requests about it; #123 is one of pytorch, HF is transformers.
A test in `tests/` belongs to a row by `@pytest.mark.reliability("1a")`, and the first line of its
docstring says what goes wrong elsewhere. The tests inside trainers and those that start processes
are named here. The files are read, not run. The exit status is 1 if a row has no test, if a test
that is named does not exist, or, with --run, if one fails.
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
    "9c": "#38170 OneTrainer#1604 kohya#141 NeMo#4472",
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
}
"""The rows, and where each family of failures was reported."""
MARK = "reliability"
HOSTS = "tests/hosts/"
"""The tests in there run in an environment that has the trainers."""


@dataclass(frozen=True)
class Proof:
    """A failure of other libraries, and the test that shows that it cannot happen here."""

    row: str
    failure: str
    test: str
    """As pytest names it: the file, two colons, the function."""


ELSEWHERE = [
    Proof(
        "11a",
        "Accelerate steps a scheduler once a process: a rate below 0 (accelerate#2142, #2926).",
        "tests/hosts/test_accelerate.py::test_the_scheduler_counts_optimizer_steps",
    ),
    Proof(
        "11a",
        "The settings that mend it in Accelerate go unnoticed.",
        "tests/hosts/test_accelerate.py::"
        "test_the_adapter_is_right_in_a_loop_without_a_guard_whatever_the_setting",
    ),
    Proof(
        "11c",
        "With accumulated gradients a loop may step once a batch: the end is early.",
        "tests/hosts/test_lightning.py::test_accumulated_batches_are_one_step",
    ),
    Proof(
        "14a",
        "Torch's distributed checkpoint merges a saved and a live state into a hybrid of both.",
        "tests/test_state.py::test_a_mixture_of_two_states_is_told_by_its_digest",
    ),
    Proof(
        "14a",
        "Loading the hybrid goes on without a word, on every rank.",
        "tests/test_distributed.py::"
        "test_another_schedule_is_refused_on_every_rank_and_nothing_has_changed",
    ),
    Proof(
        "14b",
        "Transformers' Trainer goes on from a state of another length or shape (HF#27749).",
        "tests/hosts/test_transformers.py::"
        "test_resuming_with_another_number_of_steps_is_an_error_that_lists_the_differences",
    ),
    Proof(
        "14b",
        "Without scheduler.pt it begins the schedule anew, and drops the optimizer's state too.",
        "tests/hosts/test_transformers.py::test_a_checkpoint_without_one_of_the_two_files_is_an_error",
    ),
    Proof(
        "14b",
        "A second train() of one Trainer trains at the end of the first one's schedule.",
        "tests/hosts/test_transformers.py::test_a_second_training_starts_a_new_schedule",
    ),
    Proof(
        "14c",
        "Lightning leaves out the schedulers of a checkpoint that are too many.",
        "tests/hosts/test_lightning.py::"
        "test_a_checkpoint_with_another_number_of_schedulers_is_an_error",
    ),
    Proof(
        "14c",
        "A scheduler steps once an epoch unless told otherwise: its rate stays.",
        "tests/hosts/test_lightning.py::"
        "test_a_resumed_fit_has_the_rates_and_weights_of_an_uninterrupted_one",
    ),
    Proof(
        "14d",
        "A compiled optimizer step may be compiled again with every new rate.",
        "tests/test_torch_itself.py::"
        "test_a_compiled_step_is_compiled_once_for_a_rate_that_is_a_tensor",
    ),
    Proof(
        "15",
        "A checkpoint written straight onto its file is torn when the process is killed.",
        "tests/test_crash.py::test_a_run_killed_forty_times_ends_with_the_same_rates_and_weights",
    ),
    Proof(
        "15",
        "A full disk leaves half a file where the last good checkpoint was.",
        "tests/test_state.py::test_a_state_that_cannot_be_written_leaves_the_old_one",
    ),
]
"""Tests in files of their own: inside trainers, or with processes."""


def main(args: list[str]) -> int:
    """Print the table, with --run run its tests, and return the exit status."""
    if args not in ([], ["--run"]):
        print(__doc__.strip())
        return 0 if args in (["-h"], ["--help"]) else 2
    proofs = [*marked(), *ELSEWHERE]
    print(table(proofs))
    mistakes = [*mistakes_of(proofs)]
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    failed = run(proofs) if args and not mistakes else 0
    return 1 if mistakes or failed else 0


def marked() -> Iterator[Proof]:
    """The tests that say by a mark which row they are of."""
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
    """The rows, and below each a line for every failure and one for its test."""
    lines = []
    for row, issues in ROWS.items():
        lines.append(f"{row:<5}{issues}".rstrip())
        for proof in proofs:
            if proof.row == row:
                lines += [f"{'':<5}{proof.failure}", f"{'':<7}{proof.test}"]
    tests = len({proof.test for proof in proofs})
    return "\n".join([*lines, f"{len(ROWS)} rows, {tests} tests"])


def mistakes_of(proofs: list[Proof]) -> Iterator[str]:
    """What is missing in the table, or in it without being anywhere."""
    for row in ROWS:
        if not any(proof.row == row for proof in proofs):
            yield f"row {row} has no test"
    for proof in proofs:
        name, _, function = proof.test.partition("::")
        if not (ROOT / name).exists() or function not in {it.name for it in functions(ROOT / name)}:
            yield f"row {proof.row}: there is no {proof.test}"
        if proof.row not in ROWS:
            yield f"{proof.test}: there is no row {proof.row}"
        if not proof.failure:
            yield f"{proof.test}: its docstring must say what goes wrong elsewhere"


def run(proofs: list[Proof]) -> int:
    """Run the tests of the table but those inside trainers, for which it prints the command."""
    tests = [*dict.fromkeys(proof.test for proof in proofs)]
    inside = [test for test in tests if test.startswith(HOSTS)]
    here = [test for test in tests if test not in inside]
    print("inside the trainers: python3 tools/hosts.py", *inside, sep="\n  ", flush=True)
    return subprocess.run([sys.executable, "-m", "pytest", "-q", *here], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
