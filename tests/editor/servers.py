"""The language servers of editors, and the requests of an editor about a document."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from .lsp import Server

ROOT = Path(__file__).parents[2]
NODES = ROOT / ".node-editors"
NODE, MODULES = NODES / "node", NODES / "node_modules"
SCHEMA = ROOT / "schemas" / "schedule.schema.json"

CURSOR = "|"
PROPERTY = 10
"""The number of the protocol for a completion that is a key."""

_PACKAGES = json.loads((Path(__file__).parent / "package.json").read_text())["dependencies"]

YAML = {name: wanted.rpartition("@")[2] for name, wanted in _PACKAGES.items() if "yls-" in name}
"""The name under which a yaml-language-server is installed → its version."""

JSON = {name: _PACKAGES[name] for name in ["vscode-json-languageservice"]}


@dataclass(frozen=True)
class Completion:
    """A completion at the cursor; `applied` is the document after it is accepted."""

    label: str
    documentation: str
    is_key: bool
    applied: str


@dataclass(frozen=True)
class Complaint:
    """A problem in a document, from one offset to another."""

    start: int
    end: int
    message: str


class YamlEditor:
    """An editor with yaml-language-server."""

    language = "yaml"

    def __init__(
        self, name: str, root: Path = ROOT, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.name, self.root, self.title = name, root, f"yaml {YAML[name]}"
        if settings is None:
            schemas = {SCHEMA.as_uri(): ["*.olm.yaml"]}
            settings = {"yaml": {"schemas": schemas, "schemaStore": {"enable": False}}}
        command = [str(NODE), str(MODULES / name / "bin" / "yaml-language-server"), "--stdio"]
        self.server = Server(command, root, settings)
        self.numbers = count(1)
        try:
            self._settle()
        except Exception:
            self.server.stop()
            raise

    def __enter__(self) -> "YamlEditor":
        return self

    def __exit__(self, *error: object) -> None:
        self.server.stop()

    def complete(self, marked: str) -> list[Completion]:
        """The completions at the cursor."""
        answer = self._at_cursor("completion", marked)
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return [_completion(item, marked.replace(CURSOR, "", 1)) for item in items]

    def hover(self, marked: str) -> str:
        """The hover text of the word at the cursor."""
        answer = self._at_cursor("hover", marked)
        return _said(answer["contents"]) if answer else ""

    def complaints(self, text: str, file: str = "") -> list[Complaint]:
        """The problems, in the order of their places."""
        return self.complaints_of_all({file: text})[file]

    def complaints_of_all(self, texts: Mapping[str, str]) -> dict[str, list[Complaint]]:
        """The problems of several documents by file, none of which was open before."""
        uris = {file: self._open(text, file) for file, text in texts.items()}
        found = {file: _complaints(self.server.problems(uris[file]), texts[file]) for file in texts}
        for uri in uris.values():
            self.server.close(uri)
        return found

    def _at_cursor(self, ask: str, marked: str) -> Any:
        uri = self._open(marked.replace(CURSOR, "", 1))
        answer = self.server.ask(ask, uri, _position(marked, marked.index(CURSOR)))
        self.server.close(uri)
        return answer

    def _open(self, text: str, file: str = "") -> str:
        """Open a document that was never open, so that the server has nothing stored about it."""
        uri = (self.root / (file or f"probe-{next(self.numbers)}.olm.yaml")).as_uri()
        self.server.open(uri, text, "yaml")
        return uri

    def _settle(self) -> None:
        """Wait until the settings apply: the server asks for them after it has started."""
        uri = self._open("kind: 0\n")
        while not self.server.problems(uri):
            pass
        self.server.close(uri)


class JsonEditor:
    """An editor with VS Code's JSON language service."""

    language = "json"

    def __init__(
        self, name: str, root: Path = ROOT, schemas: Sequence[Mapping[str, Any]] | None = None
    ) -> None:
        self.name, self.root, self.title = name, root, f"json {JSON[name]}"
        self.schemas = schemas or [{"fileMatch": ["*.olm.json"], "url": SCHEMA.as_uri()}]
        script = Path(__file__).with_name("json_service.mjs")
        self.process = subprocess.Popen(
            [str(NODE), str(script), str(MODULES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "JsonEditor":
        return self

    def __exit__(self, *error: object) -> None:
        self.process.communicate("")

    def complete(self, marked: str) -> list[Completion]:
        """The completions at the cursor."""
        items = self._ask("completion", marked)["items"]
        return [_completion(item, marked.replace(CURSOR, "", 1)) for item in items]

    def hover(self, marked: str) -> str:
        """The hover text of the word at the cursor."""
        answer = self._ask("hover", marked)
        return _said(answer["contents"]) if answer else ""

    def complaints(self, text: str, file: str = "probe.olm.json") -> list[Complaint]:
        """The problems, in the order of their places."""
        return _complaints(self._ask("diagnostics", text + CURSOR, file), text)

    def _ask(self, ask: str, marked: str, file: str = "probe.olm.json") -> Any:
        line, character = _position(marked, marked.index(CURSOR))
        question = {
            "ask": ask,
            "text": marked.replace(CURSOR, "", 1),
            "uri": (self.root / file).as_uri(),
            "position": {"line": line, "character": character},
            "schemas": self.schemas,
        }
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the JSON language service has ended"
        return json.loads(answer)


Editor = YamlEditor | JsonEditor


def filled_in(snippet: str) -> str:
    r"""The text of a snippet whose placeholders are left unchanged.

    >>> filled_in(r"\$schema: ${1:x}, [$2], ${3|up,down|}$0")
    '$schema: x, [], up'
    """

    def written(match: re.Match[str]) -> str:
        escaped, default, choices = match.groups()
        return escaped or default or (choices or "").partition(",")[0]

    return re.sub(r"\\([$}\\])|\$\{\d+:([^}]*)\}|\$\{\d+\|([^|]*)\|\}|\$\d+", written, snippet)


def _completion(item: Mapping[str, Any], text: str) -> Completion:
    edit = item["textEdit"]
    start, end = (_offset(text, edit["range"][side]) for side in ("start", "end"))
    # As VS Code and Neovim do: further lines are indented as the cursor's, with spaces.
    indent = re.search(r"^[ ]*(?=[^\n]*\Z)", text[:start], re.MULTILINE)[0]
    new = filled_in(edit["newText"]).replace("\t", "  ").replace("\n", f"\n{indent}")
    applied = text[:start] + new + text[end:]
    said = _said(item.get("documentation", ""))
    return Completion(item["label"].strip('"'), said, item["kind"] == PROPERTY, applied)


def _complaints(found: Sequence[Mapping[str, Any]], text: str) -> list[Complaint]:
    complaints = [
        (*(_offset(text, one["range"][side]) for side in ("start", "end")), one["message"])
        for one in found
    ]
    return [Complaint(*one) for one in sorted(complaints)]


def _said(contents: Any) -> str:
    """Text as a reader sees it, without Markdown."""
    if isinstance(contents, list):
        return "\n".join(map(_said, contents))
    text = contents["value"] if isinstance(contents, dict) else contents
    return text.replace("\\", "").replace("`", "")


def _position(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n"), offset - (before.rfind("\n") + 1)


def _offset(text: str, place: Mapping[str, int]) -> int:
    lines = text.splitlines(keepends=True) or [""]
    return sum(map(len, lines[: place["line"]])) + place["character"]
