"""See that the launcher, Horovod and the network work; measure how fast ranks add numbers."""

from elboflow.stages.smoke_test import main

if __name__ == "__main__":
    main()
