"""Files → blocks of text. What others hand in is read in a process of its own (`sandbox.py`)."""
