"""Words of a command line from resolved keys."""

import hashlib

import pytest

from elboflow.specification.flags import (
    content_sha256,
    dataset_flags,
    optional_flags,
    path_in_plan,
)

NONE = {"path": None, "data_dir": None, "validation_images": None, "test_images": 7, "mirrors": []}


def test_keys_without_a_value_have_no_flag():
    values = {"one": None, "two_words": "x", "several": [1, 2], "none": [], "zero": 0}
    assert optional_flags(values, values) == ["--two-words", "x", "--several", "1", "2"]


def test_a_data_set_of_a_known_source_has_what_is_given():
    assert dataset_flags(NONE) == ["--test-images", "7"]
    mirrors = {**NONE, "data_dir": "-odd", "mirrors": ["https://a", "https://b"]}
    assert dataset_flags(mirrors) == [
        "--data-dir=-odd",
        *("--test-images", "7", "--mirrors", "https://a", "https://b"),
    ]


def test_the_users_own_file_is_told_with_its_content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "own.npy"
    file.write_bytes(b"images")
    digest = content_sha256(str(file))
    assert digest == hashlib.sha256(b"images").hexdigest()
    flags = dataset_flags({**NONE, "path": str(file)})
    assert flags[:2] == [f"--path={file}", f"--sha256={digest}"]


def test_what_cannot_be_read_has_no_digest_of_its_own(tmp_path):
    assert content_sha256(str(tmp_path / "gone.npy")) == "unknown"


@pytest.mark.parametrize(
    ("path", "named"), [(None, []), ("./own.npy", "own.npy"), ("own{run}.npy", [])]
)
def test_the_plan_names_the_file_but_for_what_snakemake_takes_for_wildcards(path, named):
    assert path_in_plan({"path": path}) == named
