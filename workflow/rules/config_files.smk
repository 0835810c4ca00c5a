"""
The files and words that a configuration comes from, before Snakemake merges them.

Snakemake has read the profiles and what --configfile names by now; the default is read at the end.
"""

import os
import sys
from pathlib import Path

from snakemake.cli import get_profile_dir
from snakemake.exceptions import WorkflowError

sys.path.insert(0, os.path.join(workflow.basedir, "workflow", "scripts"))

from elboflow.specification.command_line import (
    check_options,
    check_words,
    named_profiles,
)
from elboflow.specification.config_files import ConfigError, check_files, check_profile
from elboflow.specification.experiment import DEFAULT_FILE
from elboflow.specification.schema import boolean_keys

# A job's command line is Snakemake's own.
COMMAND = sys.argv[1:] if workflow.is_main_process else []

try:
    default = os.environ.get("SNAKEMAKE_PROFILE")
    for profile in named_profiles(COMMAND, default, Path(workflow.basedir)):
        if found := get_profile_dir(profile):
            check_profile(found[1])
    check_options(COMMAND)
    check_words(workflow.config_settings.config_args or [])
    named = workflow.config_settings.configfiles
    check_files(named or [DEFAULT_FILE], boolean_keys())
except ConfigError as error:
    raise WorkflowError(str(error))

# A file given with --configfile replaces the default; Snakemake alone would merge the two.
if not named:

    configfile: str(DEFAULT_FILE)
