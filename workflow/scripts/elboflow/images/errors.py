"""The mistakes that fetch_data reports to the user in one line."""


class BadData(ValueError):
    """Data that is missing, damaged or of the wrong kind, or a request that it cannot meet."""


class WrongContent(BadData):
    """A file that was read but does not hold the published bytes."""
