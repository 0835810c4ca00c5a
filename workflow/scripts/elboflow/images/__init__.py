"""Data sets: where they come from, how they are checked, split, binarised and written."""
