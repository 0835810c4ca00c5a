"""The published image files: digests, mirrors and licences.

Digests are those of the unpacked bytes. The packed files differ from one distributor to the
next (Debian rewrites the gzip header), so a digest of the packed bytes would prove nothing.
"""

from dataclasses import dataclass
from pathlib import Path

FASHION_MNIST_PACKAGE = Path("/usr/share/datasets/fashion-mnist")  # Debian: dataset-fashion-mnist


@dataclass(frozen=True)
class PublishedFile:
    """One idx file of images; `size` and `sha256` are those of the unpacked bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class PublishedSource:
    """A data set that is published as one file of training and one of test images."""

    name: str
    title: str
    origin: str
    licence: str
    train: PublishedFile
    test: PublishedFile
    mirrors: tuple[str, ...]
    package: Path | None = None


def _idx_bytes(images: int) -> int:
    """Size of an idx file of images of 28 x 28: a header of 16 bytes, then one byte a pixel."""
    return 16 + images * 28 * 28


FASHION_MNIST = PublishedSource(
    name="fashion-mnist",
    title="Fashion-MNIST",
    origin="Fashion-MNIST, Zalando Research 2017, https://github.com/zalandoresearch/fashion-mnist",
    licence="MIT, copyright 2017 Zalando SE",
    train=PublishedFile(
        "train-images-idx3-ubyte",
        _idx_bytes(60000),
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    test=PublishedFile(
        "t10k-images-idx3-ubyte",
        _idx_bytes(10000),
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    package=FASHION_MNIST_PACKAGE,
)

MNIST = PublishedSource(
    name="mnist",
    title="MNIST",
    origin="MNIST, LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/",
    licence="not stated by its publishers; CC BY-SA 3.0, copyright LeCun and Cortes, "
    "according to the Keras documentation",
    train=PublishedFile(
        "train-images-idx3-ubyte",
        _idx_bytes(60000),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    test=PublishedFile(
        "t10k-images-idx3-ubyte",
        _idx_bytes(10000),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)

PUBLISHED = {source.name: source for source in (FASHION_MNIST, MNIST)}

DIGITS_ORIGIN = (
    "Optical recognition of handwritten digits, Alpaydin and Kaynak 1998, "
    "as embedded in scikit-learn"
)
DIGITS_LICENCE = "BSD-3-Clause, as distributed with scikit-learn"
DIGITS_SHA256 = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"


def known_as(sha256: str) -> str | None:
    """What an unpacked file of this digest is, for error messages: all names are alike."""
    for source in PUBLISHED.values():
        for part, file in (("training", source.train), ("test", source.test)):
            if file.sha256 == sha256:
                return f"the {part} images of {source.title}"
    return None
