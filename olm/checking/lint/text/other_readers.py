"""A number that other YAML readers read as another value.

`olm` reads YAML 1.2, in which `1e-4` is a number. In YAML 1.1, which PyYAML and therefore
OmegaConf, Hydra and most trainers read, `1e-4` and `1.0e3` are strings, `010` is 8, and `0o17` is a
string. The same file then trains differently, or fails, as soon as another program reads it.

Write the number so that all readers agree: with a decimal point, with a sign in the exponent, and
without a leading zero. `olm check --fix` does this. A `.json` file with quotes, commas or numbers
that JSON does not have is reported, too.

Bad:

```yaml
kind: CosineAnnealingLR
T_max: 1000
eta_min: 1e-4
```

Good:

```yaml
kind: CosineAnnealingLR
T_max: 1000
eta_min: 1.0e-4
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from olm.checking.lint._subject import Subject
from olm.problem import Fix, Problem
from olm.text.places import Spans
from olm.text.scalars import for_every_reader, plain
from olm.text.source import Text

SCOPE = "document"

_NUMBER_STARTS = frozenset("+-.0123456789")
_SAME = re.compile(
    r"[-+]?(?:0|[1-9][0-9]*)|[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?"
    r"|\.[0-9]+(?:[eE][-+][0-9]+)?|0x[0-9a-fA-F]+|[-+]?0+[0-7]?"
)


def warnings(subject: Subject) -> Iterator[Problem]:
    """Each number that is another value in YAML 1.1."""
    text, places = subject.document.text, subject.document.places
    if text.file.endswith(".json"):
        yield from _json(text)
    if not text.file.endswith((".yaml", ".yml")) or not isinstance(places, Spans):
        return
    for path, scalar in places.unquoted():
        # For speed no call: this loop runs for every file that is checked.
        if scalar[:1] in _NUMBER_STARTS and is_read_otherwise(scalar):
            message = f"other YAML readers read {scalar} as {_other(scalar)}"
            fix = Fix(for_every_reader(scalar))
            hint = f"write {fix.text}"
            yield Problem("other-readers", message, path, hint=hint, severity="warning", fix=fix)


def _json(text: Text) -> Iterator[Problem]:
    """The first place at which a JSON text is YAML alone."""
    import json

    try:
        json.loads(text.content)
    except ValueError as error:
        # Too long a number has no place.
        place = text.place_at(getattr(error, "pos", 0))
        message = "other JSON readers cannot read this file, which is YAML from here on"
        hint = "write JSON, or name the file .yaml"
        yield Problem("other-readers", message, place=place, hint=hint, severity="warning")


# Most files contain the same few numbers.
@lru_cache(maxsize=4096)
def is_read_otherwise(text: str) -> bool:
    """Whether a scalar that is a number in YAML 1.2 is another value in YAML 1.1.

    >>> [is_read_otherwise(text) for text in ("1e-4", "1.0e-4", "010", "007", "10", "v1")]
    [True, False, True, False, False, False]
    """
    if _SAME.fullmatch(text) or text[:1] not in _NUMBER_STARTS:
        return False
    return isinstance(plain(text), int | float)


def _other(text: str) -> str:
    """The value of a number of YAML 1.2 in YAML 1.1."""
    octal = re.fullmatch(r"[-+]?0[0-7]+", text)
    return str(int(text, 8)) if octal else "a string"
