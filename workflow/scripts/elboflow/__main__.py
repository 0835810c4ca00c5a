"""python -m elboflow: see elboflow.command_line."""

import sys

from elboflow.command_line.main import main

sys.exit(main())
