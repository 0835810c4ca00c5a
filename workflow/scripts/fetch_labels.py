"""Find or fetch the labels of a data set's images, verify and split them, and write them."""

from elboflow.images.fetch import main
from elboflow.images.labels import prepare_labels

if __name__ == "__main__":
    main(prepare=prepare_labels)
