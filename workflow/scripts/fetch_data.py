"""Prepare a data set: find or fetch it, verify, split, binarise and write it."""

from elboflow.images.fetch import main

if __name__ == "__main__":
    main()
