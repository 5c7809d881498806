"""Write what the commands in README.md and in the guides print today into their console blocks.

    python3 tools/examples.py                  README.md and all guides
    python3 tools/examples.py README resume    these of them

The tests fail where a page shows something else than a command prints. This tool puts the new text
there: read the difference before you commit it. A block with `...` that still matches is kept.
"""

import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from environment import ROOT, enter

README = ROOT / "README.md"
GUIDES = ROOT / "olm" / "checking" / "guides"


def main(args: list[str]) -> int:
    """Rewrite the pages, and return the exit status."""
    if args[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    try:
        import torch  # noqa: F401
    except ImportError:
        enter()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    for page in [README, *sorted(GUIDES.glob("*.md"))]:
        if args and page.stem not in args:
            continue
        old = page.read_text(encoding="utf-8")
        if "<!-- environment:" not in old and (new := _rewritten(old, page)) != old:
            page.write_text(new, encoding="utf-8")
            print(f"wrote {page.relative_to(ROOT)}")
    return 0


def _rewritten(page: str, path: Path) -> str:
    code_blocks = import_module("code_blocks")
    with TemporaryDirectory() as name:
        folder = Path(name)
        if path == README:
            code_blocks.repository(folder)
        for block in code_blocks.blocks(page):
            if block.file:
                (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                (folder / block.file).write_text(block.text, encoding="utf-8")
            if block.language == "console":
                page = page.replace(block.text, _console(block.text, folder))
    return page


def _console(text: str, folder: Path) -> str:
    code_blocks = import_module("code_blocks")
    for command, shown in code_blocks.commands(text):
        if code_blocks.is_run(command):
            out = code_blocks.output(command, folder, may_fail=True)
            if shown.strip() and not code_blocks.shows(shown, out):
                end = "\n" if shown.endswith("\n\n") else ""
                text = text.replace(f"{command}\n{shown}", f"{command}\n{out}{end}")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
