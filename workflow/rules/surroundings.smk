"""
Where the workflow's own files lie, and what all that it starts can see of this machine.

Paths are relative to the working directory, so that moving a checkout re-runs nothing. Included before
what imports modules of others, since one from the shell's PYTHONPATH is refused here.
"""

from elboflow.environment import controller

WORKFLOW = os.path.relpath(CHECKOUT / "workflow")
SCRIPTS = os.path.join(WORKFLOW, "scripts")
PYTHON = sys.executable

if workflow.is_main_process and (refusal := controller.refusal()):
    raise WorkflowError(refusal)
controller.set_environment(workflow.is_main_process)
# For shell lines, which in a module see no variables of these rules; and no param, since it is a trigger:
# another place of the controller's Python is no reason to run.
os.environ.update(ELBOFLOW_PYTHON=PYTHON)

# No job outlives this process, however it ends: a watchdog stands beside each command, also beside
# those that scripts run in.
DRIVER = os.getpid()
WATCHDOG = os.path.join(SCRIPTS, "watchdog.py")
shell.prefix("set -euo pipefail; {PYTHON:q} -Es {WATCHDOG:q} {DRIVER} $$ & ")
