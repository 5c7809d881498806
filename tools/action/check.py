"""Run ``olm check`` as a step of GitHub Actions: inputs are variables, outputs go to a file.

The inputs of the action are passed as `OLM_PATHS`, `OLM_ARGS` and `OLM_STRICT`, so that no shell
reads what is in them. The exit status is that of `olm check`.
"""

import os
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

FINE, PROBLEMS, MISUSE = range(3)
"""Exit statuses of ``olm check``."""

STRICT = {"": [], "true": ["--strict"], "false": ["--no-strict"]}
"""The input `strict` → the option of the command."""


def main() -> int:
    """Check, print findings as they are found, and write the outputs of the step."""
    try:
        options = arguments(os.environ)
    except ValueError as error:
        print(f"olm check: {error}", file=sys.stderr)
        return MISUSE
    # -I: the checked repository may have a package `olm` of its own.
    command = [sys.executable, "-I", "-m", "olm", "check", "--format", "github", *options]
    found = Counter[bytes]()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for line in process.stdout or ():
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            found[line.partition(b" file=")[0]] += 1
    if process.returncode in (FINE, PROBLEMS):
        with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
            outputs.write(f"errors={found[b'::error']}\nwarnings={found[b'::warning']}\n")
    return process.returncode


def arguments(inputs: Mapping[str, str]) -> list[str]:
    r"""The arguments of ``olm check`` for the inputs.

    >>> arguments({"OLM_PATHS": "specs\nmy runs/*.yaml\n", "OLM_ARGS": "--at 'optim.lr'"})
    ['--at', 'optim.lr', '--', 'specs', 'my runs/*.yaml']
    >>> arguments({"OLM_PATHS": ".", "OLM_STRICT": "true"})
    ['--strict', '--', '.']

    Raises:
        ValueError: an input is invalid.
    """
    paths = [path for line in inputs["OLM_PATHS"].splitlines() if (path := line.strip())]
    if not paths:
        raise ValueError("the input `paths` must name at least one path, found none")
    strict = inputs.get("OLM_STRICT", "")
    if strict not in STRICT:
        raise ValueError(f"the input `strict` must be true or false, found {strict!r}")
    try:
        more = shlex.split(inputs.get("OLM_ARGS", ""))
    except ValueError as error:
        raise ValueError(f"the input `args` cannot be read: {str(error).lower()}") from None
    return [*STRICT[strict], *more, "--", *paths]


if __name__ == "__main__":
    sys.exit(main())
