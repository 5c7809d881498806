"""``olm editor``: the settings with which an editor validates specs."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

from olm.cli import FINE
from olm.cli.files.search import SUFFIXES
from olm.cli.schema_line import NAME, WRITES_IT, add_schema, is_url, reference, schema_near

SUMMARY = "print editor settings for completion and validation of specs"

EPILOG = """\
A spec whose first line names the schema, as `olm new` writes it, needs no settings. The
settings apply to all files called *.olm.yaml, *.olm.yml and *.olm.json. Run this at the root of
the repository: the files that it prints live there.

example:
  $ olm editor vscode --schema schemas/schedule.schema.json
  // .vscode/settings.json
  {
    "yaml.schemas": {
      "./schemas/schedule.schema.json": [
        "*.olm.yaml",
        "*.olm.yml"
      ]
    },
  ...
"""

YAML_FILES = [f"*{suffix}" for suffix in SUFFIXES if suffix.endswith((".yaml", ".yml"))]
JSON_FILES = [f"*{suffix}" for suffix in SUFFIXES if suffix.endswith(".json")]

VSCODE_YAML = "redhat.vscode-yaml"
"""The extension with the YAML language server; for JSON, VS Code needs none."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "editor", nargs="?", choices=[*EDITORS], help="the editor (default: list all editors)"
    )
    add_schema(parser)


def run(args: Namespace) -> int:
    """Print the settings, or list the editors."""
    if args.editor is None:
        for editor, (files, _) in EDITORS.items():
            print(f"olm editor {editor:<11}{files}")
        return FINE
    schema = args.schema or schema_near(Path())
    if schema is None:
        print(f"olm editor: no {NAME} found: {WRITES_IT}", file=sys.stderr)
    _, settings = EDITORS[args.editor]
    print("\n".join(settings(reference(schema or NAME, Path()))))
    return FINE


def vscode(schema: str) -> Iterator[str]:
    """The settings and the recommended extension of VS Code, a file each.

    Args:
        schema: a URL, or a path from the root of the repository.
    """
    place = _from_root(schema)
    settings = {
        "yaml.schemas": {place: YAML_FILES},
        "json.schemas": [{"fileMatch": JSON_FILES, "url": place}],
    }
    yield "// .vscode/settings.json"
    yield json.dumps(settings, indent=2)
    yield "// .vscode/extensions.json"
    yield json.dumps({"recommendations": [VSCODE_YAML]}, indent=2)


def neovim(schema: str) -> Iterator[str]:
    """The settings of Neovim's language servers, in Lua; for the argument see `vscode`."""
    yaml_files, json_files = (", ".join(map(_lua, files)) for files in (YAML_FILES, JSON_FILES))
    yield "-- init.lua, or .nvim.lua at the root: Neovim 0.11 or newer, with nvim-lspconfig"
    if is_url(schema):
        yield f"local schema = {_lua(schema)}"
    else:
        # jsonls resolves no paths.
        yield f'local schema = vim.uri_from_fname(vim.fn.fnamemodify({_lua(schema)}, ":p"))'
    yield 'vim.lsp.config("yamlls", {'
    yield f"  settings = {{ yaml = {{ schemas = {{ [schema] = {{ {yaml_files} }} }} }} }},"
    yield "})"
    yield 'vim.lsp.config("jsonls", {'
    yield "  settings = {"
    yield "    json = {"
    yield f"      schemas = {{ {{ fileMatch = {{ {json_files} }}, url = schema }} }},"
    yield "      validate = { enable = true },"
    yield "    },"
    yield "  },"
    yield "})"
    yield 'vim.lsp.enable({ "yamlls", "jsonls" })'


def jetbrains(schema: str) -> Iterator[str]:
    """The mapping of a schema in PyCharm and its family; for the argument see `vscode`."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield "<!-- .idea/jsonSchemas.xml -->"
    yield '<project version="4">'
    yield '  <component name="JsonSchemaMappingsProjectConfiguration">'
    yield "    <state><map>"
    yield '      <entry key="olm">'
    yield "        <value><SchemaInfo>"
    yield '          <option name="name" value="olm" />'
    yield f'          <option name="relativePathToSchema" value={quoteattr(schema)} />'
    yield '          <option name="schemaVersion" value="JSON Schema version 7" />'
    yield '          <option name="patterns"><list>'
    for pattern in (*YAML_FILES, *JSON_FILES):
        yield "            <Item>"
        yield '              <option name="pattern" value="true" />'
        yield f'              <option name="path" value="{pattern}" />'
        yield '              <option name="mappingKind" value="Pattern" />'
        yield "            </Item>"
    yield "          </list></option>"
    yield "        </SchemaInfo></value>"
    yield "      </entry>"
    yield "    </map></state>"
    yield "  </component>"
    yield "</project>"


EDITORS = {
    "vscode": (".vscode/settings.json and .vscode/extensions.json", vscode),
    "neovim": ("init.lua, for yamlls and jsonls", neovim),
    "jetbrains": (".idea/jsonSchemas.xml, for PyCharm and its family", jetbrains),
}
"""The name of an editor → the files of its settings, and what prints them."""


def _from_root(schema: str) -> str:
    """A URL or a path for VS Code: a path that begins with a dot is relative to the root."""
    return schema if is_url(schema) or schema.startswith(".") else f"./{schema}"


def _lua(text: str) -> str:
    """A string in Lua, which has the escapes of JSON except for non-ASCII characters."""
    return json.dumps(text, ensure_ascii=False)
