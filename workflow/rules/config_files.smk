"""
The files and words that a configuration comes from, before Snakemake merges them.

Snakemake has read the profiles and what --configfile names by now; the default is read at the end.
"""

import os
import sys
from pathlib import Path

from snakemake.cli import get_profile_dir
from snakemake.exceptions import WorkflowError

try:
    CHECKOUT = Path(workflow.current_basedir).parents[1]
except TypeError:
    raise WorkflowError("elboflow: name workflow/Snakefile as the module's Snakefile")
sys.path.insert(0, str(CHECKOUT / "workflow" / "scripts"))

from elboflow.specification.command_line import (
    check_counts,
    check_options,
    check_words,
    named_profiles,
)
from elboflow.specification.config_files import ConfigError, check_files, check_profile
from elboflow.specification.experiment import DEFAULT_FILE
from elboflow.specification.schema import boolean_keys

if workflow.modifier.path_modifier.replace_prefix("results/") != "results/":
    raise WorkflowError(
        "elboflow: a module's prefix does not reach its programs; say where results are to lie by "
        'pathvars: results="FOLDER"'
    )

# As a module: command line, profile and files are the other workflow's, and config is what it gives.
IS_MODULE = not workflow.modifier.is_main_snakefile()
named = [] if IS_MODULE else workflow.config_settings.configfiles


def check_what_was_typed():
    # A job's command line is Snakemake's own.
    command = sys.argv[1:] if workflow.is_main_process else []
    default = os.environ.get("SNAKEMAKE_PROFILE")
    for profile in named_profiles(command, default, Path(workflow.basedir)):
        if found := get_profile_dir(profile):
            check_profile(found[1])
    check_options(command)
    settings = workflow.resource_settings
    check_counts(
        {
            "--cores": settings.cores,
            "--jobs": settings.nodes,
            "--local-cores": settings.local_cores,
        }
    )
    check_words(workflow.config_settings.config_args or [])
    check_files(named or [DEFAULT_FILE], boolean_keys())


try:
    if not IS_MODULE:
        check_what_was_typed()
except ConfigError as error:
    raise WorkflowError(str(error))

# A file given with --configfile replaces the default; Snakemake alone would merge the two.
if not named:

    configfile: str(DEFAULT_FILE)
