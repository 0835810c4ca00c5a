"""How numbers are written for readers, and how many digits one with an error has."""


def digits_of(error: str) -> int:
    """Significant digits: one of a spread over seeds, which is off by a third even of five."""
    return 1 if error.startswith("seed_") else 2


def error_decimals(error: float, digits: int = 2) -> int:
    """Decimals that leave an error so many significant digits, 0 for large ones."""
    # After rounding: 0.0999 counts as 0.10.
    exponent = int(f"{error:.{digits - 1}e}".split("e")[1])
    return max(0, digits - 1 - exponent)


def significant(error: float, digits: int = 2) -> str:
    """An error with so many significant digits."""
    rounded = float(f"{error:.{digits - 1}e}")
    if rounded < 1e-6:
        return f"{rounded:g}"
    return f"{rounded:.{error_decimals(error, digits)}f}"


def with_error(value: float, error: float, decimals: int = 2) -> str:
    """Concise notation: -101.23(11) is -101.23 with an error of 0.11.

    JCGM 100:2008 (GUM), section 7.2.2, example 2; two digits of the error are given.

    Args:
        decimals: of a value that has no error (nan or 0).
    """
    if not error > 0:
        return plain(value, decimals)
    decimals = error_decimals(error)
    digits = round(float(f"{error:.1e}") * 10**decimals)
    return f"{plain(value, decimals)}({digits})"


def plain(value: float, decimals: int) -> str:
    """Fixed decimals without a negative zero."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def number(value: float, decimals: int = 2) -> str:
    """A number for readers, with a typographic minus sign."""
    positive_zero = round(value, decimals) + 0.0
    return f"{positive_zero:.{decimals}f}".replace("-", "\N{MINUS SIGN}")
