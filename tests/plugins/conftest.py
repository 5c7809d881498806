"""The folders here are packages that tests install elsewhere: none is imported from here."""

collect_ignore_glob = ["*"]
