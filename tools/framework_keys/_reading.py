"""Fields, arguments and parameters, read from Python by `ast`; nothing is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import reduce
from operator import or_
from typing import Any

import yaml

from framework_keys import Keys


class Computed(Exception):
    """A default that is no constant."""


def read_keys(code: str, text_of: Callable[[str], str]) -> Keys:
    """The keys of the code of a place.

    Args:
        code: as ``Place.code``.
        text_of: the text of a file.
    """
    keys = Keys({})
    for part in code.split(";"):
        how, file, *names = part.split()
        keys |= READERS[how](text_of(file), *names)
    return keys


def _fields(text: str, *names: str) -> Keys:
    """The annotated names of classes, and of their bases in the same file."""
    classes = {path: node for path, node in _definitions(text) if isinstance(node, ast.ClassDef)}
    return reduce(or_, (_fields_of(classes, name) for name in names))


def _fields_of(classes: dict[str, ast.ClassDef], name: str) -> Keys:
    node = classes[name]
    bases = [base.id for base in node.bases if isinstance(base, ast.Name) and base.id in classes]
    keys = reduce(or_, (_fields_of(classes, base) for base in bases), Keys({}))
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            bare = Keys({}, (each.target.id,))
            keys |= bare if each.value is None else _with_default(each.target.id, each.value)
    return keys


def _with_default(name: str, value: ast.expr | None) -> Keys:
    """A key with its default, also inside ``field(default=...)``."""
    if isinstance(value, ast.Call):
        given = [each.value for each in value.keywords if each.arg == "default"]
        value = next(iter([*value.args, *given]), value)
    try:
        return Keys({name: _constant(value)})
    except Computed:
        return Keys({}, (name,))


def _options(text: str, *names: str) -> Keys:
    """The options that Megatron-LM makes of the fields of dataclasses."""
    keys = _fields(text, *names)
    found = Keys({}, tuple(name.replace("_", "-") for name in keys.others))
    for name, value in keys.defaults.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            found |= Keys({}, (), (f"no-{option}" if value else option,))
        else:
            found |= Keys({option: value})
    return found


def _arguments(text: str) -> Keys:
    """The options of every ``add_argument`` of a file."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return reduce(or_, (_argument(call) for call in calls if _is_argument(call.func)), Keys({}))


def _is_argument(called: ast.expr) -> bool:
    return isinstance(called, ast.Attribute) and called.attr == "add_argument"


def _argument(node: ast.Call) -> Keys:
    options = [each.value for each in node.args if isinstance(each, ast.Constant)]
    long = [str(each)[2:] for each in options if str(each).startswith("--")]
    if not long:
        return Keys({})
    keywords = {each.arg: each.value for each in node.keywords}
    action = keywords.get("action")
    if action is not None and "'store'" not in ast.unparse(action):
        return Keys({}, (), tuple(long))
    if "nargs" in keywords:
        return Keys({}, tuple(long))
    return reduce(or_, (_with_default(name, keywords.get("default")) for name in long))


def _signature(text: str, *names: str) -> Keys:
    """The parameters of functions, or of the ``__init__`` of classes."""
    found = dict(_definitions(text))
    return reduce(or_, (_parameters(found.get(f"{name}.__init__", found[name])) for name in names))


def _parameters(node: ast.AST) -> Keys:
    assert isinstance(node, ast.FunctionDef)
    own = node.args
    plain = [*own.posonlyargs, *own.args]
    defaults = [None] * (len(plain) - len(own.defaults)) + [*own.defaults]
    pairs = [*zip(plain, defaults, strict=True), *zip(own.kwonlyargs, own.kw_defaults, strict=True)]
    keys = (
        Keys({}, (each.arg,)) if default is None else _with_default(each.arg, default)
        for each, default in pairs
        if each.arg not in ("self", "cls")
    )
    return reduce(or_, keys, Keys({}))


def _constants(text: str, prefix: str) -> Keys:
    """The attributes that a file sets, such as those of ``_C.SOLVER``."""
    keys = Keys({})
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            target = node.targets[0]
            if ast.unparse(target.value) == prefix:
                keys |= _with_default(target.attr, node.value)
    return keys


def _yaml(text: str) -> Keys:
    """The keys of a file of defaults."""
    return Keys(yaml.safe_load(text))


def _definitions(text: str) -> Iterator[tuple[str, ast.AST]]:
    """The classes and functions of a file, such as ``Outer.Inner`` or ``Class.method``."""

    def inside(body: list[ast.stmt], before: str) -> Iterator[tuple[str, ast.AST]]:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield before + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from inside(node.body, f"{before}{node.name}.")
            if isinstance(node, ast.If):
                yield from inside(node.body, before)

    return inside(ast.parse(text).body, "")


def _constant(node: ast.expr | None) -> Any:
    """The value of an expression of numbers, text and lists.

    Raises:
        Computed: it is anything else.
    """
    if node is None:
        return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _constant(node.left) / _constant(node.right)
    try:
        value = ast.literal_eval(node)
    except ValueError:
        raise Computed from None
    return [*value] if isinstance(value, tuple | set) else value


READERS: dict[str, Callable[..., Keys]] = {
    "fields": _fields,
    "options": _options,
    "arguments": _arguments,
    "signature": _signature,
    "constants": _constants,
    "yaml": _yaml,
}
