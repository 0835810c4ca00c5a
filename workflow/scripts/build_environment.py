"""Make the virtual environment that training runs in: PyTorch, and what ranks add by."""

import signal
import sys

from elboflow.environment.build import main

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that compilers are ended too
    main()
