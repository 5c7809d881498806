"""The command `olm`: what it prints, where, and with which exit status; `check` and `kinds`."""

import doctest
import os
import re
import subprocess
import sys
from textwrap import dedent

import pytest

import olm
import olm.cli.verbs
from olm.cli import (
    FINE,
    INTERRUPTED,
    MISUSE,
    NOTHING_MATCHED,
    PIPE_CLOSED,
    PROBLEMS,
    main,
    verb_modules,
)
from olm.cli.pydantic_plugins import LOADER
from olm.cli.without_verb import WORDS
from olm.problem import LISTED
from olm.text.source import MAX_BYTES

GOOD = "kind: LinearLR\ntotal_steps: 100\n"
WRONG = "kind: LinearLR\ntotal_step: 100\n"

MOST_MODULES = 60
"""The most modules of olm that a check of one valid file may load."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, and a function that makes files in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def make(texts):
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return make


def olm_process(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "olm", *arguments], capture_output=True, text=True, **options
    )


def test_fine_specs_are_counted(folder, capsys):
    folder({"a.olm.yaml": GOOD, "b.olm.yaml": GOOD})
    assert main(["check", "."]) == FINE
    assert capsys.readouterr() == ("2 files are fine\n", "")


def test_problems_give_status_1(folder, capsys):
    folder({"a.olm.yaml": GOOD, "b.olm.yaml": WRONG})
    assert main(["check", "a.olm.yaml", "b.olm.yaml"]) == PROBLEMS
    out = capsys.readouterr().out
    assert out.startswith("b.olm.yaml:2:1: error[unknown-field]: ")
    assert "\n1 problem in 1 of 2 files\n" in out


def test_a_path_that_is_not_there_is_misuse(folder, capsys):
    folder({"a.olm.yaml": WRONG})
    assert main(["check", "a.olm.yaml", "b.olm.yaml"]) == MISUSE
    assert capsys.readouterr() == ("", "olm check: no such file or folder: b.olm.yaml\n")


def test_a_folder_without_specs_gives_status_3(folder, capsys):
    folder({"conf/a.yaml": WRONG})
    assert main(["check", "conf"]) == NOTHING_MATCHED
    out, error = capsys.readouterr()
    assert (out, error) == (
        "",
        "olm check: no *.olm.yaml, *.olm.yml, *.olm.json or *.olm.toml in conf\n",
    )


WRONG_ARGUMENTS = {
    "check --quick x": "there is no option `--quick`: `olm check --help` lists its options",
    "check --formt json": "there is no option `--formt`: did you mean `--format`?",
    "check -format json": "there is no option `-format`: did you mean `--format`?",
    "check --format=jsn": "--format: there is no 'jsn': did you mean `json`?",
    "check --jobs": "--jobs needs a value: `olm check --help` describes it",
    "check --jobs x": "--jobs: 'x' is not a valid value",
    "check --jobs=-2": "--jobs: the number of processes must be at least 0, found -2",
    "check -- --quick": "no such file or folder: --quick",
    "kinds a b": "unexpected argument `b`: `olm kinds --help` lists what it takes",
    "show": "FILE is missing: `olm show --help` describes it",
    "show --base-Ir 3e-4": "there is no option `--base-Ir`: did you mean `--base-lr`?",
    "export a": "--to is missing: `olm export --help` describes it",
    "diff": "expected two files, found 0: olm diff A B, or olm diff --git REV FILE",
}


@pytest.mark.parametrize(("command", "message"), WRONG_ARGUMENTS.items(), ids=WRONG_ARGUMENTS)
def test_wrong_arguments_are_misuse_and_reported_in_one_line(command, message, capsys):
    verb, *arguments = command.split()
    assert main([verb, *arguments]) == MISUSE
    assert capsys.readouterr() == ("", f"olm {verb}: {message}\n")


@pytest.mark.parametrize("verb", verb_modules())
def test_every_verb_refuses_an_unknown_option_in_one_line(verb, capsys):
    assert main([verb, "--hepl"]) == MISUSE
    message = f"olm {verb}: there is no option `--hepl`: did you mean `--help`?\n"
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("chek", "did you mean `check`?"),
        ("lint", "use `olm check --lint`"),
        ("validate", "use `olm check`"),
        ("fix", "use `olm check --fix`"),
        ("Plot", "use `olm show --svg OUT`"),
        ("resume", "use `olm explain resume`"),
        ("LinearLR", "use `olm kinds LinearLR`"),
        ("llama-2-7b", "use `olm show llama-2-7b`"),
        ("run.olm.yaml", "use `olm check run.olm.yaml` or `olm show run.olm.yaml`"),
        ("xyzzy", f"the verbs are {', '.join(verb_modules())}"),
    ],
)
def test_a_word_that_is_no_verb_leads_to_the_right_one(word, meant, capsys):
    assert main([word]) == MISUSE
    assert capsys.readouterr() == ("", f"olm: there is no verb `{word}`: {meant}\n")


def test_an_option_before_the_verb_is_misuse(capsys):
    assert main(["--lint", "check"]) == MISUSE
    message = "there is no option `--lint`: options follow the verb, see `olm --help`"
    assert capsys.readouterr() == ("", f"olm: {message}\n")


@pytest.mark.parametrize("command", WORDS)
def test_what_a_word_leads_to_exists(command, capsys):
    _, verb, *options = command.split()
    assert main([verb, "--help"]) == FINE
    page = capsys.readouterr().out
    assert [option for option in options if option not in page] == []


def test_no_verb_is_among_the_words_that_lead_to_one():
    words = [word for words in WORDS.values() for word in words]
    assert len(words) == len({*words})
    assert {*words} & {*verb_modules()} == set()


def test_a_check_without_files_checks_the_current_folder(folder, capsys):
    folder({"a.olm.yaml": GOOD, "b/c.olm.yaml": WRONG})
    assert main(["check", "--format", "concise"]) == PROBLEMS
    assert capsys.readouterr().out.startswith("b/c.olm.yaml:2:1: ")


def printed(capsys, *arguments):
    assert main(arguments) == FINE
    return capsys.readouterr().out


def test_help_prints_what_describes_a_topic(capsys):
    assert printed(capsys, "help") == printed(capsys, "--help")
    assert printed(capsys, "help", "check") == printed(capsys, "check", "--help")
    assert printed(capsys, "help", "import") == printed(capsys, "import", "--help")
    assert printed(capsys, "help", "lint") == printed(capsys, "check", "--help")
    assert printed(capsys, "help", "resume") == printed(capsys, "explain", "resume")
    assert printed(capsys, "help", "jump") == printed(capsys, "explain", "jump")
    assert printed(capsys, "help", "LinearLR") == printed(capsys, "kinds", "LinearLR")


def test_help_suggests_the_nearest_topic(capsys):
    assert main(["help", "resum"]) == MISUSE
    message = "olm help: there is no topic `resum`: did you mean `resume`?\n"
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize("argument", ["version", "-V", "--version"])
def test_the_version_is_printed(argument, capsys):
    assert re.fullmatch(r"olm \S+\n", printed(capsys, argument))


def test_folders_are_searched_except_for_hidden_and_foreign_ones(folder, capsys):
    searched = ["b/a.olm.yaml", "a/c/a.olm.yaml", "a.olm.yml"]
    passed_over = [".venv/x/a.olm.yaml", "node_modules/a.olm.json", "a/a.yaml"]
    folder(dict.fromkeys(searched + passed_over, WRONG))
    main(["check", "./"])
    files = re.findall(r"^(\S+):\d+:\d+:", capsys.readouterr().out, re.MULTILINE)
    assert files == ["a.olm.yml", "a/c/a.olm.yaml", "b/a.olm.yaml"]


def test_what_is_named_is_checked_whatever_its_name(folder, capsys):
    folder({".hidden/a.olm.yaml": GOOD, "spec.txt": GOOD})
    assert main(["check", ".hidden", "spec.txt", "spec.txt"]) == FINE
    assert capsys.readouterr().out == "2 files are fine\n"


def test_a_file_that_cannot_be_read_does_not_stop_the_others(folder, tmp_path, capsys):
    folder({"z.olm.yaml": WRONG})
    (tmp_path / "a.olm.yaml").symlink_to("nowhere")
    assert main(["check", "."]) == PROBLEMS
    out = capsys.readouterr().out
    assert out.startswith("a.olm.yaml:1:1: error[unreadable]: cannot read this file: no such file")
    assert "\n2 problems in 2 of 2 files\n" in out


ODD = {
    "binary": (bytes(range(256)), "character"),
    "byte-order-mark": (b"\xef\xbb\xbfkind: LinearLR\r\ntotal_step: 100\r\n", "unknown-field"),
    "crlf": (WRONG.replace("\n", "\r\n").encode(), "unknown-field"),
    "empty": (b"", "empty"),
    "half-of-a-byte-sequence": (b"kind: \xc3", "encoding"),
    "latin-1": ("kind: é".encode("latin-1"), "encoding"),
    "utf-16": (GOOD.encode("utf-16"), "encoding"),
    "whitespace": (b" \n\n", "empty"),
    "wrong": (WRONG.encode(), "unknown-field"),
}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_odd_files_are_each_told_of_and_do_not_stop_the_others(jobs, folder, tmp_path, capsys):
    names = [f"{number:02}-{name}.olm.yaml" for number in range(9) for name in ODD]
    for name in names:
        (tmp_path / name).write_bytes(ODD[name[3:].split(".")[0]][0])
    loop = tmp_path / "zz.olm.yaml"
    loop.symlink_to(loop)
    assert main(["check", ".", "--format", "concise", "--jobs", jobs]) == PROBLEMS
    told = re.findall(r"^(\S+?):\d+:\d+: error\[(\S+)\]", capsys.readouterr().out, re.MULTILINE)
    expected = {name: ODD[name[3:].split(".")[0]][1] for name in names} | {loop.name: "unreadable"}
    # A file without `total_steps` is told of that, too.
    assert dict(reversed(told)) == expected


def test_a_path_that_cannot_be_looked_at_is_a_problem(folder, capsys):
    assert main(["check", "x" * 5000]) == PROBLEMS
    assert (
        "error[unreadable]: cannot read this file: file name too long\n" in capsys.readouterr().out
    )


def test_a_file_that_is_too_long_is_not_read_to_its_end(folder, tmp_path, capsys):
    with (tmp_path / "a.olm.yaml").open("wb") as file:
        file.truncate(MAX_BYTES * 1000)
    assert main(["check", "a.olm.yaml"]) == PROBLEMS
    said = "a.olm.yaml:1:1: error[size]: a spec must have at most 1,048,576 bytes\n"
    assert capsys.readouterr().out.startswith(said)


def test_only_the_first_problems_of_a_file_are_shown(folder, capsys):
    folder({"a.olm.yaml": GOOD + "".join(f"x{number}: 1\n" for number in range(1000))})
    main(["check", "a.olm.yaml"])
    out = capsys.readouterr().out
    assert out.count("error[") == LISTED
    assert f"a.olm.yaml: ... and {1000 - LISTED} more problems\n" in out
    assert out.endswith("\n1,000 problems in 1 file\n")


def test_standard_input_is_a_dash():
    done = olm_process("check", "-", input=WRONG)
    assert (done.returncode, done.stderr) == (PROBLEMS, "")
    assert done.stdout.startswith("<stdin>:2:1: error[unknown-field]: ")
    assert olm_process("check", "-", input=GOOD).stdout == "1 file is fine\n"


def test_a_reader_that_leaves_is_no_error(tmp_path):
    for number in range(300):
        (tmp_path / f"{number}.olm.yaml").write_text(WRONG + "x: 1\n" * LISTED)
    command = [sys.executable, "-m", "olm", "check", str(tmp_path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == PIPE_CLOSED


def test_ctrl_c_ends_it_quietly(folder, monkeypatch, capsys):
    def interrupted(*args):
        raise KeyboardInterrupt

    folder({"a.olm.yaml": GOOD})
    monkeypatch.setattr("olm.cli.files.plan.checked", interrupted)
    assert main(["check", "a.olm.yaml"]) == INTERRUPTED
    assert capsys.readouterr() == ("", "")


def test_the_package_runs_as_a_module():
    done = olm_process("--version", check=True)
    assert re.fullmatch(r"olm \S.*\n", done.stdout)


def test_help_lists_every_verb(capsys):
    assert main(["--help"]) == FINE
    listed = re.findall(r"^  (\w+) +(.+)$", capsys.readouterr().out, re.MULTILINE)
    assert listed == [(name, module.SUMMARY) for name, module in verb_modules().items()]
    assert {"check", "kinds"} <= verb_modules().keys()
    assert main([]) == MISUSE


def examples(verb, capsys):
    """The commands in the help of a verb, each with the lines under it."""
    assert main([verb, "--help"]) == FINE
    return re.findall(r"^  \$ (.+)\n((?:  (?!\$ ).*\n)*)", capsys.readouterr().out, re.MULTILINE)


# The server of `olm preview` runs until it is ended: tests/browser has its examples.
@pytest.mark.parametrize("verb", sorted(verb_modules().keys() - {"preview"}))
def test_the_examples_in_the_help_of_a_verb_run_as_they_stand(verb, folder, tmp_path, capsys):
    commands = examples(verb, capsys)
    assert any(f"olm {verb}" in command for command, _ in commands)
    olm_is = f'olm() {{ {sys.executable} -m olm "$@"; }}; '
    for command, expected in commands:
        done = subprocess.run(
            ["bash", "-c", olm_is + command], cwd=tmp_path, capture_output=True, text=True
        )
        assert (done.returncode in (FINE, PROBLEMS), done.stderr) == (True, "")
        if expected:
            checker = doctest.OutputChecker()
            assert checker.check_output(dedent(expected), done.stdout, doctest.ELLIPSIS)


def modules_after(folder, *arguments):
    code = (
        "import sys; from olm.cli import main; status = main(sys.argv[1:])\n"
        "print(status, *sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", "."], ["kinds"], ["kinds", "LinearLR"], ["chek"]]
)
def test_neither_torch_nor_numpy_is_imported(arguments, folder, tmp_path):
    folder({"a.olm.yaml": WRONG})
    assert modules_after(tmp_path, *arguments).isdisjoint({"torch", "numpy", "jsonschema"})


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["help"], ["help", "ci"], ["explain"], ["explain", "resume"], ["recipes"]],
)
def test_a_list_or_a_guide_is_printed_without_models(arguments, tmp_path):
    assert modules_after(tmp_path, *arguments).isdisjoint({"pydantic", "yaml", "dataclasses"})


def test_a_check_of_a_valid_file_loads_few_modules(folder, tmp_path):
    folder({"a.olm.yaml": GOOD})
    loaded = modules_after(tmp_path, "check", "a.olm.yaml")
    assert len([name for name in loaded if name.partition(".")[0] == "olm"]) <= MOST_MODULES


def test_a_verb_does_not_pay_for_the_others(folder, tmp_path):
    folder({"a.olm.yaml": GOOD})
    imported = modules_after(tmp_path, "check", ".")
    assert {"0", "olm.cli.verbs.check"} <= imported
    others = {f"olm.cli.verbs.{name}" for name in verb_modules()} - {"olm.cli.verbs.check"}
    assert imported.isdisjoint({*others, "olm.schema.documentation", "olm.words", "difflib"})


def imported_by(*command):
    """The modules that a process imports, by its own account."""
    process = [sys.executable, "-X", "importtime", *command]
    done = subprocess.run(process, capture_output=True, text=True, check=True)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


def test_the_command_does_not_import_what_pydantic_looks_for_plugins_with(folder):
    folder({"a.olm.yaml": GOOD})
    imported = imported_by("-m", "olm", "check", ".")
    assert "pydantic.plugin._schema_validator" in imported
    assert imported.isdisjoint({"importlib.metadata", "email", "zipfile", LOADER})


def test_a_check_of_one_file_does_not_import_json(folder):
    folder({"a.olm.yaml": GOOD})
    assert imported_by("-m", "olm", "check", "a.olm.yaml").isdisjoint({"json"})


def test_pydantic_would_import_it_even_with_its_plugins_disabled(monkeypatch):
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "__all__")
    model = "from pydantic import BaseModel\nclass Model(BaseModel): field: int"
    assert {"importlib.metadata", LOADER} <= imported_by("-c", model)


def test_a_file_is_all_that_a_new_verb_takes(tmp_path, monkeypatch, capsys):
    (tmp_path / "greet.py").write_text(
        "SUMMARY, EPILOG = 'say hello', 'example:\\n  $ olm greet Ada'\n"
        "def add_arguments(parser): parser.add_argument('name')\n"
        "def run(args): print('hello', args.name); return 0\n"
    )
    monkeypatch.setattr(olm.cli.verbs, "__path__", [*olm.cli.verbs.__path__, str(tmp_path)])
    assert main(["greet", "Ada"]) == FINE
    assert capsys.readouterr().out == "hello Ada\n"
    main(["--help"])
    assert "  greet      say hello\n" in capsys.readouterr().out
    main(["greet", "--help"])
    assert capsys.readouterr().out.startswith("usage: olm greet [-h] name\n\nSay hello.\n")
    del sys.modules["olm.cli.verbs.greet"]


def test_what_a_stream_cannot_write_is_escaped():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = olm_process("check", "-", input="{kind: é}", env=environment, encoding="utf-8")
    assert done.returncode == PROBLEMS
    assert r"there is no kind `\xe9`" in done.stdout
