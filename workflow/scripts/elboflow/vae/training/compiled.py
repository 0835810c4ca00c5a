"""A training step's gradient as one compiled function, for runs that are long enough."""

from typing import cast

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from elboflow.vae.model.model import Model
from elboflow.vae.spec import SpecError, TrainingSpec
from elboflow.vae.training.flat_parameters import FlatParameters
from elboflow.vae.training.gradient import Gradient, traceable_gradient

# Compiling takes 10 to 30 s and saves a millisecond a step, more of large batches.
STEPS_WORTH_COMPILING = 30_000


def is_worth_compiling(spec: TrainingSpec, steps: int, device: torch.device) -> bool:
    """Decided by what is trained alone, never by a clock: results stay reproducible."""
    of_ours = spec.model is None  # that of a user may do what can't be traced
    return of_ours and spec.compile and steps >= STEPS_WORTH_COMPILING and device.type == "cpu"


def compiled_gradient(
    vae: Model, spec: TrainingSpec, flat: FlatParameters, x: Tensor, epsilon: Tensor
) -> Gradient:
    """The same as `eager_gradient`, but for the last digits, for batches of these shapes.

    Forward and backward are traced into one graph of operators, which torch.compile fuses.

    Raises:
        SpecError: this machine has no working C++ compiler.
    """
    beta = torch.ones((), dtype=vae.dtype)
    traced = make_fx(traceable_gradient(vae, spec, flat))(flat.values, x, epsilon, beta)
    from torch._inductor import config  # a second to import, and only needed here

    config.deterministic = spec.deterministic
    compiled = torch.compile(traced, fullgraph=True, dynamic=False)
    values = flat.values.detach()

    def gradient(x: Tensor, epsilon: Tensor, weight: float) -> Tensor:
        return cast(Tensor, compiled(values, x, epsilon, beta.fill_(weight)))

    try:
        gradient(x, epsilon, 1.0)
    except torch._inductor.exc.InductorError as error:
        reason = str(error).splitlines()[0]
        raise SpecError(f"compile: {reason}; install one, or say compile: false") from error
    return gradient
