"""A language server over stdio, used like an editor uses it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

PATIENCE = 20
"""The timeout of an answer on a busy machine, in seconds."""

CAPABILITIES = {
    "textDocument": {
        "completion": {
            "completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}
        },
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "publishDiagnostics": {"relatedInformation": True},
    },
    "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
}
"""The capabilities of VS Code and Neovim that matter here."""


class Server:
    """A running language server. `settings` are those of a user, nested: {"yaml": {...}}."""

    def __init__(self, command: Sequence[str], root: Path, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.messages: Queue[dict[str, Any]] = Queue()
        self.diagnostics: dict[str, list[dict[str, Any]]] = {}
        self.last = 0
        self.reading = Thread(target=self._read, daemon=True)
        self.reading.start()
        folders = [{"uri": root.as_uri(), "name": root.name}]
        start = {"processId": None, "rootUri": root.as_uri(), "workspaceFolders": folders}
        self.request("initialize", start | {"capabilities": CAPABILITIES})
        self.notify("initialized", {})
        self.configure(settings)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Change the settings, as a user does in a running editor."""
        self.settings = settings
        self.notify("workspace/didChangeConfiguration", {"settings": settings})

    def open(self, uri: str, text: str, language: str) -> None:
        """Open a document that is not open."""
        document = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def close(self, uri: str) -> None:
        """Close a document, and ignore later messages about it."""
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def problems(self, uri: str) -> list[dict[str, Any]]:
        """The diagnostics of an open document, once the server has sent them."""
        while uri not in self.diagnostics:
            self._take()
        return self.diagnostics.pop(uri)

    def ask(self, what: str, uri: str, position: tuple[int, int]) -> Any:
        """The answer to ``textDocument/WHAT`` at a line and character of an open document."""
        at = {"line": position[0], "character": position[1]}
        return self.request(f"textDocument/{what}", {"textDocument": {"uri": uri}, "position": at})

    def request(self, method: str, params: Any) -> Any:
        """The answer of the server, whose own requests are answered meanwhile."""
        self.last += 1
        self._send({"id": self.last, "method": method, "params": params})
        while True:
            message = self._take()
            if message.get("id") == self.last and "method" not in message:
                assert "error" not in message, message["error"]
                return message["result"]

    def notify(self, method: str, params: Any) -> None:
        """Send a message without an answer."""
        self._send({"method": method, "params": params})

    def stop(self) -> None:
        """Stop the server."""
        self.process.kill()
        self.process.wait()
        self.reading.join()
        self.process.stdin.close()
        self.process.stdout.close()

    def _take(self) -> dict[str, Any]:
        """The next message; if it is a request, it has been answered."""
        try:
            message = self.messages.get(timeout=PATIENCE)
        except Empty:
            raise TimeoutError(f"the language server said nothing for {PATIENCE} s") from None
        if "error" in message and "id" not in message:
            raise ConnectionError(message["error"])
        match message.get("method"):
            case "textDocument/publishDiagnostics":
                params = message["params"]
                self.diagnostics[params["uri"]] = params["diagnostics"]
            case "workspace/configuration":
                items = message["params"]["items"]
                self._answer(message, [self._section(item["section"]) for item in items])
            case str() if "id" in message:
                self._answer(message, None)
        return message

    def _section(self, name: str) -> Any:
        value: Any = self.settings
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def _answer(self, message: dict[str, Any], result: Any) -> None:
        self._send({"id": message["id"], "result": result})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> None:
        """In a thread, put every message into the queue, and at the end a marker."""
        stream = self.process.stdout
        while header := stream.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                header = stream.readline()
            body = stream.read(length)
            if not length or len(body) < length:
                break
            self.messages.put(json.loads(body))
        self.messages.put({"error": "the language server has ended"})
