"""``olm preview``: a page that is redrawn whenever a file is saved."""

from __future__ import annotations

import os
import sys
import threading
import time
import webbrowser
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from olm.cli import FINE, MISUSE
from olm.cli.clock_options import clock_of
from olm.cli.terminal import visible
from olm.cli.verbs.show import add_view
from olm.spec.recipes import path_or_recipe

SUMMARY = "show schedules in a browser, redrawn whenever a file is saved"

EPILOG = """\
The page is on this machine (127.0.0.1) at an address that only this terminal knows. It shows the
picture, the sentence, the key steps and the durations of FILE; of several files, their curves in
one picture. Mistakes take the place of the picture until they are fixed. Sliders try other numbers
in the page: `show YAML` shows the text to paste, and the file stays as it is.

It ends with Ctrl-C, or with its terminal.

examples:
  olm preview run.olm.yaml
  olm preview run.olm.yaml other.olm.yaml --base-lr 3e-4 --no-browser

exit status: 0 ended, 2 usage error
"""

LOOKS = 1.0
"""How often the server looks whether its terminal is still there, in seconds."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a spec, a state or a recipe")
    add_view(parser)
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address, and open no browser"
    )
    parser.add_argument(
        "--port", type=_port, default=0, metavar="N", help="the port (default: any that is free)"
    )


def run(args: Namespace) -> int:
    """Serve the page until the user ends it."""
    args.files = [path_or_recipe(path) for path in args.files]
    for path in args.files:
        if not Path(path).is_file():
            print(f"olm preview: no such file: {visible(path)}", file=sys.stderr)
            return MISUSE
    clock_of(args)
    from olm.cli.previewing.preview import Preview
    from olm.cli.previewing.server import Server

    try:
        server = Server(Preview(args.files, args), args.port)
    except OSError as error:
        print(f"olm preview: port {args.port}: {error.strerror or error}", file=sys.stderr)
        return MISUSE
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()
    try:
        print(f"{server.address}  (Ctrl-C ends it)", flush=True)
        if not args.no_browser:
            webbrowser.open(server.address)
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        print()
    return FINE


def _leave_with_parent(parent: int) -> None:
    """End the process when the one that started it is gone."""
    while os.getppid() == parent:
        time.sleep(LOOKS)
    os._exit(FINE)


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 2**16):
        raise ArgumentTypeError(f"the port must be a number below 65,536, found {text}")
    return int(text)
