"""What a user's model does wrong, found in a few passes before anything is trained.

B = images, K = samples, L = latent dimensions, D = pixels.
"""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from elboflow.vae.model.draws import Draws, draw
from elboflow.vae.model.model import Model
from elboflow.vae.model.own.lifted import Lifted
from elboflow.vae.model.own.module import OwnModelError, build, told
from elboflow.vae.model.own.normalised import not_normalised

SAMPLES = 2
TOLERANCE = 1e-4  # relative: another batch may be summed in another order
SHAKEN = 0.05  # sd of what is added to parameters, which may start as zeros
FAR = 3.0  # from [0, 1], where the mean of pixels is in no units of these


def require_fit(model: Model, x: Tensor, trains: bool) -> None:
    """Refuse what would give numbers that mean nothing; built-in models are not looked at.

    Args:
        x: some training images, as the likelihood observes them, shape (B, D), B at least 2.
        trains: whether it will be trained, so that gradients are needed.

    Raises:
        OwnModelError: a line for each problem.
    """
    if not isinstance(model, Lifted):
        return
    model.train(trains)
    shaken = _shaken(model)
    with told(f"{model.spec.model}: weighing {len(x)} images"):
        found = [
            *_writes(shaken, x),
            *_irreproducible(model, shaken, x),
            *_not_finite(model, x),
            *_leaks(shaken, x),
            *_independent(shaken, x),
            *not_normalised(model, x),
            *(_without_gradient(shaken, x) if trains else ()),
        ]
    if found:
        raise OwnModelError("\n".join(f"{model.spec.model}: {problem}" for problem in found))


def _shaken(model: Lifted) -> Lifted:
    """The same model at parameters none of which is 0, as a last layer often is at first."""
    with told(f"{model.spec.model}: copying it"), torch.random.fork_rng(devices=[]):
        shaken = copy.deepcopy(model)
        torch.manual_seed(0)
        with torch.no_grad():
            for parameter in shaken.parameters():
                parameter.add_(SHAKEN * torch.randn(parameter.shape).to(parameter))
    return shaken


def _draw(model: Model, x: Tensor) -> Draws:
    """The same noise for every image."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        epsilon = torch.randn(SAMPLES, 1, model.latent_dim).expand(-1, len(x), -1)
    return draw(model, x, epsilon.to(x))


@torch.no_grad()
def _writes(model: Model, x: Tensor) -> Iterator[str]:
    """Whether it overwrites what it is given, which others read after it."""
    given, z = x.clone(), model.encode(x).mean.clone()
    kept = z.clone()
    model.likelihood.log_prob(model.decode(z[None]), x)
    for name, before, after in (("the images", given, x), ("z", kept, z)):
        if not torch.equal(before, after):
            x.copy_(given)
            yield f"it overwrites {name} that it is given: say x = 2 * x, not x *= 2"


def _irreproducible(model: Lifted, shaken: Model, x: Tensor) -> Iterator[str]:
    built = [build(model.spec, seed=1).state_dict() for _ in range(2)]
    if any(not torch.equal(built[0][name], built[1][name]) for name in built[0]):
        yield "its weights differ at the same seed: draw them with torch's generator alone"
    with torch.no_grad():
        first, second = (_draw(shaken, x).log_weights for _ in range(2))
    if not torch.equal(first.nan_to_num(), second.nan_to_num()):
        yield (
            "the same images and noise give other values each time: is there dropout, or noise "
            "that is not drawn by a distribution?"
        )


@torch.no_grad()
def _not_finite(model: Model, x: Tensor) -> Iterator[str]:
    draws = _draw(model, x)
    for name, values in (
        ("log p(x | z)" if model.has_latents else "log p(x)", draws.log_likelihood),
        ("log p(z)", draws.log_prior),
        ("log q(z | x)", draws.log_posterior),
    ):
        if values.shape != draws.log_weights.shape:
            yield f"{name} has shape {tuple(values.shape)}: one number an image, in nats"
        elif not bool(values.isfinite().all()):
            yield f"{name} is not finite for some of the first training images"


@torch.no_grad()
def _leaks(model: Model, x: Tensor) -> Iterator[str]:
    """Whether an image's values change with its neighbours in the batch."""
    observes, largest = model.likelihood.observes, float(model.shape.levels)
    turned = (largest if observes == "levels" else 1) - x[1:]
    here = _draw(model, x)
    of_q, of_x = "posterior(x)", "likelihood(z)" if model.has_latents else "log_prob(x)"
    tried = [(turned, "is there batch norm in train mode, or a sum over the batch?")]
    if model.noise == "injected":  # other draws are those of a batch of that size
        tried.append((x[:0], "is there a squeeze(), which takes a batch of one away as well?"))
    for others, advice in tried:
        there = _draw(model, torch.cat([x[:1], others]))
        for method, first, second in (
            (of_q, here.posterior.mean[0], there.posterior.mean[0]),
            (of_q, here.log_posterior[:, 0], there.log_posterior[:, 0]),
            (of_x, here.log_likelihood[:, 0], there.log_likelihood[:, 0]),
        ):
            if not torch.allclose(first, second, rtol=TOLERANCE, atol=TOLERANCE):
                yield f"{method} of an image changes with the others in its batch: {advice}"
                return


@torch.no_grad()
def _independent(model: Model, x: Tensor) -> Iterator[str]:
    """Whether something does not depend on what it is given."""
    draws, differ = _draw(model, x), bool((x != x[0]).any())
    if not model.has_latents:
        if differ and _alike(draws.log_likelihood[0]):
            yield "log_prob(x) is the same for different images"
        return
    means = draws.posterior.mean
    if differ and _alike(means) and _alike(draws.log_posterior.T):
        yield "posterior(x) is the same for different images"
    z = torch.stack([means[:1], means[:1] + 1])
    first, second = model.likelihood.log_prob(model.decode(z), x[:1])
    if torch.equal(first, second):
        yield "likelihood(z) is the same for different z"
    if model.likelihood.observes == "unit":
        mean = _mean_of_pixels(model, z)
        if not -FAR < mean < 1 + FAR:
            yield (
                f"likelihood(z) has pixels around {mean:.3g}, and images have them in [0, 1]: "
                "divide by the largest grey level"
            )


def _alike(rows: Tensor) -> bool:
    return bool((rows == rows[0]).all())


def _mean_of_pixels(model: Model, z: Tensor) -> float:
    try:
        return float(model.decode(z).distribution.mean.mean())
    except NotImplementedError:
        return 0.5


def _without_gradient(model: Model, x: Tensor) -> Iterator[str]:
    frozen = [name for name, value in model.named_parameters() if not value.requires_grad]
    if frozen:
        yield f"parameters that need no gradient must be buffers: {_some(frozen)}"
        return
    named = dict(model.named_parameters())
    with torch.enable_grad():
        draws = _draw(model, x)
        if model.has_latents and not draws.log_prior.requires_grad:
            yield (
                "posterior(x) has no rsample, so that no gradient reaches it through z: such a "
                "model can be measured (weights), and not trained"
            )
            return
        total = draws.log_weights.sum()
        gradients = torch.autograd.grad(total, list(named.values()), allow_unused=True)
    idle = [name for name, slope in zip(named, gradients, strict=True) if slope is None]
    if idle:
        yield f"no gradient reaches {_some(idle)}: use them, or leave them out"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
