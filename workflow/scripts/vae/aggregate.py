"""The aggregate posterior q(z) = (1/N) sum_n q(z | x_n) of N images, and how it splits the rate:

    rate = I(n; z) + KL(q(z) || p(z)),

the mutual information of image and z, at most log N, and the marginal KL: how far from the prior
the decoder is used. Hoffman and Johnson, ELBO surgery, NIPS 2016 workshop on advances in
approximate Bayesian inference.
"""

import math

import torch
from torch import Tensor

from vae.estimate import chunks
from vae.networks import VAE

DRAWS = 10_000  # of z over all images together, but at least two for each
IMAGES_AT_ONCE = 500


class AggregatePosterior:
    """q(z) of the images x, shape (N, D). Its cost grows with N squared.

    Not of a flow: the density of a z that another image gave takes it L passes.
    """

    def __init__(self, vae: VAE, x: Tensor) -> None:
        self.vae, self.images = vae, len(x)
        self.posteriors = [
            vae.encode(x[first : first + count])
            for first, count in chunks(self.images, IMAGES_AT_ONCE)
        ]

    @property
    def draws(self) -> int:
        """How many draws of each image's z give estimates worth their cost."""
        return max(2, DRAWS // self.images)

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z) in nats, shape (..., L) to (...)."""
        given = torch.cat([q.log_prob_of_each(z) for q in self.posteriors], dim=-1)
        return given.double().logsumexp(-1) - math.log(self.images)

    def marginal_terms(self, z: Tensor) -> Tensor:
        """log q(z) - log p(z) in nats, shape (K, B, L) to (K, B): over z ~ q(z) its mean is the KL.

        The mean over z ~ q(z | x_n) is image n's part of it.
        """
        return self.log_prob(z) - self.vae.prior.log_prob(z).double()
