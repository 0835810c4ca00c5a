"""What the two kinds of models that users write have in common."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from elboflow.vae.arithmetic import PARAMETERS
from elboflow.vae.data import ImageShape
from elboflow.vae.model.model import Model
from elboflow.vae.model.own.module import OwnModelError, build
from elboflow.vae.spec import TrainingSpec


class Lifted(Model):
    """A user's module as a Model, whose parameters have the names that the module gives them."""

    def __init__(self, spec: TrainingSpec, shape: ImageShape, own: Any) -> None:
        super().__init__()
        if spec.precision == "bf16":
            raise OwnModelError("precision: bf16 is for built-in models, choose float32 or tf32")
        self.spec, self.shape, self.precision = spec, shape, spec.precision
        self.own: Any = own.to(PARAMETERS[spec.precision])

    def initialise(self, seed: int, mean_image: Tensor) -> None:
        """As the module's constructor does, with torch's generator at this seed."""
        self.own.load_state_dict(build(self.spec, seed).state_dict())

    def named_parameters(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, nn.Parameter]]:
        return self.own.named_parameters(*args, **kwargs)

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        return self.own.state_dict(*args, **kwargs)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        return self.own.load_state_dict(state_dict, strict, assign)
