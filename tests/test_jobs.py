"""Checks in several processes: the same results, and no process is left behind."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest

from olm.checking.check import Checked, check_file
from olm.cli import FINE, INTERRUPTED, MISUSE, PIPE_CLOSED, PROBLEMS, Misuse, formats, main
from olm.cli.files.jobs import BATCH, in_order, number_of_cores
from olm.text.document import read

SPEC = "kind: LinearLR\ntotal_steps: 100\n"
TEXTS = [
    SPEC,
    "kind: LinearLR\ntotal_step: 100\n",
    "kind: [\n",
    "",
    "\ufeffkind: é\r\n",
    "kind: WarmupCosineScheduler\nwarmup_steps: 90\ntotal_steps: 100\n",
    *[SPEC] * 6,
]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with more files than two processes check at once, some of them invalid."""
    monkeypatch.chdir(tmp_path)
    for number in range(5 * BATCH + 7):
        path = tmp_path / f"{number:04}.olm.yaml"
        path.write_bytes(TEXTS[number % len(TEXTS)].encode())
    return tmp_path


def spec_files(number):
    return [f"{index}.olm.yaml" for index in range(number)]


def fine(path):
    return Checked(read(SPEC, path), ())


@pytest.mark.parametrize("form", formats.names())
def test_the_output_is_the_same_to_the_byte(form, folder):
    def output(*jobs):
        command = [sys.executable, "-m", "olm", "check", ".", "--format", form, "--lint", *jobs]
        return subprocess.run(command, capture_output=True, cwd=folder, check=False)

    alone, three = output(), output("--jobs", "3")
    assert (alone.returncode, alone.stderr) == (three.returncode, three.stderr) == (PROBLEMS, b"")
    assert alone.stdout == three.stdout != b""


@pytest.mark.parametrize("number", [0, 1, BATCH - 1, BATCH, BATCH + 1, 7 * BATCH + 3])
@pytest.mark.parametrize("jobs", [0, 1, 2, 5, 100])
def test_results_come_in_the_order_of_the_files(number, jobs):
    paths = spec_files(number)
    assert [result.file for result in in_order(fine, paths, jobs)] == paths


def test_the_files_are_divided_among_processes():
    all_at_work = get_context("fork").Barrier(3, timeout=20)

    def who(path):
        if int(path.partition(".")[0]) % BATCH == 0:
            all_at_work.wait()
        return check_file(f"/proc/{os.getpid()}/{path}")

    results = list(in_order(who, spec_files(3 * BATCH), 3))
    processes = {result.problems[0].place.file.split("/")[2] for result in results}
    assert len(processes - {str(os.getpid())}) == 3


def test_results_with_problems_have_their_text_and_others_do_not(folder):
    paths = sorted(str(path) for path in folder.iterdir())
    there = list(in_order(check_file, paths, 2))
    here = [check_file(path) for path in paths]
    assert [result.problems for result in there] == [result.problems for result in here]
    texts = [result.text.content if result.problems else "" for result in here]
    assert [result.text.content for result in there] == texts


def test_no_process_is_left_at_the_end_or_after_stopping_early():
    results = in_order(fine, spec_files(9 * BATCH), 3)
    next(results)
    results.close()
    list(in_order(fine, spec_files(9 * BATCH), 3))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_process_that_is_killed_is_a_clear_error():
    def killed(path):
        if path.startswith("77."):
            os.kill(os.getpid(), signal.SIGKILL)
        return fine(path)

    expected = "a process that checks files was killed: `--jobs 1` needs the least memory"
    with pytest.raises(Misuse, match=expected):
        list(in_order(killed, spec_files(4 * BATCH), 2))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_an_exception_in_a_process_is_raised_here():
    def wrong(path):
        raise Misuse(f"not {path}") if path.startswith("60.") else KeyError(path)

    with pytest.raises(KeyError):
        list(in_order(wrong, spec_files(4 * BATCH), 2))

    def misused(path):
        if path.startswith("60."):
            raise Misuse(f"not {path}")
        return fine(path)

    with pytest.raises(Misuse, match=r"^not 60\.olm\.yaml$"):
        list(in_order(misused, spec_files(4 * BATCH), 2))


def test_results_that_fill_a_pipe_do_not_block(tmp_path):
    text = "kind: LinearLR\n" + "".join(f"x{number}: 1\n" for number in range(500))

    def large(path):
        return Checked(read(text, path), (*check_file("nowhere").problems,))

    results = list(in_order(large, spec_files(8 * BATCH), 2))
    assert all(result.text.content == text for result in results)


def test_standard_input_is_read_by_the_first_process(folder):
    command = [sys.executable, "-m", "olm", "check", "--jobs", "2", ".", "-"]
    done = subprocess.run(command, input="kind: X\n", cwd=folder, capture_output=True, text=True)
    assert "<stdin>:1:7: error[unknown-kind]" in done.stdout


def many(tmp_path):
    for number in range(40 * BATCH):
        (tmp_path / f"{number}.olm.yaml").write_text("kind: LinearLR\n" + "x: 1\n" * 20)
    return [sys.executable, "-m", "olm", "check", "--jobs", "2", str(tmp_path)]


def test_closing_the_output_ends_every_process_quietly(tmp_path):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
    with subprocess.Popen(many(tmp_path), **pipes) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == PIPE_CLOSED
    assert group_is_gone(process.pid)


def test_ctrl_c_ends_every_process_quietly(tmp_path):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
    # Processes in the background of a shell ignore Ctrl-C, and so would these.
    pipes["preexec_fn"] = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(many(tmp_path), **pipes) as process:
        process.stdout.readline()
        # Like a terminal, which interrupts all processes of the group.
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        assert process.stderr.read() == b""
    assert process.returncode == INTERRUPTED
    assert group_is_gone(process.pid)


def test_when_the_first_process_is_killed_the_others_end(tmp_path):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
    with subprocess.Popen(many(tmp_path), **pipes) as process:
        process.stdout.readline()
        process.kill()
    assert group_is_gone(process.pid)


def group_is_gone(group):
    """Whether the processes of a group end within ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_zero_means_all_cores(tmp_path, monkeypatch, capsys):
    assert 1 <= number_of_cores() <= os.cpu_count()
    (tmp_path / "a.olm.yaml").write_text(SPEC)
    assert main(["check", str(tmp_path), "--jobs", "0"]) == FINE
    assert main(["check", str(tmp_path), "--jobs", "-1"]) == MISUSE
    assert "must be at least 0, found -1" in capsys.readouterr().err


def test_one_job_imports_nothing_for_processes(tmp_path):
    Path(tmp_path, "a.olm.yaml").write_text(SPEC)
    code = "import sys; from olm.cli import main; main(sys.argv[1:]); print(*sys.modules)"
    command = [sys.executable, "-c", code, "check", str(tmp_path)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert {"olm.cli.files.jobs", "multiprocessing", "pathspec", "tomllib"}.isdisjoint(loaded)
