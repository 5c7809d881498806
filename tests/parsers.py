"""Both parsers of YAML, and what the reader makes of a text with each of them."""

import yaml

import olm.text.document
from olm.kinds import KINDS
from olm.problem import SpecError
from olm.spec.load import loads

PARSERS = {"libyaml": yaml.CSafeLoader, "PyYAML": yaml.SafeLoader}
START = "kind: LinearLR\ntotal_steps: 10\n"
EXAMPLES = [{"kind": kind, **fields} for kind, model in KINDS.items() for fields in model.examples]


def with_each_parser(function, *arguments):
    """What a function gives with libyaml, and with PyYAML's own parser."""
    usual = olm.text.document.LOADER
    try:
        for olm.text.document.LOADER in PARSERS.values():
            yield function(*arguments)
    finally:
        olm.text.document.LOADER = usual


def verdict(text):
    """The spec that a text says, or None, and its problems."""
    try:
        return loads(text, "a.olm.yaml"), ()
    except SpecError as error:
        return None, error.problems
