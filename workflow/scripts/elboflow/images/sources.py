"""The published files: digests, mirrors and licences.

Digests are those of the unpacked bytes. The packed files differ from one distributor to the
next (Debian rewrites the gzip header), so a digest of the packed bytes would prove nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from elboflow.images.published import read_amat, read_chardata, read_idx_files, read_spambase

FASHION_MNIST_PACKAGE = Path("/usr/share/datasets/fashion-mnist")  # Debian: dataset-fashion-mnist
GITHUB_LIMIT = 100 << 20  # bytes; GitHub keeps no larger file


@dataclass(frozen=True)
class PublishedFile:
    """One file; size and digest are those of the unpacked bytes.

    The digest is the sha256 or, where a git repository is all that has it on record, the name that
    git gives to the content. A size that is on no record is None.
    """

    name: str
    size: int | None
    sha256: str | None = None
    git_blob: str | None = None
    packing: str = ".gz"  # what a mirror adds to the name

    @property
    def most(self) -> int:
        """Bytes that the file can have."""
        return GITHUB_LIMIT if self.size is None else self.size


@dataclass(frozen=True)
class PublishedSource:
    """A data set that is published as one or more files.

    `read` makes arrays by part out of the contents, which come by the keys of `files`. Pixels are
    0 to `levels`. What is among TABLES holds no images.
    """

    name: str
    title: str
    origin: str
    licence: str
    files: Mapping[str, PublishedFile]
    read: Callable[[Mapping[str, bytes]], dict[str, NDArray[Any]]]
    mirrors: tuple[str, ...]
    package: Path | None = None
    levels: int = 255


def _idx_bytes(images: int) -> int:
    """Size of an idx file of images of 28 x 28: a header of 16 bytes, then one byte a pixel."""
    return 16 + images * 28 * 28


def _amat_bytes(images: int) -> int:
    """Size of an amat file of images of 28 x 28: a digit and a blank or newline for each pixel."""
    return images * 28 * 28 * 2


FASHION_MNIST = PublishedSource(
    name="fashion-mnist",
    title="Fashion-MNIST",
    origin="Fashion-MNIST, Zalando Research 2017, https://github.com/zalandoresearch/fashion-mnist",
    licence="MIT, copyright 2017 Zalando SE",
    files={
        "train": PublishedFile(
            "train-images-idx3-ubyte",
            _idx_bytes(60000),
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        "test": PublishedFile(
            "t10k-images-idx3-ubyte",
            _idx_bytes(10000),
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
    },
    read=read_idx_files,
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
    files={
        "train": PublishedFile(
            "train-images-idx3-ubyte",
            _idx_bytes(60000),
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        "test": PublishedFile(
            "t10k-images-idx3-ubyte",
            _idx_bytes(10000),
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
    },
    read=read_idx_files,
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)

# Sizes and digests: TensorFlow Datasets, url_checksums/binarized_mnist.txt.
BINARIZED_MNIST = PublishedSource(
    name="binarized-mnist",
    title="binarised MNIST",
    origin="MNIST, binarised once and published by Larochelle, "
    "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",
    licence="not stated by its publisher; that of MNIST is CC BY-SA 3.0, copyright LeCun and "
    "Cortes, according to the Keras documentation",
    files={
        "train": PublishedFile(
            "binarized_mnist_train.amat",
            _amat_bytes(50000),
            "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d",
            packing="",
        ),
        "validation": PublishedFile(
            "binarized_mnist_valid.amat",
            _amat_bytes(10000),
            "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2",
            packing="",
        ),
        "test": PublishedFile(
            "binarized_mnist_test.amat",
            _amat_bytes(10000),
            "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c",
            packing="",
        ),
    },
    read=read_amat,
    mirrors=(
        "https://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",
        "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",
    ),
    levels=1,
)

OMNIGLOT = PublishedSource(
    name="omniglot",
    title="Omniglot",
    origin="Omniglot, Lake, Salakhutdinov and Tenenbaum 2015, "
    "https://github.com/brendenlake/omniglot; the drawings of 105 x 105 pixels as made 28 x 28 by "
    "Burda, Grosse and Salakhutdinov 2015 (chardata.mat of https://github.com/yburda/iwae, "
    "git blob 016a3536ffe5e1d38e42563a18d7a78bfaf643ec); turned upright as in their datasets.py, "
    "and their numbers from 0 to 1 rounded to the nearest k/255",
    licence="MIT, copyright 2015 Brenden Lake, for the drawings; not stated for chardata.mat",
    files={
        "all": PublishedFile(
            "chardata.mat",
            None,
            git_blob="016a3536ffe5e1d38e42563a18d7a78bfaf643ec",
            packing="",
        )
    },
    read=read_chardata,
    mirrors=(
        "https://raw.githubusercontent.com/yburda/iwae/"
        "78a6075484bd7dd6f47a4bb9880d2295bc7a5220/datasets/OMNIGLOT/",
        "https://github.com/yburda/iwae/raw/master/datasets/OMNIGLOT/",
    ),
)

SPAMBASE = PublishedSource(
    name="spambase",
    title="Spambase",
    origin="Spambase, Hopkins, Reeber, Forman and Suermondt 1999, UCI Machine Learning Repository, "
    "https://doi.org/10.24432/C53G6X",
    licence="CC BY 4.0, according to the documentation of the R package qwraps2",
    files={
        "table": PublishedFile(
            "spambase.data",
            702942,
            "b1ef93de71f97714d3d7d4f58fc9f718da7bbc8ac8a150eff2778616a8097b12",
            packing="",
        )
    },
    read=read_spambase,
    mirrors=("https://archive.ics.uci.edu/ml/machine-learning-databases/spambase/",),
)

TABLE_SOURCES = {SPAMBASE.name: SPAMBASE}
PUBLISHED_SOURCES = {
    source.name: source for source in (FASHION_MNIST, MNIST, BINARIZED_MNIST, OMNIGLOT, SPAMBASE)
}

DIGITS_ORIGIN = (
    "Optical recognition of handwritten digits, Alpaydin and Kaynak 1998, "
    "as embedded in scikit-learn"
)
DIGITS_LICENCE = "BSD-3-Clause, as distributed with scikit-learn"
DIGITS_SHA256 = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"


def known_as(sha256: str) -> str | None:
    """What an unpacked file of this digest is, for error messages: many names are alike."""
    what = {"train": "training images", "validation": "validation images", "test": "test images"}
    for source in PUBLISHED_SOURCES.values():
        for part, file in source.files.items():
            if file.sha256 == sha256:
                return f"the {what.get(part, part)} of {source.title}"
    return None
