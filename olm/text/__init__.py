"""YAML, JSON and TOML text to plain values with places, and files written whole."""
