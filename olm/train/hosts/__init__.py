"""Adapters for trainers and engines that need one: a file a host, imported when it is used."""
