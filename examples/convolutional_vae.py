"""A VAE whose encoder and decoder are convolutions, for binary images."""

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal


class ConvolutionalVAE(nn.Module):
    """Height and width of the images are multiples of four."""

    def __init__(self, shape: list[int], latent_dim: int = 10, width: int = 32) -> None:
        super().__init__()
        colours, height, width_of_image = shape
        small = (2 * width, height // 4, width_of_image // 4)
        features = small[0] * small[1] * small[2]
        self.encoder = nn.Sequential(
            nn.Conv2d(colours, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(features, 2 * latent_dim),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, features),
            nn.ReLU(),
            nn.Unflatten(1, small),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, colours, 4, stride=2, padding=1),
        )
        self.register_buffer("zeros", torch.zeros(latent_dim))

    def prior(self) -> Distribution:
        return Independent(Normal(self.zeros, self.zeros + 1), 1)

    def posterior(self, x: Tensor) -> Distribution:
        mean, log_scale = self.encoder(x).chunk(2, dim=1)
        return Independent(Normal(mean, log_scale.exp()), 1)

    def likelihood(self, z: Tensor) -> Distribution:
        return Independent(Bernoulli(logits=self.decoder(z)), 3)
