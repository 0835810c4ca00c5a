"""Weights that were trained elsewhere are read without running code, and fit or are refused."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from elboflow.vae.given_weights import WeightsError, load_weights

State = dict[str, Tensor]


@pytest.fixture
def model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


@pytest.fixture
def state() -> State:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).state_dict()


def assert_loaded(model: nn.Module, state: State) -> None:
    found = model.state_dict()
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


@pytest.mark.parametrize("entry", [None, "state_dict", "model_state_dict", "model"])
def test_a_state_dict_is_loaded_alone_or_from_a_file_of_a_whole_training(
    model: nn.Module, state: State, tmp_path: Path, entry: str | None
) -> None:
    path = tmp_path / "weights.pt"
    torch.save({"epoch": 3, entry: state} if entry else state, path)
    load_weights(model, path)
    assert_loaded(model, state)


def test_safetensors_are_loaded(model: nn.Module, state: State, tmp_path: Path) -> None:
    save_file(state, tmp_path / "weights.safetensors")
    load_weights(model, tmp_path / "weights.safetensors")
    assert_loaded(model, state)


def test_weights_of_another_type_are_converted(
    model: nn.Module, state: State, tmp_path: Path
) -> None:
    doubles = {k: v.double() if v.is_floating_point() else v for k, v in state.items()}
    torch.save(doubles, tmp_path / "weights.pt")
    load_weights(model, tmp_path / "weights.pt")
    assert_loaded(model, state)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: {k: v for k, v in s.items() if k != "0.bias"}, "parameters missing: 1 (0.bias)"),
        (lambda s: {**s, "more": torch.ones(2)}, "parameters unknown to the model: 1 (more)"),
        (
            lambda s: {**s, "0.weight": torch.ones(2, 4)},
            "parameters of another shape: 1 (0.weight 2x4 for 2x3)",
        ),
        (
            lambda s: {**s, "1.num_batches_tracked": torch.ones(1)},
            "parameters of another shape: 1 (1.num_batches_tracked 1 for scalar)",
        ),
        (
            lambda s: {**s, "0.bias": torch.tensor([0, torch.nan])},
            "parameters not finite: 1 (0.bias)",
        ),
        (
            lambda s: {f"module.{k}": v for k, v in s.items()},
            "parameters missing: 7 (0.weight, 0.bias, 1.weight, 1.bias, …); unknown to the model: "
            "7 (module.0.weight, module.0.bias, module.1.weight, module.1.bias, …)",
        ),
        (lambda s: {**s, "more": 1}, "has no tensors by their names; save model.state_dict()"),
        (lambda s: list(s.values()), "has no tensors by their names; save model.state_dict()"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_the_model_stays(
    model: nn.Module, state: State, tmp_path: Path, change: Callable[[State], Any], said: str
) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    path = tmp_path / "weights.pt"
    torch.save(change(state), path)
    with pytest.raises(WeightsError) as error:
        load_weights(model, path)
    assert str(error.value) == f"{path}: {said}"
    assert_loaded(model, before)


class Hostile:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('code of the file was run')",)


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"", b"any bytes", pickle.dumps(Hostile()), b"PK\3\4 cut off"])
def test_what_holds_no_weights_is_refused_in_one_line(
    model: nn.Module, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read as tensors by their names") as error:
        load_weights(model, tmp_path / name)
    assert "\n" not in str(error.value)


def test_objects_of_classes_are_refused(model: nn.Module, tmp_path: Path) -> None:
    torch.save(model, tmp_path / "weights.pt")
    with pytest.raises(WeightsError, match="cannot be read as tensors by their names"):
        load_weights(model, tmp_path / "weights.pt")
