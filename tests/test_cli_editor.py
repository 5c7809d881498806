"""``olm editor``: what is printed; tests/editor has the servers that read it."""

import json
import re
from xml.etree import ElementTree

import pytest

from olm.cli import FINE, MISUSE, main
from olm.cli.verbs.editor import EDITORS, VSCODE_YAML

URL = "https://example.org/schedule.schema.json"
PATTERNS = {"*.olm.yaml", "*.olm.yml", "*.olm.json"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A repository of its own, with a schema."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "schedule.schema.json").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(capsys, *arguments):
    status = main(["editor", *arguments])
    said = capsys.readouterr()
    assert (status, said.err) == (FINE, "")
    return said.out


def files_of_vscode(text):
    """The files in what is printed, by name, as values."""
    _, *parts = re.split(r"^// (.*)\n", text, flags=re.MULTILINE)
    return {name: json.loads(file) for name, file in zip(parts[::2], parts[1::2], strict=True)}


def test_vs_code_gets_settings_and_a_recommended_extension(capsys):
    files = files_of_vscode(printed(capsys, "vscode"))
    assert [*files] == [".vscode/settings.json", ".vscode/extensions.json"]
    settings = files[".vscode/settings.json"]
    ((schema, yaml_files),) = settings["yaml.schemas"].items()
    (json_schema,) = settings["json.schemas"]
    assert schema == json_schema["url"] == "./schedule.schema.json"
    assert {*yaml_files, *json_schema["fileMatch"]} == PATTERNS
    assert files[".vscode/extensions.json"] == {"recommendations": [VSCODE_YAML]}


def test_jetbrains_gets_a_mapping_for_every_name_of_a_spec(capsys):
    project = ElementTree.fromstring(printed(capsys, "jetbrains"))
    options = [(one.get("name"), one.get("value")) for one in project.iter("option")]
    assert ("relativePathToSchema", "schedule.schema.json") in options
    assert {value for name, value in options if name == "path"} == PATTERNS


@pytest.mark.parametrize("editor", EDITORS)
def test_a_schema_may_be_named_by_url_or_path(editor, folder, capsys):
    assert URL in printed(capsys, editor, "--schema", URL)
    assert "conf/x.schema.json" in printed(capsys, editor, "--schema", "conf/x.schema.json")
    absolute = str(folder / "conf" / "y.schema.json")
    assert '"../' not in printed(capsys, editor, "--schema", absolute)


def test_a_path_with_odd_characters_stays_one_string(capsys):
    project = ElementTree.fromstring(printed(capsys, "jetbrains", "--schema", 'a "<&> b.json'))
    values = [one.get("value") for one in project.iter("option")]
    assert 'a "<&> b.json' in values
    assert r'fnamemodify("a \"<&> b.json", ":p")' in printed(
        capsys, "neovim", "--schema", 'a "<&> b.json'
    )


@pytest.mark.parametrize("editor", EDITORS)
def test_without_a_schema_the_settings_name_the_one_to_write(editor, folder, capsys):
    (folder / "schedule.schema.json").unlink()
    assert main(["editor", editor]) == FINE
    out, error = capsys.readouterr()
    assert "schedule.schema.json" in out
    assert error == (
        "olm editor: no schedule.schema.json found: "
        "create it with `olm schema --out schedule.schema.json`\n"
    )


def test_without_an_editor_all_are_listed(capsys):
    lines = printed(capsys).splitlines()
    assert [line.split()[2] for line in lines] == [*EDITORS]


def test_an_unknown_editor_is_misuse(capsys):
    assert main(["editor", "emacs"]) == MISUSE
    out, error = capsys.readouterr()
    assert out == ""
    assert all(editor in error for editor in EDITORS)
