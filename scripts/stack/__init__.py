"""What `make run`, `reload`, `stop`, `doctor` and `test` do, step by step.

`install` runs on any Python 3.11 with the standard library alone, because nothing is installed yet;
everything else runs in `.venv`. Importing does nothing.
"""
