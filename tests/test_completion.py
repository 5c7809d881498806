"""The scripts of `olm completion`, in the shells themselves."""

import shutil
import subprocess
import sys

import pytest

from olm.cli import FINE, MISUSE, main, verb_modules
from olm.cli.verbs.completion import SHELLS, whole_parser
from olm.kinds import KINDS

COMPLETED = {
    "olm che": {"check"},
    "olm check --formt": set(),
    "olm check --stat": {"--statistics"},
    "olm check --format j": {"json", "junit"},
    "olm check a.olm": {"a.olm.yaml"},
    "olm check --format json --output-file a.olm": {"a.olm.yaml"},
    "olm kinds Linear": {kind for kind in KINDS if kind.startswith("Linear")},
    "olm help resu": {"resume"},
    "olm explain unknown-f": {"unknown-field", "unknown-format"},
}
"""What is typed before Tab → what completes it."""

BASH = """
source ./script
COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
$(complete -p olm | sed 's/.*-F \\([^ ]*\\).*/\\1/') olm "${{COMP_WORDS[COMP_CWORD]}}" x
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
FISH = "source ./script; complete -C '{line}'"
DRIVERS = {"bash": ["bash", "-c", BASH], "fish": ["fish", "--no-config", "-c", FISH]}


@pytest.fixture
def script(tmp_path, monkeypatch, capsys):
    """What writes the script of a shell, and returns its path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.olm.yaml").write_text("")

    def write(shell):
        if not shutil.which(shell):
            pytest.skip(f"{shell} is not installed")
        assert main(["completion", shell]) == FINE
        path = tmp_path / "script"
        path.write_text(capsys.readouterr().out, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("shell", DRIVERS)
def test_a_shell_completes_verbs_options_values_and_files(shell, script):
    script(shell)
    *command, code = DRIVERS[shell]
    for line, expected in COMPLETED.items():
        done = subprocess.run([*command, code.format(line=line)], capture_output=True, text=True)
        assert done.stderr == ""
        assert {row.partition("\t")[0] for row in done.stdout.split("\n") if row} == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_has_the_syntax_of_its_shell(shell, script):
    done = subprocess.run([shell, "-n", str(script(shell))], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_has_every_verb(shell, capsys):
    assert main(["completion", shell]) == FINE
    out = capsys.readouterr().out
    assert [verb for verb in verb_modules() if verb not in out] == []


def test_one_parser_takes_what_the_verbs_take():
    args = whole_parser().parse_args(["check", "a", "--format", "json", "--strict"])
    assert (args.paths, args.strict) == (["a"], True)


def test_without_shtab_the_command_reports_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == MISUSE
    message = "olm completion: the script needs shtab: pip install 'olm-schedules[completion]'\n"
    assert capsys.readouterr() == ("", message)
