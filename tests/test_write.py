"""Writing files: what stands at a path decides how it is written, and nothing is lost."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import olm
from olm.cli import main
from olm.text.write import write_whole

ROOT = Path(__file__).resolve().parent.parent
STATE = str(ROOT / "tests" / "states" / "exponential.json")
SPEC = b"kind: LinearLR\ntotal_steps: '10'\n"
FIXED = b"kind: LinearLR\ntotal_steps: 10\n"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make devices and chown")


def shell(command, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    text = command.format(olm=f"{sys.executable} -m olm", state=STATE)
    return subprocess.run(
        ["bash", "-c", text], cwd=folder, env=environment, capture_output=True, text=True
    )


@needs_root
def test_a_device_is_written_to_and_stays_a_device(tmp_path, capsys):
    null = tmp_path / "null"
    os.mknod(null, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    assert main(["state", STATE, "--out", str(null)]) == 0
    write_whole(null, b"x")
    assert stat.S_ISCHR(null.stat().st_mode)
    assert [*tmp_path.iterdir()] == [null]


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"x" * 200_000)
    reader.join()
    assert got == [b"x" * 200_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("redirection", [">>", ">"])
@pytest.mark.parametrize("out", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_keeps_what_it_had_and_what_follows(redirection, out, tmp_path):
    (tmp_path / "log").write_text("before\n" if redirection == ">>" else "")
    command = f"(echo a; {{olm}} state {{state}} --out {out}; echo b) {redirection} log"
    assert shell(command, tmp_path).returncode == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0] == ("before" if redirection == ">>" else "a")
    assert '  "kind": "ExponentialLR",' in lines
    assert lines[-1] == "b"


def test_a_pipe_of_the_shell_receives_the_state(tmp_path):
    done = shell("{olm} state {state} --out /dev/stdout | head -2", tmp_path)
    assert done.stdout == '{\n  "kind": "ExponentialLR",\n'


def test_a_file_with_several_names_keeps_them_all(tmp_path, capsys):
    file, other = tmp_path / "a.olm.yaml", tmp_path / "b"
    file.write_bytes(SPEC)
    other.hardlink_to(file)
    assert main(["check", "--fix", str(file)]) == 0
    assert other.read_bytes() == file.read_bytes() == FIXED
    assert file.stat().st_nlink == 2


@needs_root
def test_the_owner_and_the_permissions_stay(tmp_path, capsys):
    file = tmp_path / "a.olm.yaml"
    file.write_bytes(SPEC)
    os.chown(file, 1234, 4321)
    file.chmod(0o640)
    assert main(["check", "--fix", str(file)]) == 0
    there = file.stat()
    assert (there.st_uid, there.st_gid, stat.S_IMODE(there.st_mode)) == (1234, 4321, 0o640)
    assert file.read_bytes() == FIXED


def test_a_read_only_file_is_reported_and_not_written(tmp_path, capsys):
    file = tmp_path / "a.olm.yaml"
    file.write_bytes(SPEC)
    file.chmod(0o444)
    assert main(["check", "--fix", str(file)]) == 1
    assert "cannot write the fixed file: the file is read-only" in capsys.readouterr().out
    assert file.read_bytes() == SPEC
    with pytest.raises(PermissionError):
        write_whole(file, b"")


def test_an_edit_made_while_a_file_is_being_fixed_is_not_lost(tmp_path, capsys, monkeypatch):
    file = tmp_path / "a.olm.yaml"
    file.write_bytes(SPEC)
    sync = os.fsync

    def edit(descriptor):
        sync(descriptor)
        file.write_bytes(b"kind: HoldLR\n")

    monkeypatch.setattr("olm.text.write.os.fsync", edit)
    assert main(["check", "--fix", str(file)]) == 1
    assert "the file has changed since it was read" in capsys.readouterr().out
    assert file.read_bytes() == b"kind: HoldLR\n"
    assert [*tmp_path.iterdir()] == [file]


@pytest.mark.parametrize("length", [1, 233, 234, 235, 240, 255])
def test_a_name_of_any_length_that_a_file_may_have_works(length, tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed")

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = olm.build({"kind": "HoldLR"}, optimizer)
    file = tmp_path / ("é" * (length // 2) + "a" * (length % 2))
    olm.save_state(scheduler, file)
    olm.save_state(scheduler, file)
    assert olm.load(file).last_epoch == 0
    assert [*tmp_path.iterdir()] == [file]
