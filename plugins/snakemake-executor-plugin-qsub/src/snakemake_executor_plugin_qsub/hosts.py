"""Hosts on which jobs fail that succeed elsewhere: named once, and left out where the site can."""

import shlex
from collections import defaultdict
from collections.abc import Callable

from .status import AT_WALLTIME, DELETED

ENOUGH = 3  # failures in a row on one host
BLAMELESS = (AT_WALLTIME, DELETED, "killed over its limit", "not done after")  # in a reason


class Hosts:
    """The hosts of one Snakemake's jobs of one node; which of several is bad, nobody can tell.

    Args:
        template: the words that keep a submission away from {hosts}; none where that cannot be.
        tell: is given a line for the user.
    """

    def __init__(self, template: str, tell: Callable[[str], None]) -> None:
        self.template, self.tell = template, tell
        self.bad: list[str] = []
        self.failed: dict[str, list[str]] = defaultdict(list)  # rules, since the last success there
        self.succeeded: dict[str, set[str]] = defaultdict(set)  # hosts, by rule

    def succeeds(self, host: str, rule: str) -> None:
        """A job ended well there."""
        self.failed.pop(host, None)
        self.succeeded[rule].add(host)
        self._judge()

    def fails(self, host: str, rule: str, reason: str) -> None:
        """A job failed there, for which the host may be to blame."""
        if not any(words in reason for words in BLAMELESS):
            self.failed[host].append(rule)
            self._judge()

    def _judge(self) -> None:
        """A rule that fails everywhere speaks against no host."""
        for host, rules in self.failed.items():
            elsewhere = [rule for rule in rules if self.succeeded[rule] - {host}]
            if len(elsewhere) >= ENOUGH and host not in self.bad:
                self.bad.append(host)
                done = "left out of later submissions" if self.template else "tell the site"
                self.tell(
                    f"host {host}: {len(elsewhere)} jobs in a row failed there, and others of "
                    f"their rules ({', '.join(sorted(set(elsewhere)))}) succeeded elsewhere: {done}"
                )

    def words(self) -> list[str]:
        """What keeps a submission away from the bad hosts."""
        if not self.bad or not self.template:
            return []
        hosts = "|".join(self.bad)
        return [word.replace("{hosts}", hosts) for word in shlex.split(self.template)]
