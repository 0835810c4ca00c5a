"""Adam on all parameters at once."""

import torch
from torch import Tensor
from torch.optim.adam import adam

from elboflow.vae.spec import TrainingSpec


class Adam:
    """Kingma and Ba, arXiv:1412.6980, algorithm 1, by torch's fused kernel.

    The class torch.optim.Adam would import torch's compiler, a second of each rank's start.

    Args:
        values: the parameters, of any shape, changed in place.
    """

    def __init__(self, values: Tensor, spec: TrainingSpec) -> None:
        self.values, self.spec = values, spec
        self.mean, self.square = torch.zeros_like(values), torch.zeros_like(values)
        self.steps = torch.zeros((), device=values.device)

    def step(self, gradient: Tensor, learning_rate: float) -> None:
        """Go one step against the gradient, of the parameters' shape."""
        adam(
            [self.values],
            [gradient],
            [self.mean],
            [self.square],
            [],
            [self.steps],
            fused=True,
            amsgrad=False,
            beta1=self.spec.adam_beta1,
            beta2=self.spec.adam_beta2,
            lr=learning_rate,
            weight_decay=0.0,
            eps=self.spec.adam_epsilon,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        return {"mean": self.mean, "square": self.square, "steps": self.steps}

    def load_state(self, state: dict[str, Tensor]) -> None:
        for name, tensor in self.state().items():
            tensor.copy_(state[name])
