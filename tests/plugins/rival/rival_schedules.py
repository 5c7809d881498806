"""Never imported: to say that two packages bring a kind takes no more than their metadata."""

raise AssertionError("imported")
