"""The parameters and gradients of a model, each in one tensor."""

import itertools

import torch
from torch import Tensor

from elboflow.vae.model.networks import VAE


class FlatParameters:
    """All parameters in one tensor, all gradients in one buffer: a step needs one allreduce.

    The buffer ends in three more slots, for the batch's sums of objective, rate and distortion:
    every rank then knows the same totals, takes the same decisions, and can save them at any step.
    (They have the gradient's precision, 1e-7 of a batch's sum in float32; sums over batches, and
    validation and evaluation altogether, are float64.)
    """

    def __init__(self, vae: VAE) -> None:
        parameters = list(vae.parameters())
        bounds = list(itertools.accumulate((p.numel() for p in parameters), initial=0))
        self.places = {
            name: (start, stop, parameter.shape)
            for (name, parameter), (start, stop) in zip(
                vae.named_parameters(), itertools.pairwise(bounds), strict=True
            )
        }
        values = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
        self.buffer = values.new_zeros(bounds[-1] + 3)
        self.values = torch.nn.Parameter(values)
        self.values.grad = self.buffer[:-3]
        for parameter, (start, stop, shape) in zip(parameters, self.places.values(), strict=True):
            parameter.data = values[start:stop].view(shape)
            parameter.grad = self.buffer[start:stop].view(shape)

    @property
    def gradient(self) -> Tensor:
        return self.buffer[:-3]

    def by_name(self, values: Tensor) -> dict[str, Tensor]:
        """Copies of the single parameters in a tensor of all of them: a state_dict."""
        return {
            name: values[start:stop].view(shape).clone()
            for name, (start, stop, shape) in self.places.items()
        }
