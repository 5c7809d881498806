"""``olm help``: the verbs, or the description of a verb, a guide, a finding or a kind."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from olm.cli import FINE, Misuse, main, modules_by_verb

SUMMARY = "describe a verb, a guide, the code of a finding or a kind"

EPILOG = """\
Without a topic, the verbs are listed. `olm explain` lists the guides and the codes of findings,
and `olm kinds` the kinds.

examples:
  $ olm help check
  usage: olm check ...
  $ olm help resume
  resume: stop a run at any step and continue it
  ...
  $ olm help LinearLR

exit status: 0 fine, 2 no such topic
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "topic",
        nargs="?",
        metavar="TOPIC",
        help="a verb, a guide, a code of a finding, a kind or a recipe",
    )


def run(args: Namespace) -> int:
    """Print the help."""
    from olm.cli.without_verb import command_for, overview

    topic = args.topic
    if topic is None:
        print(overview())
        return FINE
    if topic in modules_by_verb():
        return main([topic, "--help"])
    from olm.cli.topics import command_about, topics

    if about := command_about(topic):
        return main(about.split()[1:])
    if command := command_for(topic):
        return main([command.split()[1], "--help"])
    from olm.problem import clipped, nearest

    near = nearest(topic, [*modules_by_verb(), *topics()])
    hint = f"did you mean `{near}`?" if near else "`olm --help` and `olm explain` list the topics"
    raise Misuse(f"there is no topic `{clipped(topic)}`: {hint}")
