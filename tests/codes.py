"""The codes of findings, collected from the calls in the source code that create them."""

import ast
import re
from pathlib import Path

import olm

OLM = Path(olm.__file__).parent
MAKERS = {"Problem", "ScalarError", "_one_error", "invalid", "note", "refusal", "refuse", "stop"}
"""The functions whose first string argument is the code of a finding."""

CODE = re.compile(r"[a-z]+(-[a-z]+)*")


def codes_of_errors():
    """The codes of all errors in specs."""
    files = (path for path in OLM.rglob("*.py") if "lint" not in path.parts)
    return {code for path in files for code in codes_in(path.read_text(encoding="utf-8"))}


def codes_of_imports():
    """The codes of the refusals of `olm import` and `olm export`."""
    folder = OLM / "foreign"
    files = [*(folder / "configs").glob("*.py"), *(folder / "exports").glob("*.py")]
    return {code for path in files for code in codes_in(path.read_text(encoding="utf-8"))}


def codes_of_lints():
    """The codes of all warnings: the names of the files of lint rules."""
    paths = (OLM / "checking" / "lint").glob("*/[!_]*.py")
    return {path.stem.replace("_", "-") for path in paths}


def codes_in(source):
    """The codes in one source file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", _name(node.func)) in MAKERS:
            texts = (one.value for one in node.args if isinstance(one, ast.Constant))
            first = next((text for text in texts if isinstance(text, str)), "")
            if CODE.fullmatch(first):
                yield first


def _name(function):
    return function.id if isinstance(function, ast.Name) else ""
