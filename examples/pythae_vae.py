"""The VAE of pythae 0.1.2 with its own perceptrons, under the names of its released model.pt.

The options are those of its model_config.json.
"""

import math

from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal

HIDDEN = 512


def hidden_layer(inputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU())


class Encoder(nn.Module):
    def __init__(self, pixels: int, latent_dim: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([hidden_layer(pixels)])
        self.embedding = nn.Linear(HIDDEN, latent_dim)
        self.log_var = nn.Linear(HIDDEN, latent_dim)


class Decoder(nn.Module):
    def __init__(self, pixels: int, latent_dim: int) -> None:
        super().__init__()
        # Without pythae's last sigmoid, which has no parameters: its output is the logit's.
        output = nn.Sequential(nn.Linear(HIDDEN, pixels))
        self.layers = nn.ModuleList([hidden_layer(latent_dim), output])


class VAE(nn.Module):
    def __init__(
        self, input_dim: list[int], latent_dim: int, reconstruction_loss: str = "mse"
    ) -> None:
        super().__init__()
        self.input_dim, self.reconstruction_loss = input_dim, reconstruction_loss
        self.encoder = Encoder(math.prod(input_dim), latent_dim)
        self.decoder = Decoder(math.prod(input_dim), latent_dim)

    def prior(self) -> Distribution:
        zero = self.encoder.embedding.bias.new_zeros(self.encoder.embedding.out_features)
        return Independent(Normal(zero, zero + 1), 1)

    def posterior(self, x: Tensor) -> Distribution:
        features = self.encoder.layers[0](x.flatten(1))
        scale = (self.encoder.log_var(features) / 2).exp()
        return Independent(Normal(self.encoder.embedding(features), scale), 1)

    def likelihood(self, z: Tensor) -> Distribution:
        hidden, output = self.decoder.layers
        logits = output(hidden(z)).unflatten(-1, self.input_dim)
        if self.reconstruction_loss == "bce":
            return Independent(Bernoulli(logits=logits), 3)
        return Independent(Normal(logits.sigmoid(), 1.0), 3)  # mse: half of it, sd 1
