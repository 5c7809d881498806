"""What ``olm help`` describes besides verbs: guides, codes of findings, kinds and recipes."""

from __future__ import annotations


def topics() -> dict[str, str]:
    """Each topic with the command that describes it.

    >>> topics()["resume"], topics()["LinearLR"], topics()["unknown-field"]
    ('olm explain resume', 'olm kinds LinearLR', 'olm explain unknown-field')
    """
    from olm.checking.guides import guides
    from olm.checking.pages import codes
    from olm.kinds import KINDS
    from olm.spec.recipes import recipes

    shown = {name: f"olm show {name}" for name in recipes()}
    explained = {topic: f"olm explain {topic}" for topic in (*codes(), *guides())}
    return {kind: f"olm kinds {kind}" for kind in KINDS} | shown | explained


def command_about(topic: str) -> str | None:
    """The command that describes a topic. For a guide or a finding no kind is imported.

    >>> command_about("resume"), command_about("LinearLR"), command_about("nothing")
    ('olm explain resume', 'olm kinds LinearLR', None)
    """
    from olm.checking.guides import guides
    from olm.checking.pages import codes

    if topic in guides() or topic in codes():
        return f"olm explain {topic}"
    return topics().get(topic)
