"""A masked autoencoder, MADE (arXiv:1502.03509): each pixel given those before it.

log p(x) of binary images is exact: there is no latent variable.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class MaskedLinear(nn.Linear):
    """A layer of which the mask's zeros cut connections, shape (outputs, inputs)."""

    def __init__(self, mask: Tensor) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask.float())

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.mask, self.bias)


class MADE(nn.Module):
    def __init__(self, shape: list[int], width: int = 500) -> None:
        super().__init__()
        self.shape = shape
        pixels = torch.arange(math.prod(shape))
        seen = torch.arange(width) % max(1, len(pixels) - 1)  # the last pixel that a unit may see
        self.layers = nn.Sequential(
            MaskedLinear(pixels <= seen[:, None]),
            nn.ELU(),
            MaskedLinear(seen <= seen[:, None]),
            nn.ELU(),
            MaskedLinear(seen < pixels[:, None]),
        )

    def log_prob(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return -functional.binary_cross_entropy_with_logits(
            self.layers(x), x, reduction="none"
        ).sum(1)

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        x = self.layers[0].weight.new_zeros(count, math.prod(self.shape))
        for pixel in range(x.shape[1]):
            x[:, pixel] = torch.bernoulli(self.layers(x)[:, pixel].sigmoid())
        return x.unflatten(1, self.shape)
