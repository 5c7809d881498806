"""Curves as people look at them: on the terminal, in a file, and as the steps they ask about."""
