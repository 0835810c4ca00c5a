"""What is said of a file that cannot be used."""


class InputError(ValueError):
    """A file that cannot be used; the message names it in one line."""
