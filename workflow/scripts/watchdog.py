"""End a command, with all that it started, when the process that started it is gone."""

from elboflow.ranks.watchdog import main

if __name__ == "__main__":
    main()
