"""The type stubs of `olm.train.schedulers` and `olm.kinds`: classes by the names of kinds."""

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from environment import ROOT

PACKAGE = "olm.train.schedulers"
HEAD = """\
# Written by tools/generate.py from the kinds: change those, not this.
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from torch.optim import Optimizer
from olm.schedule.schedule import Schedule
"""
BASE = "from olm.train.schedulers.schedule_lr import ScheduleLR\n"


KINDS_HEAD = """\
# Written by tools/generate.py from the kinds: change those, not this.
from olm.schedule.schedule import KINDS as KINDS
"""


def stubs() -> dict[Path, str]:
    """The stubs of both packages, and of each module that has torch classes of kinds."""
    import_module(PACKAGE)
    from olm.train.schedulers.schedule_lr import CLASSES

    modules: dict[str, list[type]] = {PACKAGE: []}
    for made in CLASSES.values():
        modules.setdefault(made.__module__, []).append(made)
    texts = {_path(name, ".pyi"): _stub(name, classes) for name, classes in modules.items()}
    return {ROOT / "olm" / "kinds" / "__init__.pyi": _kinds(), **texts}


def _kinds() -> str:
    """The stub in which each model has the name of its kind."""
    from olm.kinds import KINDS

    imports = [
        f"from {model.__module__} import {model.__name__} as _{model.__name__}\n"
        for model in KINDS.values()
    ]
    names = [f"{kind} = _{model.__name__}\n" for kind, model in KINDS.items()]
    return tidy(
        KINDS_HEAD + "".join([*imports, "GROUPS: tuple[str, ...]\n", *names]), "olm/stub.pyi"
    )


def _path(module: str, suffix: str) -> Path:
    name = module.removeprefix(PACKAGE).removeprefix(".") or "__init__"
    return ROOT / PACKAGE.replace(".", "/") / f"{name}{suffix}"


def _stub(module: str, classes: list[type]) -> str:
    """The text of a stub: the names that the module re-exports, then its own classes."""
    exported = import_module(module).__all__
    imports = [
        f"from {node.module} import {name.name} as {name.name}\n"
        for node in ast.parse(_path(module, ".py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name in exported
    ]
    if "ScheduleLR" not in exported:
        imports.append(BASE)
    imports += sorted({f"import {_model(made).__module__}\n" for made in classes})
    body = "".join(map(_class, sorted(classes, key=lambda made: made.__name__)))
    return tidy(HEAD + "".join(imports) + body, "olm/stub.pyi")


def _model(made: type) -> type:
    from olm.train.schedulers.schedule_lr import CLASSES

    return next(model for model, each in CLASSES.items() if each is made)


def _class(made: type) -> str:
    model = _model(made)
    arguments = inspect.signature(made.__init__).parameters.values()  # type: ignore[misc]
    summary = inspect.cleandoc(made.__doc__ or "").splitlines()[0]
    return (
        f'class {made.__name__}(ScheduleLR):\n    """{summary}"""\n'
        f"    def __init__({', '.join(map(_argument, arguments))},) -> None: ...\n"
        "    @property\n"
        f"    def schedule(self) -> {model.__module__}.{model.__qualname__}: ...\n"
    )


def _argument(argument: inspect.Parameter) -> str:
    """An argument as source code; the names in its type are without their modules."""
    if argument.annotation is inspect.Parameter.empty:
        return argument.name
    annotation = inspect.formatannotation(argument.annotation)
    text = f"{argument.name}: {re.sub(r'[a-z_]+[.]', '', annotation)}"
    # The annotations of the class itself are for jsonargparse, which builds no scheduler in one.
    text = text.replace("| Schedule", "| Schedule | ScheduleLR")
    return text if argument.default is inspect.Parameter.empty else f"{text} = {argument.default!r}"


def tidy(text: str, name: str) -> str:
    """The text of a file after ruff: imports sorted, unused ones removed, formatted."""
    for command in (["check", "--select", "I,F401", "--fix", "--quiet"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", name, "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, cwd=ROOT).stdout
    return text
