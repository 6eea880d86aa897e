"""Kinds of cfgve and lsve that are plain: each file says what one kind is made of, and `plainkind.py` does the rest."""
