"""The parts of ``olm check``: files, settings, fixes and processes."""
