"""
The files and words that a configuration comes from, before Snakemake merges them.

Snakemake has read what --configfile names by now; the default is read after this.
"""

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, os.path.join(workflow.basedir, "workflow", "scripts"))

from config_files import ConfigError, check_sources
from resolve_run import boolean_keys

try:
    check_sources(
        workflow.config_settings.configfiles or [Path("config/config.yaml")],
        workflow.config_settings.config_args or [],
        sys.argv if workflow.is_main_process else [],
        boolean_keys(),
    )
except ConfigError as error:
    raise WorkflowError(str(error))
