"""The parameters of a model in one tensor, and its gradients in another."""

import itertools

import torch
from torch import Tensor

from elboflow.vae.model.model import Model


class FlatParameters:
    """All parameters in one tensor, so that a step of the optimiser is one call.

    Their gradients come in a buffer of the same order that ends in three more numbers, the batch's
    sums of objective, rate and distortion: a step needs one allreduce, and every rank then knows
    the same totals, takes the same decisions, and can save them at any step. (They have the
    gradient's precision, 1e-7 of a batch's sum in float32; sums over batches, and validation and
    evaluation altogether, are float64.)
    """

    def __init__(self, vae: Model) -> None:
        parameters = list(vae.parameters())
        bounds = list(itertools.accumulate((p.numel() for p in parameters), initial=0))
        self.places = {
            name: (start, stop, parameter.shape)
            for (name, parameter), (start, stop) in zip(
                vae.named_parameters(), itertools.pairwise(bounds), strict=True
            )
        }
        values = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
        self.values = torch.nn.Parameter(values)
        for parameter, view in zip(parameters, self.by_name(values).values(), strict=True):
            parameter.data = view

    def by_name(self, values: Tensor) -> dict[str, Tensor]:
        """Views of the single parameters in a tensor of all of them."""
        return {
            name: values[start:stop].view(shape)
            for name, (start, stop, shape) in self.places.items()
        }
