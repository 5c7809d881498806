"""What the models say of themselves: JSON Schema, completion, help."""
