"""List what may go from a clone, with sizes, or drop one part of it."""

from elboflow.ranks.clean import main

if __name__ == "__main__":
    main()
