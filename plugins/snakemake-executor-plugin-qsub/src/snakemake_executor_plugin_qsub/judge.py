"""Decide what has become of a job from its marker and from what the scheduler says."""

from dataclasses import dataclass
from enum import Enum

from .record import Record
from .status import AT_WALLTIME, State, Status
from .submission import clock


class Outcome(Enum):
    """What to do about a job."""

    WAIT = "wait"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    GO_ON = "go on"  # it stopped before its walltime and can go on in another


@dataclass(frozen=True)
class Verdict:
    """An outcome, and for a failure its reason in one line."""

    outcome: Outcome
    reason: str = ""


def judge_ended(record: Record, exit_code: int, carry_on: bool, walltimes: int) -> Verdict:
    """A job whose script has left its exit code.

    Args:
        carry_on: whether its program asked for another walltime.
        walltimes: how many it may have in all.
    """
    if exit_code == 0:
        return Verdict(Outcome.SUCCEEDED)
    if not carry_on:
        return Verdict(Outcome.FAILED, f"exit code {exit_code}")
    if record.walltimes < walltimes:
        return Verdict(Outcome.GO_ON)
    return Verdict(
        Outcome.FAILED,
        f"not done after {record.walltimes} walltimes, the last of {clock(record.seconds)}, the "
        "most that max_walltimes allows; its state is kept: start Snakemake again to go on",
    )


def judge_silent(status: Status | None, missing_for: float, grace: float) -> Outcome:
    """A job that has left no exit code.

    Args:
        status: the last that the scheduler said of it; None where it said nothing yet, from which
            nothing follows.
        missing_for: seconds since it was first seen to be no longer waiting or running.
        grace: how many of these to grant the file system for showing an exit code.
    """
    if status is None or not status.is_gone or missing_for < grace:
        return Outcome.WAIT
    return Outcome.SUCCEEDED if status.succeeded else Outcome.FAILED


def judge_signalled(status: Status | None, lasts: float, grace: float) -> Outcome:
    """A job whose script was told to end: by a person, a limit, or to be started over.

    Args:
        status: the last that the scheduler said of it, with the reason from its accounting.
        lasts: seconds since the end was seen.
        grace: how many of these to grant the scheduler for telling why.
    """
    if status is not None and status.state is State.WAITING:
        return Outcome.WAIT
    is_told = status is not None and (status.state is State.ENDED or bool(status.reason))
    return Outcome.FAILED if is_told or lasts >= grace else Outcome.WAIT


def describe(status: Status, record: Record) -> str:
    """Why a job failed, with the scheduler's own words."""
    reason = status.reason
    if not reason and status.state is State.UNLISTED:
        reason = (
            "gone from the scheduler, which knows nothing of it: deleted, or lost with its node"
        )
    elif not reason:
        reason = f"exit code {status.exit_code}, left no marker: killed from outside"
    if reason == AT_WALLTIME:
        reason = f"{AT_WALLTIME} of {clock(record.seconds)}"
    return f"{reason} ({status.words})" if status.words else reason
