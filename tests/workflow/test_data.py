"""When Snakemake prepares data again, and which files of a table it knows of."""

import os

import numpy as np
import pytest
from PIL import Image

PIXELS = np.random.Philox(1).random_raw(12 * 12).astype(np.uint8).reshape(12, 2, 2, 3)
TARGET = "results/data/mine/manifest.json"
UP_TO_DATE = {}


def configure(fresh, tiny, path):
    config = tiny()
    mine = {"source": "file", "path": path, "validation_images": 2, "test_images": 2}
    config["datasets"] = {**config["datasets"], "mine": mine}
    fresh.configure(config)


@pytest.mark.fault(
    "a folder of PNG files whose names, and its own, hold braces, quotes and blanks",
    outcome="prepared, and again when an image changes, comes or goes",
)
def test_another_file_in_a_folder_of_images_is_new_data(fresh, tiny):
    folder = fresh.folder / "my {run}'s images"
    folder.mkdir()
    for place, image in enumerate(PIXELS):
        Image.fromarray(image).save(folder / f"{{seed}} '{place:02}.png")
    configure(fresh, tiny, folder.name)
    fresh.run(TARGET)
    assert np.load(fresh.folder / "results/data/mine/train.npy").shape == (8, 12)
    for path in folder.iterdir():
        path.touch()
    assert fresh.planned(TARGET) == UP_TO_DATE
    Image.fromarray(255 - PIXELS[3]).save(folder / "{seed} '03.png")
    assert fresh.planned(TARGET) == {"fetch_data": 1}
    fresh.run(TARGET)
    (folder / "{seed} '11.png").unlink()
    assert fresh.planned(TARGET) == {"fetch_data": 1}


def test_a_plan_names_the_folder_and_not_each_image(fresh, tiny):
    (fresh.folder / "images").mkdir()
    for place, image in enumerate(PIXELS):
        Image.fromarray(image).save(fresh.folder / "images" / f"image{place}.png")
    configure(fresh, tiny, "images")
    plan = fresh.snakemake("-n", TARGET).stdout
    assert ", images\n" in plan and "image1" not in plan


@pytest.mark.fault(
    "a file of data to whose place an older one is moved, and a dash in front of its name",
    outcome="prepared again, and not for another time of the same content",
)
def test_an_older_file_in_the_place_of_another_is_new_data(fresh, tiny):
    file, older = fresh.folder / "-mine.npz", fresh.folder / "older.npz"
    np.savez(file, train=PIXELS)
    np.savez(older, train=255 - PIXELS)
    os.utime(older, (0, 0))
    configure(fresh, tiny, file.name)
    fresh.run(TARGET)
    file.touch()
    assert fresh.planned(TARGET) == UP_TO_DATE
    older.replace(file)
    assert fresh.planned(TARGET) == {"fetch_data": 1}
    fresh.run(TARGET)
    train = np.load(fresh.folder / "results/data/mine/train.npy")
    assert {row.tobytes() for row in train} < {(255 - image).tobytes() for image in PIXELS}
    assert fresh.planned(TARGET) == UP_TO_DATE


def test_a_table_has_files_of_its_own(fresh, tiny):
    config = tiny()
    config["datasets"] = {**config["datasets"], "mails": {"source": "spambase", "test_images": 600}}
    fresh.configure(config)
    for name in ("train", "train_labels", "validation_labels", "test"):
        assert fresh.planned(f"results/data/mails/{name}.npy") == {"fetch_table": 1}
    result = fresh.snakemake("-n", "results/data/mails/test_binary.npy")
    assert result.returncode != 0
