"""The setuptools commands that build the sdist, with the tests, and the wheel, with the recipes."""

from pathlib import Path

from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

FOLDERS = (".github", "schemas", "specs", "tests", "tools")
FILES = (".gitattributes", ".gitignore", ".pre-commit-hooks.yaml")


class Sdist(sdist):  # type: ignore[misc]  # setuptools has no types.
    """Build an archive from which olm can be built, checked and tested."""

    def make_distribution(self) -> None:
        """Add the folders and files that are no part of the wheel, then write the archive."""
        for folder in FOLDERS:
            self.filelist.graft(folder)
        self.filelist.extend(FILES)
        self.filelist.global_exclude("*.py[cod]")
        super().make_distribution()


class BuildPy(build_py):  # type: ignore[misc]  # setuptools has no types.
    """Build the package with the recipes, which are beside it in a clone."""

    def run(self) -> None:
        """Copy the modules, and then the recipes."""
        super().run()
        if not self.editable_mode:
            folder = Path(self.build_lib) / "olm" / "recipes"
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(Path("specs").glob("*.olm.yaml")):
                self.copy_file(str(path), str(folder / path.name))
