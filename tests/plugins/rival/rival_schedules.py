"""Never imported: metadata suffice to report that two packages have the same kind."""

raise AssertionError("imported")
