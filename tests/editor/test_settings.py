"""The settings of ``olm editor`` and the first line of ``olm new`` in real servers."""

import json
import re
import shutil
import subprocess

import pytest

from olm.cli import FINE, main
from olm.cli.verbs.editor import JSON_FILES, YAML_FILES

from .servers import JSON, MODULES, NODE, SCHEMA, YAML, JsonEditor, YamlEditor

WRONG = {
    "yaml": "kind: LinearLR\ntotal_steps: 0\n",
    "json": '{"kind": "LinearLR", "total_steps": 0}',
}
SAID = ["Value is below the minimum of 1."]
NO_STORE = {"schemaStore": {"enable": False}}

UNDECODED = ("yls-1.18",)
"""The versions that find no schema in `a folder`: they do not decode ``a%20folder``."""

every_version = pytest.mark.parametrize("name", YAML)


@pytest.fixture(params=["schemas", "a folder"])
def repository(request, tmp_path, monkeypatch):
    """A repository with the schema in a folder."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "specs").mkdir()
    (tmp_path / request.param).mkdir(exist_ok=True)
    shutil.copy(SCHEMA, tmp_path / request.param)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(capsys, editor, repository):
    (schema,) = repository.rglob("schedule.schema.json")
    assert main(["editor", editor, "--schema", str(schema)]) == FINE
    return capsys.readouterr().out


def nested(settings):
    """Settings as VS Code passes them on: ``yaml.schemas`` becomes `schemas` in `yaml`."""
    sections = {}
    for name, value in settings.items():
        section, _, rest = name.partition(".")
        sections.setdefault(section, {})[rest] = value
    return sections


def told(editor, patterns):
    """The messages for an invalid spec, under each of the file names of specs."""
    files = [f"specs/{pattern.replace('*', 'run')}" for pattern in patterns]
    with editor:
        found = {file: editor.complaints(WRONG[editor.language], file) for file in files}
    return {file: [one.message for one in complaints] for file, complaints in found.items()}


def assert_specs_are_checked(repository, yaml_name, yaml_settings, json_schemas):
    yaml = YamlEditor(yaml_name, repository, {"yaml": {**yaml_settings, **NO_STORE}})
    assert list(told(yaml, YAML_FILES).values()) == [SAID] * len(YAML_FILES)
    (json_name,) = JSON
    json_editor = JsonEditor(json_name, repository, json_schemas)
    assert list(told(json_editor, JSON_FILES).values()) == [SAID] * len(JSON_FILES)


@every_version
def test_vs_code_checks_specs_with_its_settings(name, repository, capsys):
    text = printed(capsys, "vscode", repository).partition("// .vscode/extensions.json")[0]
    settings = nested(json.loads(re.sub(r"^//.*", "", text)))
    # The JSON extension of VS Code does this before it passes them to the service.
    schemas = [
        {**one, "url": (repository / one["url"]).resolve().as_uri()}
        for one in settings["json"]["schemas"]
        if one["url"].startswith(".")
    ]
    assert_specs_are_checked(repository, name, settings["yaml"], schemas)


@every_version
def test_neovim_checks_specs_with_its_settings(name, repository, capsys):
    lua = printed(capsys, "neovim", repository)
    done = subprocess.run(
        [str(NODE), str(SCHEMA.parents[1] / "tests/editor/run_lua.mjs"), str(MODULES), "."],
        input=lua,
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert [*said["config"]] == said["enabled"] == ["yamlls", "jsonls"]
    yaml, json_ = (said["config"][server]["settings"] for server in said["enabled"])
    assert_specs_are_checked(repository, name, yaml["yaml"], json_["json"]["schemas"])


@every_version
def test_a_new_spec_is_checked_by_its_own_first_line(name, repository, capsys):
    (schema,) = repository.rglob("schedule.schema.json")
    arguments = ["new", "LinearLR", "--out", "specs/new.yaml", "--schema", str(schema)]
    assert main(arguments) == FINE
    text = (repository / "specs" / "new.yaml").read_text()
    with YamlEditor(name, repository) as editor:
        right = editor.complaints(text, "specs/new.yaml")
        wrong = editor.complaints(text.replace("100", "0"), "specs/wrong.yaml")
    if name in UNDECODED and " " in str(schema.relative_to(repository)):
        assert [one.message[:21] for one in right + wrong] == ["Unable to load schema"] * 2
    else:
        assert right == []
        assert [one.message for one in wrong] == SAID


def test_a_new_spec_in_json_is_checked_by_its_own_key(repository, capsys):
    (schema,) = repository.rglob("schedule.schema.json")
    assert main(["new", "LinearLR", "--out", "specs/new.json", "--schema", str(schema)]) == FINE
    text = (repository / "specs" / "new.json").read_text()
    (name,) = JSON
    with JsonEditor(name, repository) as editor:
        assert editor.complaints(text, "specs/new.json") == []
        wrong = editor.complaints(text.replace("100", "0"), "specs/new.json")
    assert [one.message for one in wrong] == SAID
