"""The ELBO of one image for every q = N((mu_1, mu_2), sigma^2 I), at the best mu_2."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from elboflow.chapter.mixture import FAMILIES
from elboflow.vae.measure.quadrature import Array, log_integral, log_prior

MEANS = np.linspace(-1.5, 1.5, 61)  # of mu_1, about the best
SDS = np.geomspace(0.06, 1.0, 57)  # up to the prior's


def weights(means: Array, sd: float, axis: Array) -> Array:
    """N(axis; mean, sd^2) for each mean, as weights of the nodes that add up to 1, (M, n)."""
    q = np.exp(-0.5 * ((axis - means[:, None]) / sd) ** 2)
    return q / q.sum(1, keepdims=True)


def surface(log_likelihood: Array, axis: Array, best: tuple[float, float]) -> pd.DataFrame:
    """Rate (closed form), distortion (quadrature) and ELBO for all means and widths, in nats."""
    evidence = float(log_integral(log_likelihood + log_prior(axis), axis))
    means = best[0] + MEANS
    rows = []
    for sd in SDS:
        second = weights(np.array([best[1]]), sd, axis)[0]
        distortion = -weights(means, sd, axis) @ (log_likelihood @ second)
        # arXiv:1312.6114, appendix B, for both dimensions.
        rate = 0.5 * (means**2 + best[1] ** 2) + sd**2 - 1 - 2 * np.log(sd)
        rows.append(
            pd.DataFrame(
                {
                    "mean_1": means,
                    "mean_2": best[1],
                    "sd": sd,
                    "rate_nats": rate,
                    "distortion_nats": distortion,
                    "elbo_nats": -distortion - rate,
                    "log_p_nats": evidence,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def surface_of_first(grid: Mapping[str, Array], components: pd.DataFrame) -> pd.DataFrame:
    """The surface of the grid's first image, about the best q of the simplest family."""
    image = int(grid["image"][0])
    chosen = (components["image"] == image) & (components["family"] == FAMILIES[0].name)
    own = components[chosen].iloc[0]
    table = surface(grid["log_likelihood"][0], grid["axis"], (own["mean_1"], own["mean_2"]))
    table.insert(0, "image", image)
    return table
