"""What decides whether the state that an interrupted job left is of the same work."""

import json
import sys
from typing import Any

import numpy as np
import torch

from elboflow.files.code_digest import digest
from elboflow.files.imports import CHANGES_NO_RESULT
from elboflow.vae import checkpoint


def state_digest(spec_document: dict[str, Any], seed: int, data_sha256: str) -> str:
    """Digest of all that a state depends on: not of nodes, ranks or paths."""
    package = sorted(
        module.__file__
        for name, module in sys.modules.items()
        if name.startswith("elboflow.vae") and name not in CHANGES_NO_RESULT and module.__file__
    )
    document = json.dumps(spec_document, sort_keys=True)
    versions = f"torch {torch.__version__} numpy {np.__version__}"
    if zuko := sys.modules.get("zuko"):
        versions += f" zuko {zuko.__version__}"
    return checkpoint.digest([document, str(seed), data_sha256, versions, digest(package)])
