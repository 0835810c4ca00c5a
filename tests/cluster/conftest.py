"""A Grid Engine cluster for the tests of this folder, one for all of them."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # where Python looks when grid_engine.py is started

import grid_engine
import linux_hosts


@pytest.fixture(scope="session")
def cluster() -> Iterator[grid_engine.Cluster]:
    """A cluster, taken down without a trace. Continuous integration has no excuse to skip it."""
    reasons = grid_engine.missing()
    if reasons and os.environ.get("CI") != "true":
        pytest.skip(f"no cluster here: {'; '.join(reasons)}")
    running = grid_engine.Cluster.up()
    made_user = json.loads(grid_engine.STATE.read_text())["new_user"]
    try:
        yield running
    finally:
        grid_engine.down()
        os.close(running.lock)
    assert not linux_hosts.existing()
    assert not running.folder.exists()
    assert not grid_engine.STATE.parent.exists()
    assert grid_engine.user_exists() != made_user
