"""qdel of the PBS stand-in: qdel [-x] ID..."""

import getopt
import sys
import time

from stand_in import lifecycle, state
from stand_in.state import Refused


def delete(operand: str, with_history: bool) -> None:
    """End a job that is not finished; with_history: forget a finished one."""
    lifecycle.look(state.find(operand))  # ends a job whose supervisor died
    with state.locked():
        job = state.find(operand)
        if "simulated" in job:
            job = lifecycle.look(job)
        state.refuse_history(job)
        if job["state"] == "F":
            if not with_history:
                raise Refused(f"Job has finished {job['id']}", 35)
            state.remove(job["number"])
            return
        if job["state"] == "R":
            job["deleted_by"] = job["owner"]  # the supervisor sees this
            if "simulated" in job:
                lifecycle.finish(job, time.time(), exit_status=271)
        else:
            lifecycle.cancel(job, time.time())
        state.write(job)


def main() -> int:
    state.log_call("qdel")
    try:
        options, operands = getopt.getopt(sys.argv[1:], "x")
    except getopt.GetoptError as error:
        print(f"qdel: the stand-in has no such option: {error}", file=sys.stderr)
        return 2
    if not operands:
        print("usage: qdel [-x] job_identifier...", file=sys.stderr)
        return 2
    code = 0
    for operand in operands:
        try:
            delete(operand, with_history=("-x", "") in options)
        except Refused as refusal:
            print(f"qdel: {refusal}", file=sys.stderr)
            code = refusal.code
    return code
