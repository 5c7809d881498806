"""Documents held to any JSON Schema: what needs jsonschema, which is slow to import."""
