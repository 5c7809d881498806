"""The setuptools command that builds the sdist, with the tests and the files that they read."""

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
