"""What ``olm check`` is made of: which files, by which settings, in how many processes."""
