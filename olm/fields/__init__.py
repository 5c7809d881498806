"""The types, units and rules of fields, and the errors and suggestions for invalid values."""
