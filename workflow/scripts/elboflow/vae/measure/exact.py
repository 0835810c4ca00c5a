"""Exact log p(x), of models that have it."""

import numpy as np
import torch
from torch import Tensor

from elboflow.vae.measure.estimate import chunks
from elboflow.vae.model import enumeration
from elboflow.vae.model.draws import log_likelihood
from elboflow.vae.model.exact_linear import is_linear_gaussian, linear_gaussian
from elboflow.vae.model.model import Model

AT_ONCE = 100  # images, each with all values of a discrete z


@torch.no_grad()
def exact_log_likelihood(vae: Model, x: Tensor) -> np.ndarray | None:
    """Exact log p(x) in nats of images (N, D), shape (N,), float64.

    None of a model that has no exact value, as where products are rounded.
    """
    if vae.rounds_products:
        return None
    pieces = (x[first : first + count] for first, count in chunks(len(x), AT_ONCE))
    if not vae.has_latents:
        exact = [log_likelihood(vae, piece, piece.new_zeros(1, len(piece), 0)) for piece in pieces]
        return torch.cat(exact, 1)[0].double().cpu().numpy()
    if vae.prior.discrete:
        exact = [enumeration.exact_log_likelihood(vae, piece) for piece in pieces]
        return torch.cat(exact).double().cpu().numpy()
    if not is_linear_gaussian(vae):
        return None
    return linear_gaussian(vae).log_likelihood(x.double().cpu().numpy())
