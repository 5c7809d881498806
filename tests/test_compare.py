"""`tools/compare.py`, the differences from the peers, and the gallery of recipes."""

import re
import subprocess
import sys
from pathlib import Path

from olm.kinds import KINDS

ROOT = Path(__file__).resolve().parent.parent


def test_it_prints_every_peer_within_what_is_allowed_and_counts_them():
    command = [sys.executable, str(ROOT / "tools" / "compare.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    _, *lines, last = done.stdout.splitlines()
    peers = {path.stem for path in (ROOT / "tests" / "peers").glob("*.json")}
    kinds, count, configurations = map(int, re.findall(r"\d+", last))
    assert (kinds, count) == (len(KINDS), len(peers)) == (len(KINDS), len(lines))
    assert count >= 13
    assert configurations == sum(int(line.split()[2]) for line in lines) >= 120
    for line in lines:
        *_, worst, allowed, _ = line.split()
        assert float(worst) <= (0.0 if allowed == "none" else float(allowed))


def test_the_gallery_shows_every_recipe_with_its_picture():
    page = (ROOT / "specs" / "README.md").read_text()
    recipes = {path.name.removesuffix(".olm.yaml") for path in ROOT.glob("specs/*.olm.yaml")}
    assert len(recipes) >= 25
    assert {*re.findall(r'href="(.+)\.olm\.yaml"', page)} == recipes
    pictures = {*re.findall(r'src="(pictures/.+\.svg)"', page)}
    assert pictures == {f"pictures/{name}.svg" for name in recipes}
    for picture in pictures:
        assert (ROOT / "specs" / picture).read_text().startswith("<svg")
