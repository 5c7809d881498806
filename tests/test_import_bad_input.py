"""Files that `olm import` cannot read are one clear error each, and nothing in them is run."""

import os
import random
import re
import subprocess
import sys
import time
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

import olm
from olm.cli import PROBLEMS, main
from olm.foreign.configs._importing import given_of, imported
from olm.foreign.configs._source import source_of
from olm.problem import OlmError, SpecError

ROOT = Path(__file__).resolve().parent.parent
ARGUMENTS = "lr_scheduler_type: linear\nmax_steps: 100\n"
MMENGINE = """
_base_ = %s
train_cfg = dict(by_epoch=False, max_iters=100)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
param_scheduler = [dict(type='ConstantLR', by_epoch=False, begin=0, end=10)]
"""
NOTEBOOK = '{"cells": [{"cell_type": "code", "source": ["from optax import *\\n"]}], "nbformat": 4'
DEEP = 100_000

BAD = {
    # name: (file, content, code, line)
    "nothing": ("a.yaml", "", "empty", 1),
    "no configuration": ("a.yaml", "colour: red\n", "unknown-format", 1),
    "YAML cut in a list": ("a.yaml", f"{ARGUMENTS}report_to: [tensorboard,", "syntax", None),
    "YAML cut in a string": ("a.yaml", f'{ARGUMENTS}output_dir: "run', "syntax", None),
    "JSON cut": ("a.json", '{"lr_scheduler_type": "linear", "max_steps": ', "syntax", None),
    "TOML cut": ("a.toml", "[lr_scheduler]\nwarmup_steps = ", "syntax", 2),
    "TOML with a table twice": ("a.toml", "[training]\nsteps = 1\n[training]\n", "syntax", 3),
    "Python cut": ("a.py", "param_scheduler = [dict(", "syntax", 1),
    "Python with a bad indent": ("a.py", "a = 1\n  b = 2\n", "syntax", 2),
    "shell cut in a string": ("a.sh", "python train.py \\\n  --sched 'cosine", "syntax", None),
    "an ini without a section": ("a.cfg", "warmup = 1\n", "syntax", 1),
    "an ini with a section twice": ("a.cfg", "[a]\nb = 1\n[a]\n", "syntax", 3),
    "gin cut": ("a.gin", "create_learning_rate_scheduler.factors = 'constant", "syntax", 1),
    "a notebook cut": ("a.ipynb", NOTEBOOK, "syntax", None),
    "a notebook that is a list": ("a.ipynb", "[1, 2]", "syntax", 1),
    "a card without arguments": ("a.md", "# A model\n\nTrained for long.\n", "unknown-format", 1),
    "two formats": ("a.yaml", f"{ARGUMENTS}SOLVER: {{BASE_LR: 0.1}}\n", "unknown-format", 1),
    "a binary": ("a.yaml", b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)), "character", 1),
    "a binary without a name": ("a.out", b"\x7fELF\x02\x01\x01\x00" + bytes(99), "character", 1),
    "a zip": ("a.json", b"PK\x03\x04" + bytes(99), "character", 1),
    "Latin-1": ("a.yaml", f"{ARGUMENTS}output_dir: caf\xe9\n".encode("latin-1"), "encoding", 3),
    "UTF-16": ("a.yaml", ARGUMENTS.encode("utf-16"), "encoding", 1),
    "Python in Latin-1": ("a.py", b"# caf\xe9\nparam_scheduler = []\n", "encoding", 1),
    "10 MB": ("a.yaml", ARGUMENTS + "# long\n" * 1_500_000, "size", 1),
    "10 MB of Python": ("a.py", "a = 1\n" * 1_700_000, "size", 1),
    "10 MB of shell": ("a.sh", "# long\n" * 1_500_000, "size", 1),
    "10 MB of zeros": ("a.yaml", bytes(10_000_000), "size", 1),
    "a command": ("a.yaml", f'{ARGUMENTS}learning_rate: "$(rm -rf /)"\n', "type", 3),
    "a command in shell": ("a.sh", "python run.py --lr_scheduler_type linear "
                           "--learning_rate $(rm -rf /)\n", "needs-code", 1),
    "a command in quotes": ("a.sh", "python run.py --lr_scheduler_type linear "
                            "--learning_rate `rm -rf /`\n", "needs-code", 1),
    "a variable": ("a.yaml", f"{ARGUMENTS}learning_rate: ${{oc.env:HOME}}\n", "unset-variable", 3),
    "a variable in shell": ("a.sh", "python run.py --lr_scheduler_type linear "
                            "--learning_rate $HOME\n", "unset-variable", 1),
    "a function": ("a.yaml", f"{ARGUMENTS}learning_rate: ${{eval:1+1}}\n", "needs-code", 3),
    "a tag": ("a.yaml", f"{ARGUMENTS}a: !!python/object/apply:os.system [ls]\n", "tag", 3),
    "a tag of a value": ("a.yaml", f"{ARGUMENTS}learning_rate: !!float 3e-4\n", "tag", 3),
    "aliases that multiply": (
        "a.yaml", "a: &a [x]\n" + "".join(f"{k}: &{k} [*{j}, *{j}, *{j}]\n"
                                          for j, k in zip("abcdefgh", "bcdefghi", strict=True)),
        "anchor", 1),
    "deep lists": ("a.yaml", f"{ARGUMENTS}a: {'[' * DEEP}{']' * DEEP}\n", "depth", 3),
    "deep JSON": ("a.json", '{"a":' * DEEP + "1" + "}" * DEEP, "depth", 1),
    "deep TOML": ("a.toml", f"a = {'[' * DEEP}{']' * DEEP}\n", "depth", 1),
    "deep Python": ("a.py", f"param_scheduler = {'[' * 90_000}{']' * 90_000}\n", None, 1),
    "a deep sum": ("a.py", f"param_scheduler = {'-' * 90_000}1\n", None, 1),
    "a power": ("a.py", MMENGINE % "[]" + "max_iters = 9 ** 9 ** 9 ** 9\n"
                "train_cfg = dict(max_iters=max_iters)\n", None, None),
    "a huge integer": ("a.yaml", f"lr_scheduler_type: linear\nmax_steps: {'9' * 5000}\n",
                       "number", 2),
    "a huge integer in TOML": ("a.toml", f"[training]\nsteps = {'9' * 5000}\n", "number", 2),
    "a huge integer in Python": ("a.py", f"max_iters = {'9' * 5000}\n", None, 1),
    "a huge number of steps": ("a.yaml", "lr_scheduler_type: linear\nmax_steps: 1e300\n", None,
                               None),
    "a key twice": ("a.yaml", f"{ARGUMENTS}max_steps: 200\n", "duplicate-key", 3),
    "several documents": ("a.yaml", f"{ARGUMENTS}---\n{ARGUMENTS}", "documents", 3),
    "an import": ("a.py", MMENGINE % "[]" + "import os\nparam_scheduler = os.listdir('/')\n",
                  "needs-code", None),
    "a call": ("a.py", MMENGINE % "[]" + "train_cfg = __import__('os').system('ls')\n",
               "needs-code", None),
    "options that are no mapping": ("a.yaml", f"{ARGUMENTS}lr_scheduler_kwargs: 3\n", "type", 3),
    "options of axolotl that are none": (
        "a.yaml", "base_model: a\nmicro_batch_size: 1\nmax_steps: 9\nlearning_rate: 0.1\n"
        "lr_scheduler_kwargs: [3]\n", "type", 5),
    "a time without a number": (
        "a.yaml", "max_duration: 9ba\nscheduler: {name: constant_with_warmup, t_warmup: ''}\n",
        "type", 1),
    "a base outside the folder": ("a.py", MMENGINE % "'../../other.py'", "needs-key", 2),
    "an absolute base": ("a.py", MMENGINE % "'/etc/passwd'", "needs-key", 2),
    "a base that is missing": ("a.py", MMENGINE % "'missing.py'", "needs-key", 2),
    "a base that is its own": ("a.py", MMENGINE % "'a.py'", "needs-key", 2),
    "a base in yacs that is missing": ("a.yaml", "_BASE_: missing.yaml\nSOLVER: {MAX_ITER: 9}\n",
                                       "needs-key", 1),
    "a base in yacs that is its own": ("a.yaml", "_BASE_: a.yaml\nSOLVER: {MAX_ITER: 9}\n",
                                       "needs-key", 1),
    "an absolute base in yacs": ("a.yaml", "_BASE_: /etc/passwd\nSOLVER: {MAX_ITER: 9}\n",
                                 "needs-key", 1),
}  # fmt: skip

