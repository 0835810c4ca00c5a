"""How many digits a number with an error has."""


def error_decimals(error: float) -> int:
    """Decimals that leave an error two significant digits, 0 for errors from 10 on."""
    exponent = int(f"{error:.1e}".split("e")[1])  # after rounding: 0.0999 counts as 0.10
    return max(0, 1 - exponent)


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
