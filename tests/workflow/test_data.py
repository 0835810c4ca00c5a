"""When Snakemake prepares data again, and which files of a table it knows of."""

import numpy as np
from PIL import Image


def test_another_file_in_a_folder_of_images_is_new_data(fresh, tiny):
    folder = fresh.folder / "images"
    folder.mkdir()
    pixels = np.random.Philox(1).random_raw(12 * 12).astype(np.uint8).reshape(12, 2, 2, 3)
    for place, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{place:02}.png")
    config = tiny()
    mine = {"source": "file", "path": "images", "validation_images": 2, "test_images": 2}
    config["datasets"] = {**config["datasets"], "mine": mine}
    fresh.configure(config)
    target = "results/data/mine/manifest.json"
    fresh.run(target)
    assert np.load(fresh.folder / "results/data/mine/train.npy").shape == (8, 12)
    assert "fetch_data" not in fresh.planned(target)
    Image.fromarray(255 - pixels[3]).save(folder / "03.png")
    assert fresh.planned(target)["fetch_data"] == 1
    fresh.run(target)
    (folder / "11.png").unlink()
    assert fresh.planned(target)["fetch_data"] == 1


def test_a_table_has_files_of_its_own(fresh, tiny):
    config = tiny()
    config["datasets"] = {**config["datasets"], "mails": {"source": "spambase", "test_images": 600}}
    fresh.configure(config)
    for name in ("train", "train_labels", "validation_labels", "test"):
        assert fresh.planned(f"results/data/mails/{name}.npy") == {"fetch_table": 1}
    result = fresh.snakemake("-n", "results/data/mails/test_binary.npy")
    assert result.returncode != 0
