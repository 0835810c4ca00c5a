"""Models as users write them, for images of 3 x 4 pixels unless told otherwise."""

import torch
from torch import nn
from torch.distributions import (
    Bernoulli,
    Categorical,
    Gamma,
    Independent,
    Laplace,
    LowRankMultivariateNormal,
    MultivariateNormal,
    Normal,
    TransformedDistribution,
)
from torch.distributions.transforms import TanhTransform

import elboflow

H, W = 3, 4
PIXELS = H * W


def flat(x):
    return x.flatten(1)


class Plain(nn.Module):
    """The networks of the built-in VAE of one hidden layer each, under other names."""

    def __init__(self, height=H, width=W, latent_dim=2, hidden=8):
        super().__init__()
        self.image, pixels = (1, height, width), height * width
        self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.Tanh())
        self.mean = nn.Linear(hidden, latent_dim)
        self.log_sd = nn.Linear(hidden, latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.Tanh(), nn.Linear(hidden, pixels)
        )
        self.register_buffer("zeros", torch.zeros(latent_dim))

    def normal(self, mean, sd):
        return Independent(Normal(mean, sd), 1)

    def prior(self):
        return self.normal(self.zeros, torch.ones_like(self.zeros))

    def posterior(self, x):
        h = self.encoder(flat(x))
        return self.normal(self.mean(h), self.log_sd(h).exp())

    def pixels(self, z):
        return self.decoder(z).view(-1, *self.image)

    def likelihood(self, z):
        return Independent(Bernoulli(logits=self.pixels(z)), 3)


class LearnedPrior(Plain):
    def __init__(self):
        super().__init__()
        self.width = nn.Parameter(torch.zeros(2))

    def prior(self):
        return self.normal(self.zeros, self.width.exp())


class FullRank(Plain):
    def posterior(self, x):
        q = super().posterior(x).base_dist
        return MultivariateNormal(q.loc, scale_tril=torch.diag_embed(q.scale))


class LowRank(Plain):
    def posterior(self, x):
        q = super().posterior(x).base_dist
        return LowRankMultivariateNormal(q.loc, q.loc[..., None], q.scale.square())


class Heavy(Plain):
    def normal(self, mean, sd):
        return Independent(Laplace(mean, sd), 1)


class Squashed(Plain):
    def normal(self, mean, sd):
        base = Independent(Normal(mean, sd), 1)
        return TransformedDistribution(base, [TanhTransform()])


class Positive(Plain):
    """Draws of a Gamma are no function of normal noise."""

    def normal(self, mean, sd):
        return Independent(Gamma(1 + mean.abs(), 1 + sd), 1)


class Levels(Plain):
    def __init__(self, levels=16):
        super().__init__()
        self.levels = levels
        self.decoder = nn.Sequential(nn.Linear(2, PIXELS * (levels + 1)))

    def posterior(self, x):
        return super().posterior(x / self.levels)

    def likelihood(self, z):
        logits = self.decoder(z).view(-1, 1, H, W, self.levels + 1)
        return Independent(Categorical(logits=logits), 3)


class Grey(Plain):
    def likelihood(self, z):
        return Independent(Normal(self.pixels(z).sigmoid(), 0.3), 3)


class Ladder(Plain):
    """p(z2) p(z1 | z2), and q(z1 | x) q(z2 | z1, x): drawn in the other order."""

    def __init__(self, **options):
        super().__init__(**options)
        self.down = nn.Linear(1, 2)
        self.up = nn.Linear(2 + 8, 1)

    def prior(self):
        top = self.normal(self.zeros[:1], torch.ones_like(self.zeros[:1]))
        return elboflow.Groups(z2=top, z1=lambda z2: self.normal(self.down(z2), 0.5))

    def posterior(self, x):
        h = self.encoder(flat(x))

        def second(z1):
            mean = self.up(torch.cat([z1, h.expand(*z1.shape[:-1], -1)], -1))
            return self.normal(mean, 0.7)

        first = self.normal(self.mean(h), self.log_sd(h).exp())
        return elboflow.Groups(z1=first, z2=second)

    def likelihood(self, z):
        return super().likelihood(z[:, 1:])  # z2 comes first, as in the prior


