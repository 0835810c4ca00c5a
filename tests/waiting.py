"""Wait until something that other processes do has happened."""

import time
from collections.abc import Callable


def wait_until(happens: Callable[[], object], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