LINE = re.compile(r"^(\S+?):(\d+):\d+: error\[([a-z-]+)\]: \S", re.MULTILINE)


WATCHED = {"open", "os.listdir", "os.system", "os.exec", "os.posix_spawn", "os.fork"} | {
    "subprocess.Popen",
    "socket.connect",
    "os.remove",
    "os.rename",
}
PARTS_OF_PYTHON = tuple(
    str(Path(path).resolve()) for path in {sys.prefix, sys.base_prefix, ROOT, ROOT / "olm"}
)
EVENTS: list[tuple[str, str]] = []
WATCHING: list[bool] = []


def _watch(event, arguments):
    if WATCHING and event in WATCHED:
        EVENTS.append((event, str(arguments[0]) if arguments else ""))


sys.addaudithook(_watch)


def events_of(*arguments):
    """What a run of the command opens, lists, starts or removes, apart from Python's own files."""
    EVENTS.clear()
    WATCHING.append(True)
    try:
        main([*arguments])
    finally:
        WATCHING.clear()
    return [
        (event, path)
        for event, path in EVENTS
        if not str(Path(path).resolve()).startswith(PARTS_OF_PYTHON)
    ]


def written(folder, name, content):
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize(("name", "content", "code", "line"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_error_with_its_line(name, content, code, line, tmp_path, capsys):
    file, start = written(tmp_path, name, content), time.process_time()
    status = main(["import", str(file)])
    out, err = capsys.readouterr()
    assert time.process_time() - start < 5
    assert (status, out) == (PROBLEMS, "")
    [(where, at, found), *more] = LINE.findall(err)
    # Every anchor and alias is a problem of its own.
    assert len(more) == (9 if code == "anchor" else 0)
    assert Path(where) == file
    assert code in (None, found)
    assert line in (None, int(at))
    assert len(err) < 4000
    with pytest.raises(SpecError):
        olm.import_config(file)


@pytest.mark.parametrize(("name", "content"), [case[:2] for case in BAD.values()], ids=BAD)
def test_nothing_but_the_file_is_read_and_nothing_is_started(name, content, tmp_path):
    file = written(tmp_path, name, content)
    assert {*events_of("import", str(file))} <= {("open", str(file))}


def test_the_files_that_a_file_names_are_read_and_no_others(tmp_path):
    for name in ("base", "other"):
        written(tmp_path, f"{name}.py", "a = 1\n")
    file = written(tmp_path, "a.py", MMENGINE % "'base.py'")
    opened = {Path(path).name for _, path in events_of("import", str(file))}
    assert opened == {"a.py", "base.py"}


def test_a_batch_of_no_samples_is_refused_at_its_key(tmp_path):
    file = written(tmp_path, "a.yaml", "per_device_train_batch_size: 0\nlearning_rate: 0.1\n")
    with pytest.raises(SpecError, match=r"a\.yaml:1:\d+: error\[type\]: .* must be at least 1"):
        olm.import_config(file, dataset_size=100, world_size=2)


ODD = (
    None, True, "", "1", "auto", [], {}, [[]], {"a": 1}, 0, -1, 10**9, 10**30, 1e308, 0.5, 1e-300,
    float("inf"), [1] * 40, [None], "1ep", "10%", "${a.b}", "cosine", 3.7,
)  # fmt: skip
SAMPLES = sorted(
    path
    for path in (ROOT / "tests" / "imports").glob("*/*.yaml")
    if not path.name.endswith(".expect.yaml")
)


def places(value, path=()):
    """The path to every value inside another one."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_key_with_an_odd_value_raises_nothing_but_our_own_errors(path):
    """Ten places of each file have a value that they should not have, the same in every run."""
    plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    options = given_of({"total_steps": 90, "steps_per_epoch": 9, "nearest": True})
    draw = random.Random(path.name)
    for place in draw.choices([*places(plain)], k=10):
        value = deepcopy(plain)
        inside = value
        for key in place[:-1]:
            inside = inside[key]
        inside[place[-1]] = deepcopy(draw.choice(ODD))
        with suppress(OlmError):
            imported(source_of(yaml.safe_dump(value), "a.yaml"), options)


@pytest.mark.parametrize("kind", ["outside", "loop", "dangling"])
def test_a_base_that_is_a_symbolic_link_out_of_the_folder_is_not_read(kind, tmp_path, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    written(tmp_path, "secret.py", "secret = 1\n")
    target = {"outside": "../secret.py", "loop": "base.py", "dangling": "nothing.py"}[kind]
    (folder / "base.py").symlink_to(target)
    file = written(folder, "a.py", MMENGINE % "'base.py'")
    assert main(["import", str(file)]) == PROBLEMS
    [(_, line, code)] = LINE.findall(capsys.readouterr().err)
    assert (line, code) == ("2", "needs-key")


def test_a_base_in_yacs_that_is_a_loop_of_two_is_reported_at_once(tmp_path, capsys):
    written(tmp_path, "b.yaml", "_BASE_: a.yaml\n")
    file = written(tmp_path, "a.yaml", "_BASE_: b.yaml\nSOLVER: {MAX_ITER: 9}\n")
    assert main(["import", str(file)]) == PROBLEMS
    err = capsys.readouterr().err
    assert len(LINE.findall(err)) == 1
    assert "loop" in err


SPECIAL = {
    "a pipe": "pipe.yaml",
    "a device without an end": "/dev/zero",
    "a terminal": "/dev/tty",
    "a folder": ".",
    "a loop of links": "loop.yaml",
    "a link to nothing": "dangling.yaml",
    "a file that is missing": "missing.yaml",
    "a base that is a pipe": "base.yaml",
    "a deepspeed file that is a pipe": "zero.yaml",
}


@pytest.mark.parametrize("name", SPECIAL.values(), ids=SPECIAL)
def test_what_is_no_file_is_an_error_at_once(name, tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "dangling.yaml").symlink_to("nothing.yaml")
    written(tmp_path, "base.yaml", "_BASE_: pipe.yaml\nSOLVER: {MAX_ITER: 9}\n")
    written(tmp_path, "zero.yaml", ARGUMENTS + "deepspeed: pipe.json\nlr_noise: 3\n")
    done = subprocess.run(
        [sys.executable, "-m", "olm", "import", name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) in range(1, 8)


def test_a_pipe_of_the_shell_is_read(tmp_path):
    command = f"{sys.executable} -m olm import <(printf 'lr_scheduler_type: lineal\\nmax_steps: 9')"
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[unknown-scheduler]" in done.stderr
