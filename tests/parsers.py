"""Both YAML parsers, and the result of the reader with each of them."""

import yaml

import olm.text.document
from olm.kinds import KINDS
from olm.problem import SpecError
from olm.spec.load import loads

PARSERS = {"libyaml": yaml.CSafeLoader, "PyYAML": yaml.SafeLoader}
START = "kind: LinearLR\ntotal_steps: 10\n"
EXAMPLES = [{"kind": kind, **fields} for kind, model in KINDS.items() for fields in model.examples]


def with_each_parser(function, *arguments):
    """The results of a function with libyaml and with the parser of PyYAML."""
    usual = olm.text.document.LOADER
    try:
        for olm.text.document.LOADER in PARSERS.values():
            yield function(*arguments)
    finally:
        olm.text.document.LOADER = usual


def verdict(text):
    """The spec in a text, or None, and its problems."""
    try:
        return loads(text, "a.olm.yaml"), ()
    except SpecError as error:
        return None, error.problems
