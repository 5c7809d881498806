"""Pictures and pages, against matplotlib and against the picture alone."""

from __future__ import annotations

import atexit
import sys
from argparse import ArgumentParser, Namespace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from contests import OLM, Amount, Contest, Family, Side
from contests.commands import _run
from olm.checking.check import Options, check_file
from olm.cli.drawing.page import View
from olm.cli.drawing.pictures import html_page, picture
from olm.cli.previewing.preview import Preview
from olm.cli.verbs import preview, show
from olm.drawing.html import page
from olm.drawing.svg import svg

SHOW = [sys.executable, "-m", "olm", "show"]
MATPLOTLIB = "`--png`, by matplotlib"
ALONE = "picture and SVG alone"

TARGETS = """\
kind: WarmupCosineScheduler
warmup_steps: 2000
total_steps: 100000
optimizer: {lr: 3.0e-4, weight_decay: 0.1}
clock: {total_steps: 100000, tokens_per_step: 4000000, steps_per_epoch: 1000}
also:
  - {set: weight_decay, schedule: {kind: RampLR, total_steps: 100000, end_factor: 2.0}}
  - {value: ema, schedule: {kind: RampLR, total_steps: 100000, start_factor: 0.99}}
  - {value: temperature, schedule: {kind: CosineAnnealingLR, T_max: 100000}}
  - {value: dropout, schedule: {kind: StepLR, step_size: 20000, gamma: 0.5}}
  - {value: mix, schedule: {kind: CyclicLR, base_lr: 0.1, max_lr: 1.0, step_size_up: 5000}}
"""


def commands() -> dict[str, Side]:
    """The command with a picture, drawn by olm and by matplotlib."""
    spec, folder = _file(), _folder()
    return {
        OLM: Side(partial(_run, [*SHOW, spec, "--svg", f"{folder}/a.svg"])),
        MATPLOTLIB: Side(partial(_run, [*SHOW, spec, "--png", f"{folder}/a.png"])),
    }


def redraws() -> dict[str, Side]:
    """The answer to a slider, against what the picture in it takes alone."""
    live = Preview([_file()], _arguments(preview))
    return {
        OLM: Side(partial(live.shown, {0: {"warmup_steps": "1999"}})),
        ALONE: Side(_picture_alone),
    }


def size() -> float:
    """The kilobytes of a page with six targets."""
    return len(page(html_page(_view(), [], check_file(_file(), Options()).text))) / 1000


def _picture_alone() -> str:
    return svg(picture(_view(), [], "a"))


def _view() -> View:
    result = check_file(_file(), Options())
    assert result.spec is not None
    assert result.counted is not None
    return show.view_of(result.spec, result.counted, None, _arguments(show))


def _arguments(verb: ModuleType) -> Namespace:
    parser = ArgumentParser()
    verb.add_arguments(parser)
    return parser.parse_args([_file()])


@cache
def _folder() -> str:
    folder = TemporaryDirectory(prefix="olm-bench-")
    atexit.register(folder.cleanup)
    return folder.name


@cache
def _file() -> str:
    path = Path(_folder(), "targets.olm.yaml")
    path.write_text(TARGETS, encoding="utf-8")
    return str(path)


FAMILIES = [
    Family(
        "a picture with six targets, as a process",
        [
            Contest("picture command", "`olm show --svg`", commands, {MATPLOTLIB: 0.5}, setups=3),
            Amount("picture page", "`olm show --html`", "size", "KB", size, 150),
        ],
        processes=True,
    ),
    Family(
        "a picture with six targets, in a process",
        [Contest("picture redraw", "a redraw of `olm preview`", redraws, {ALONE: 3.0})],
    ),
]
