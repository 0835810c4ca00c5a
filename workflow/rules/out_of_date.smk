"""
Mark the pages before a run begins to replace the results that they show, until they are made again.

INPUTS and OUTPUTS:

    pages = <experiment>/{report,chapter,machine}.html

A page that a run left marked, because it was stopped or had other targets, is made again by the next that
makes pages (damaged.smk).
"""

from elboflow.files.damaged import FOLDERS
from elboflow.pages.origin import is_marked, mark

MADE_PAGES = [
    located(f"<experiment>/{page}.html") for page in ("report", "chapter", "machine")
]


def pages_to_mark():
    """Those that will be made again, and those that this run leaves as they are though results change."""
    made = {str(path) for job in workflow.dag.jobs for path in job.output}
    planned = {str(path) for job in workflow.dag.needrun_jobs() for path in job.output}
    shown = tuple(located(f"<experiment>/{folder}/") for folder in FOLDERS)
    changes = any(path.startswith(shown) for path in planned)
    for page in MADE_PAGES:
        if os.path.exists(page) and (page in planned or (changes and page not in made)):
            yield Path(page)


onstart:
    if not workflow.touch:
        for page in pages_to_mark():
            mark(page, CONFIGURATION)
        write_record(Path(located("<results>")), EXPERIMENT, RECORD)
