"""mmengine's configuration files: what their statements may do, and their `_base_` files."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from olm.foreign.configs._config import Refusal
from olm.foreign.configs._source import Source, read_source
from olm.problem import Path, Place, Problem

WANTED = ("param_scheduler", "optim_wrapper", "train_cfg", "auto_scale_lr", "_base_")
"""The names that decide the schedule."""


def merged(source: Source) -> Source:
    """A configuration with those of its `_base_` files under it, as mmengine merges them.

    Source: mmengine 0.10.7, ``config/config.py``, ``_file2dict`` and ``_merge_a_into_b``.

    Raises:
        Refusal: a file is outside the folder of the first one, or is its own base, or a statement
            changes what it assigned.
    """
    home = FilePath(source.file).parent.resolve()
    return _merged(source, home, (FilePath(source.file).resolve(),))


def _merged(source: Source, home: FilePath, above: tuple[FilePath, ...]) -> Source:
    check_statements(source)
    bases = source.value.get("_base_", [])
    value: dict[str, Any] = {}
    places = [source]
    for index, name in enumerate(bases if isinstance(bases, list) else [bases]):
        path = ("_base_", index) if isinstance(bases, list) else ("_base_",)
        file = _file(source, name, path, home, above)
        base = _merged(read_source(file), home, (*above, file))
        if twice := [key for key in base.value if key in value]:
            text = f"two files of `_base_` have `{twice[0]}`, which mmengine refuses"
            raise _refusal("not-one-schedule", text, source, path)
        value |= base.value
        places.append(base)
    own = {key: item for key, item in source.value.items() if key != "_base_"}

    def place_of(path: Path, at_key: bool) -> Place:
        for each in places:
            if each.has(*path):
                return each.place_of(path, at_key)
        return source.place_of(path, at_key)

    return Source(source.text, source.form, merge(own, value), place_of)


def merge(own: Mapping[Any, Any], base: Mapping[Any, Any]) -> dict[Any, Any]:
    """A mapping over that of a base: mappings are merged, unless `_delete_` replaces them.

    >>> merge({"a": {"x": 1}, "b": {"_delete_": True, "x": 1}}, {"a": {"y": 2}, "b": {"y": 2}})
    {'a': {'y': 2, 'x': 1}, 'b': {'x': 1}}
    """
    made = dict(base)
    for key, value in own.items():
        if isinstance(value, Mapping):
            below = made.get(key)
            is_new = value.get("_delete_") is True or not isinstance(below, Mapping)
            rest = {name: item for name, item in value.items() if name != "_delete_"}
            made[key] = merge(rest, {} if is_new or below is None else below)
        else:
            made[key] = value
    return made


def _file(
    source: Source, name: Any, path: Path, home: FilePath, above: tuple[FilePath, ...]
) -> FilePath:
    """The file of a base, which must be in the folder of the first file."""
    where = f"`_base_` {name if isinstance(name, str) else ''}".strip()
    hint = "import the whole configuration, which `Config.fromfile(...).dump(...)` writes"
    if not isinstance(name, str) or "{{" in name or "::" in name:
        raise _refusal("needs-key", f"{where} is no file of this folder", source, path, hint)
    try:
        file = (FilePath(source.file).parent / name).resolve()
    except (OSError, RuntimeError, ValueError):
        text = f"{where} cannot be found"
        raise _refusal("needs-key", text, source, path, hint) from None
    if not file.is_relative_to(home):
        text = f"{where} is outside the folder of the configuration, and is not read"
        raise _refusal("needs-key", text, source, path, hint)
    if file in above:
        raise _refusal("needs-key", f"{where} is a loop: a file is its own base", source, path)
    if file.suffix != ".py" or not file.is_file():
        raise _refusal("needs-key", f"{where} does not exist as a Python file", source, path, hint)
    return file


def check_statements(source: Source) -> None:
    """Refuse statements that may change what decides the schedule, as they are not run.

    Raises:
        Refusal: there is one.
    """
    if source.form not in ("python", "notebook"):
        return
    tree = ast.parse(source.text.content)
    uses: dict[str, set[str]] = {}
    others: list[ast.stmt] = []
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                uses.setdefault(name, set()).update(_names(value))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                uses.setdefault(name, set()).update(_names(value))
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                pass
            case _:
                others.append(node)
    wanted, queue = set[str](), [*WANTED]
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            queue += uses.get(name, ())
    for node in others:
        if wanted & set(_names(node)) or "read_base" in {*_names(node)}:
            text = "this statement may change the schedule, and nothing in a file is run"
            line = source.text.line(node.lineno)
            place = Place(source.file, node.lineno, node.col_offset + 1, len(line) + 1)
            raise Refusal([Problem("needs-code", text, place=place)])


def _names(node: ast.AST) -> Iterator[str]:
    return (part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def _refusal(code: str, text: str, source: Source, path: Path, hint: str = "") -> Refusal:
    return Refusal([Problem(code, text, path, hint=hint, place=source.place_of(path, False))])
