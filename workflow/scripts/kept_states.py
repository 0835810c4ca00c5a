"""Drop all states but those that the present results were made from."""

import sys
from pathlib import Path

from elboflow.ranks.kept_states import main

if __name__ == "__main__":
    main(Path(sys.argv[1]))
