"""Write the specification of a run, or a part of it, that the rules have resolved.

python workflow/scripts/resolve_run.py OUTPUT JSON
"""

import json
import sys
from pathlib import Path

from elboflow.files.whole import in_words
from elboflow.specification.resolve import write_specification

if __name__ == "__main__":
    try:
        write_specification(json.loads(sys.argv[2]), Path(sys.argv[1]))
    except OSError as error:
        raise SystemExit(f"error: {in_words(error)}") from None
