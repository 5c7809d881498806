"""The parts of ``olm diff``: two sides, their comparison, and its output."""
