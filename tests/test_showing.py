"""Objects show themselves: in a line, in a notebook, as a picture and as a table."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib
import nbclient
import nbformat
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

import olm
from olm.drawing import svg
from olm.drawing.axis import axes
from olm.drawing.html import Hover, Page, body
from olm.drawing.thinned import thinned
from olm.kinds import KINDS
from olm.problem import OlmError
from olm.schedule.showing.drawn import Drawn, picture_of

COSINE = {"kind": "WarmupCosineScheduler", "warmup_steps": 8, "total_steps": 160, "min_lr": 1e-5}
TARGETS = {
    **COSINE,
    "optimizer": {"lr": 1e-3, "weight_decay": 0.04},
    "also": [{"set": "weight_decay", "schedule": {"kind": "LinearDecayLR", "total_steps": 160}}],
}
HALF = {"kind": "HoldLR", "factor": 0.5}
CELLS = (
    "import olm, torch\nspec = olm.parse({document!r})",
    "spec",
    "spec.schedule",
    "olm.Clock(total_steps=160, steps_per_epoch=16)",
    "warmup = olm.parse({'kind': 'WarmupLR', 'warmup_steps': '5%'}).schedule\n"
    "warmup.plan(olm.Clock(total_steps=90))",
    "weights = [torch.nn.Parameter(torch.zeros(1))]\n"
    "optimizer = torch.optim.SGD(weights, lr=1e-3, weight_decay=0.04)\n"
    "scheduler = olm.build(spec, optimizer)\n"
    "for _ in range(3):\n    optimizer.step(); scheduler.step()\n"
    "scheduler",
)


def of_optimizer(*rates):
    return torch.optim.SGD(
        [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    )


def test_a_scheduler_says_what_it_is_and_where_it_is():
    optimizer = of_optimizer(1e-3, 1e-2)
    scheduler = olm.build({**COSINE}, optimizer)
    for _ in range(7):
        optimizer.step()
        scheduler.step()
    assert repr(scheduler) == (
        "WarmupCosineScheduler(warmup_steps=8, total_steps=160, min_lr=1e-05) "
        "at step 7 of 160, lr [0.001, 0.01]"
    )


def test_one_whose_constructor_has_raised_has_a_repr():
    made = []

    class Late(olm.train.schedulers.LinearLR):
        def _initial_step(self):
            made.append(self)
            raise ValueError("too late")

    with pytest.raises(ValueError, match="too late"):
        Late(of_optimizer(0.1), total_steps=4)
    assert "Late" in repr(made[0])


@pytest.mark.parametrize("kind", [*KINDS])
def test_a_repr_leaves_out_what_is_not_there_and_is_one_line(kind):
    for example in KINDS[kind].examples:
        spec = olm.parse({"kind": kind, **example})
        for text in (repr(spec), repr(olm.build(spec, of_optimizer(0.1), base="any"))):
            assert "\n" not in text
            assert "expect=None" not in text
        assert repr(spec).startswith("Spec(")


def page_of(shown):
    """The HTML of an object, which is well formed."""
    html = shown._repr_html_()
    ElementTree.fromstring(re.sub(r"<br>", "<br/>", html))
    return html


@pytest.mark.parametrize("kind", [*KINDS])
def test_every_kind_shows_its_curve(kind):
    for example in KINDS[kind].examples:
        spec = olm.parse({"kind": kind, **example})
        html = page_of(spec)
        assert ("<svg" in html) or spec.schedule.durations()


def test_text_from_outside_is_escaped():
    mean = "<img/src=x>"
    also = {"set": "lr", "groups": [mean], "schedule": HALF}
    groups = [{"name": mean, "lr": 0.1}, {"name": "other", "lr": 0.1}]
    spec = olm.parse({**COSINE, "param_groups": groups, "also": [also]})
    html = page_of(spec)
    assert mean not in html
    assert "&lt;img/src=x&gt;" in html


def test_a_notebook_shows_the_objects():
    cells = [nbformat.v4.new_code_cell(cell.format(document=TARGETS)) for cell in CELLS[:2]]
    cells += [nbformat.v4.new_code_cell(cell) for cell in CELLS[2:]]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [output["data"]["text/html"] for cell in notebook.cells[1:] for output in cell.outputs]
    spec, schedule, clock, plan, scheduler = shown
    assert spec.count("<path") == scheduler.count("<path") == 2
    assert schedule.count("<path") == 1
    assert "weight_decay" in spec
    assert "steps_per_epoch" in clock
    assert "rounded up from 4.5" in plan
    assert "at step 3 of 160" in scheduler
    assert "step of the state" in scheduler


def test_a_plot_is_the_curve_on_axes_of_ones_own():
    spec = olm.parse(TARGETS)
    ax = Figure().subplots()
    assert spec.plot(ax) is ax
    steps, rates = ax.lines[0].get_data()
    assert np.array_equal(rates, spec.lr(steps, 1e-3))
    assert ax.get_xlim() == (0, 166)
    both = spec.plot()
    assert [axes.get_ylabel() for axes in both] == ["learning rate", "weight_decay"]
    assert spec.plot(targets=["weight_decay"], steps=50).get_xlim() == (0, 50)
    scheduler = olm.build(COSINE, of_optimizer(0.5))
    (rate,) = {line.get_ydata().max() for line in scheduler.plot().lines[:1]}
    assert rate == 0.5
    assert "pyplot" not in dir(matplotlib)


def test_a_plot_of_what_is_not_there_names_what_is():
    with pytest.raises(OlmError, match="does not schedule ema, only lr and weight_decay"):
        olm.parse(TARGETS).plot(targets=["ema"])
    with pytest.raises(ValueError, match="2 numbers are drawn, and ax has 1 axes"):
        olm.parse(TARGETS).plot([Figure().subplots()])


def test_a_table_has_every_step_and_every_number():
    table = olm.parse({**TARGETS, "clock": {"total_steps": 160, "steps_per_epoch": 16}}).table()
    assert [*table.columns] == ["epochs", "percent", "lr", "weight_decay"]
    assert len(table) == 161
    assert table.lr[8] == olm.parse(TARGETS).lr(8, 1e-3)
    assert table.epochs[8] == 0.5


def test_a_page_draws_a_curve_once_for_all_axes_along_which_it_has_the_same_places(monkeypatch):
    paths = []
    monkeypatch.setattr(svg, "thinned", lambda x, y: paths.append(thinned(x, y)) or paths[-1])
    picture = picture_of([Drawn("lr", olm.parse(COSINE).schedule, 1.0)], 160)
    known = axes(olm.Clock(total_steps=160, tokens_per_step=4, steps_per_epoch=16))
    html = body(Page("", [], picture, known, Hover([], [], [])))
    assert (len(known), len(paths)) == (4, 2)
    for axis in known.values():
        for is_log in (False, True):
            alone = svg.Drawing(replace(picture, axis=axis), is_log)
            assert "\n".join(alone.lines(style="")) in html
