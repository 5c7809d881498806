"""`olm schema --check`: whether committed files hold the schema that this olm writes."""

import json
import shlex

import pytest

from olm.cli import FINE, MISUSE, PROBLEMS, main

OUT_OF_DATE = "out of date: update it with `olm schema {} --out {}`\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def schema(capsys):
    """Runs the verb: its status, what it prints, and what it says on standard error."""

    def run(*arguments):
        return main(["schema", *arguments]), *capsys.readouterr()

    return run


@pytest.mark.parametrize("what", [[], ["LinearLR"], ["--with-plugins"]])
def test_what_is_written_is_fine(what, schema):
    assert schema(*what, "--out", "a.json") == (FINE, "", "")
    assert schema(*what, "--check", "a.json") == (FINE, "", "")


def test_a_file_may_be_laid_out_as_a_formatter_does(schema, folder):
    written = json.loads(schema()[1])
    sorted_and_indented = json.dumps(written, indent=4, sort_keys=True).replace("\n", "\r\n")
    (folder / "a.json").write_bytes(b"\xef\xbb\xbf" + sorted_and_indented.encode())
    assert schema("--check", "a.json") == (FINE, "", "")


def test_every_file_with_another_schema_is_named_with_the_command_that_renews_it(schema, folder):
    schema("--out", "fine.json")
    schema("CosineAnnealingLR", "--out", "my schemas.json")
    other = (folder / "fine.json").read_bytes().replace(b"LinearLR", b"LinearerLR")
    (folder / "old.json").write_bytes(other)
    status, out, error = schema("--check", "old.json", "fine.json", "my schemas.json")
    assert (status, error) == (PROBLEMS, "")
    assert [line.partition(":")[0] for line in out.splitlines()] == ["old.json", "my schemas.json"]
    for line in out.splitlines():
        assert main(shlex.split(line.split("`")[1])[1:]) == FINE
    assert schema("--check", "old.json", "fine.json", "my schemas.json") == (FINE, "", "")


def test_the_command_is_that_of_the_same_schema(schema):
    schema("--out", "a.json")
    status, out, _ = schema("LinearLR", "--with-plugins", "--check", "a.json")
    assert (status, out) == (
        PROBLEMS,
        "a.json: " + OUT_OF_DATE.format("LinearLR --with-plugins", "a.json"),
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff", b"null", b"[" * 100_000],
    ids=["empty", "open", "bytes", "null", "deep"],
)
def test_what_is_no_schema_is_told_as_another_schema(data, schema, folder):
    (folder / "a.json").write_bytes(data)
    status, out, error = schema("--check", "a.json")
    assert (status, out.startswith("a.json: out of date"), error) == (PROBLEMS, True, "")


def test_a_file_that_cannot_be_read_is_misuse(schema, folder):
    assert schema("--check", "none.json")[::2] == (
        MISUSE,
        "olm schema: cannot read none.json: no such file or directory\n",
    )
    assert schema("--check", str(folder))[0] == MISUSE
    assert schema("--check", "a.json", "--out", "a.json")[0] == MISUSE
