"""Both parsers of YAML, and what the reader makes of a text with each of them."""

import yaml

import olm.document
from olm.document import loads
from olm.kinds import KINDS
from olm.problem import SpecError

PARSERS = {"libyaml": yaml.CSafeLoader, "PyYAML": yaml.SafeLoader}
START = "kind: LinearLR\ntotal_steps: 10\n"
EXAMPLES = [{"kind": kind, **fields} for kind, model in KINDS.items() for fields in model.examples]


def with_each_parser(function, *arguments):
    """What a function gives with libyaml, and with PyYAML's own parser."""
    usual = olm.document.LOADER
    try:
        for olm.document.LOADER in PARSERS.values():
            yield function(*arguments)
    finally:
        olm.document.LOADER = usual


def verdict(text):
    """The spec that a text says, or None, and its problems."""
    try:
        return loads(text, "a.olm.yaml"), ()
    except SpecError as error:
        return None, error.problems
