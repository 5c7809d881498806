"""A spec as text: a sentence, tables, key steps and CSV."""
