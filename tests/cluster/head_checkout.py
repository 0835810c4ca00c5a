"""A checkout of the cluster's user, in which Snakemake runs on the head."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from grid_engine import USER, Cluster
from linux_hosts import NODES

from checkout import TINY, Checkout

TASKS = TINY["defaults"]["tasks_per_node"]  # ranks on a node
LONG = {"epochs": 1_000_000, "patience": None}  # as long as a test wants it to take


class HeadCheckout(Checkout):
    """A checkout with a profile, and the file here.yaml that overrides what this machine lacks."""

    cluster: Cluster
    profile: str

    def environment(self) -> dict[str, str]:
        return {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}

    def words(self, *arguments: str) -> list[str]:
        profiles = ("--profile", self.profile, "--profile", "here.yaml")
        return [sys.executable, "-m", "snakemake", *profiles, *arguments]

    def hand_over(self) -> None:
        """The files are the user's, who is not the one that wrote them."""
        subprocess.run(["chown", "-R", f"{USER}:", self.folder], check=True)

    def on_the_head(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        self.hand_over()
        return self.cluster.run(
            self.words(*arguments), cwd=self.folder, env=self.environment(), timeout=400, **options
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Snakemake in a session of its own, its output in the file `driver.log`."""
        self.hand_over()
        with (self.folder / "driver.log").open("w") as log:
            return self.cluster.popen(
                self.words(*arguments),
                cwd=self.folder,
                env=self.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def crosses_both_nodes(self, run: str) -> None:
        """The smoke test, and a run's training, have had their ranks on both nodes."""
        machine = self.folder / "results/machine"
        ranks = pd.read_csv(machine / "smoke_test/ranks.csv")
        assert sorted(zip(ranks["host"], ranks["local_rank"], strict=True)) == [
            (node, local) for node in NODES for local in range(TASKS)
        ]
        trained = pd.read_json(machine / f"train/{run}/seed1.json", typ="series")
        assert (trained["ranks"], trained["hosts"]) == (2 * TASKS, list(NODES))

    def printed(self) -> str:
        return (self.folder / "driver.log").read_text()

    def ends(self, driver: subprocess.Popen[str]) -> int:
        """The exit code of a driver."""
        return driver.wait(timeout=900)

    def until(self, happens: Callable[[], object], what: str, seconds: float = 180) -> None:
        deadline = time.time() + seconds
        while not happens():
            assert time.time() < deadline, (
                f"waited in vain for {what}:\n{self.printed()}\n{self.queue()}"
            )
            time.sleep(0.2)

    def queue(self) -> str:
        """What the scheduler says of the user's jobs."""
        raise NotImplementedError
