import pytest
import torch

from elboflow.vae import checkpoint

STATE = {"step": 3, "values": torch.arange(4.0), "metrics": [{"epoch": 1}], "best": None}


def save(folder, step):
    checkpoint.save(folder / "checkpoint.pt", checkpoint.serialise({**STATE, "step": step}))


def step_of(content):
    return checkpoint.deserialise(content)["step"]


def test_what_was_saved_is_read_back(tmp_path):
    save(tmp_path / "state", 3)
    content, problems = checkpoint.newest(tmp_path / "state")
    state = checkpoint.deserialise(content)
    assert problems == []
    assert torch.equal(state.pop("values"), STATE["values"])
    assert state == {"step": 3, "metrics": [{"epoch": 1}], "best": None}
    assert [file.name for file in (tmp_path / "state").iterdir()] == ["checkpoint.pt"]


def damage_end(content):
    return content[:-1]


def damage_bit(content):
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


@pytest.mark.parametrize("damage", [damage_end, damage_bit, lambda content: b""])
def test_a_damaged_checkpoint_is_named_and_the_one_before_serves(tmp_path, damage):
    save(tmp_path, 1)
    save(tmp_path, 2)
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(damage(path.read_bytes()))
    content, problems = checkpoint.newest(tmp_path)
    assert step_of(content) == 1
    assert len(problems) == 1
    assert "checkpoint.pt: truncated or damaged" in problems[0]
    assert (tmp_path / "checkpoint.damaged").exists()


def test_a_kill_in_the_middle_of_a_save_leaves_the_one_before(tmp_path):
    save(tmp_path, 1)
    (tmp_path / "checkpoint.pt").replace(tmp_path / "previous.pt")
    content, problems = checkpoint.newest(tmp_path)
    assert (step_of(content), problems) == (1, [])


def test_an_empty_folder_has_no_checkpoint(tmp_path):
    assert checkpoint.newest(tmp_path) == (None, [])


def test_a_folder_in_place_of_a_checkpoint_is_set_aside(tmp_path):
    save(tmp_path, 1)
    (tmp_path / "checkpoint.pt").replace(tmp_path / "previous.pt")
    (tmp_path / "checkpoint.pt" / "inside").mkdir(parents=True)
    content, problems = checkpoint.newest(tmp_path)
    assert step_of(content) == 1
    assert [problem.partition(":")[0] for problem in problems] == ["is a directory"]
    save(tmp_path, 2)
    assert step_of(checkpoint.newest(tmp_path)[0]) == 2


def test_a_checkpoint_of_another_training_is_not_believed(tmp_path):
    saved = checkpoint.serialise({**STATE, "digest": "a"})
    checkpoint.save(tmp_path / "checkpoint.pt", saved)
    assert checkpoint.newest(tmp_path, "a") == (saved, [])
    content, problems = checkpoint.newest(tmp_path, "b")
    assert content is None
    assert problems == [f"{tmp_path}/checkpoint.pt: of another training"]


def test_digest_tells_lists_of_parts_apart():
    lists = [["a", "b"], ["ab"], ["", "ab"], ["b", "a"], ["a", b"b", ""]]
    assert len({checkpoint.digest(parts) for parts in lists}) == len(lists)
