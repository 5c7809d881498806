"""Every probe in every server."""

import pytest

from .probes import MISTAKES, PROBES, Probe


def asked(probe: Probe, editor, record_property):
    """The answer of the editor and the expected one; both are reported for the table of probes."""
    worse = probe.worse_in(editor)
    record_property("editor", editor.title)
    record_property("probe", probe.what)
    record_property("worse", worse.words if worse else "")
    seen = probe.ask(editor, probe.text(editor))
    return seen, worse.seen if worse else probe.expected


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.what)
def test_an_editor_completes_and_explains(probe, editor, record_property):
    seen, expected = asked(probe, editor, record_property)
    assert seen == expected


@pytest.mark.parametrize("probe", MISTAKES, ids=lambda probe: probe.what)
def test_an_editor_marks_errors_at_their_places(probe, editor, record_property):
    (marked, messages), expected = asked(probe, editor, record_property)
    assert marked == probe.text(editor)
    assert messages == expected