class Autoregressive(nn.Module):
    """Each pixel given those before it."""

    def __init__(self, height=H, width=W):
        super().__init__()
        self.image, pixels = (1, height, width), height * width
        self.weight = nn.Parameter(torch.randn(pixels, pixels) / pixels**0.5)
        self.bias = nn.Parameter(torch.zeros(pixels))

    def log_prob(self, x):
        x = flat(x)
        logits = x @ self.weight.tril(-1).T + self.bias
        return Independent(Bernoulli(logits=logits), 1).log_prob(x)

    def sample(self, count):
        x = torch.zeros(count, len(self.bias), dtype=self.bias.dtype)
        for pixel in range(len(self.bias)):
            logits = x @ self.weight.tril(-1).T + self.bias
            x[:, pixel] = torch.bernoulli(logits[:, pixel].sigmoid())
        return x.view(count, *self.image)


class BatchNorm(Plain):
    def __init__(self, height=H, width=W):
        super().__init__(height, width)
        self.encoder = nn.Sequential(nn.Linear(height * width, 8), nn.BatchNorm1d(8))


class SumOverTheBatch(Plain):
    def pixels(self, z):
        return super().pixels(z) + z.mean()


class Deaf(Plain):
    def posterior(self, x):
        return super().posterior(0 * x)


class Idle(Plain):
    def __init__(self):
        super().__init__()
        self.spare = nn.Linear(3, 3)


class Dropout(Plain):
    def __init__(self):
        super().__init__()
        self.encoder.append(nn.Dropout(0.5))


class NotAnImage(Plain):
    def likelihood(self, z):
        return Independent(Bernoulli(logits=self.decoder(z)), 1)


class NotIndependent(Plain):
    def normal(self, mean, sd):
        return Normal(mean, sd)


class OtherScale(Grey):
    def likelihood(self, z):
        return Independent(Normal(127 + self.pixels(z), 30.0), 3)


class OneLevelShort(Levels):
    def __init__(self):
        super().__init__(levels=15)


class Discrete(Plain):
    def posterior(self, x):
        return Independent(Bernoulli(logits=super().posterior(x).base_dist.loc), 1)

    def prior(self):
        return Independent(Bernoulli(logits=self.zeros), 1)


class Seedless(Plain):
    def __init__(self):
        super().__init__()
        import numpy as np

        noise = np.random.default_rng().normal(size=PIXELS)
        self.decoder[-1].bias.data.copy_(torch.from_numpy(noise))


class Raises(Plain):
    def posterior(self, x):
        return self.mean(x)


class Returns(Plain):
    def likelihood(self, z):
        return self.decoder(z)


class NoGradient(Plain):
    def __init__(self):
        super().__init__()
        self.mean.weight.requires_grad_(False)


class Infinite(Plain):
    def likelihood(self, z):
        return Independent(Bernoulli(logits=self.pixels(z) / 0), 3)


class Overwrites(Plain):
    def posterior(self, x):
        return super().posterior(x.mul_(2).sub_(1))


class OverwritesZ(Plain):
    def likelihood(self, z):
        return super().likelihood(z.mul_(2))


class Squeezes(Plain):
    """Of one image alone it takes the first latent for the first image."""

    def posterior(self, x):
        q = super().posterior(x).base_dist
        mean = q.loc.squeeze()
        scaled = torch.cat([2 * mean[..., :1], mean[..., 1:]], -1) if mean.ndim > 1 else mean
        return self.normal(scaled.view(len(x), -1), q.scale)


class Averages(Autoregressive):
    def log_prob(self, x):
        return super().log_prob(x) / len(self.bias)


class Scaled(nn.Module):
    """A density of grey levels 0 .. 255 that is given level / 255, and forgets to say so."""

    def __init__(self):
        super().__init__()
        self.mean = nn.Parameter(torch.full((PIXELS,), 100.0))

    def log_prob(self, x):
        return Independent(Normal(self.mean, 30.0), 1).log_prob(255 * flat(x))

    def sample(self, count):
        noise = torch.randn(count, PIXELS, dtype=self.mean.dtype)
        return (self.mean + 30 * noise).view(count, 1, H, W) / 255
