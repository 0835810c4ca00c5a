"""How numbers are computed: floating point types, and whether repeats give the same bits."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.distributions import Distribution

PARAMETERS = {
    "float32": torch.float32,
    "tf32": torch.float32,
    "bf16": torch.float32,
    "float64": torch.float64,
}
"""The type of a model's parameters, and of all that is computed outside of its layers."""


def set_arithmetic(precision: str, deterministic: bool) -> None:
    """Let this process compute as a specification says, from now on.

    tf32 rounds the factors of matrix products to 10 bits on GPUs that can; on a CPU it is float32.
    bf16 is up to the networks, which round theirs to 7 bits. Deterministic kernels give the same
    bits at each repeat, on a machine of the same kind. Distributions of users' models are NaN where
    their parameters are, as ours: Hamiltonian Monte Carlo rejects that, training says its step.
    """
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    set_deterministic(deterministic)
    Distribution.set_default_validate_args(False)
    # Which would else fill each new tensor, a tenth of a training step, against programs that read
    # what they have not written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def set_deterministic(deterministic: bool) -> None:
    """Let kernels be refused that may give other bits at each repeat.

    torch.use_deterministic_algorithms says so to the compiler too, which it imports for that: a
    second of each rank's start, where most compile nothing. compiled.py says it itself.
    """
    torch.set_deterministic_debug_mode("error" if deterministic else "default")


@contextmanager
def rounded_as(precision: str) -> Iterator[None]:
    """Let matrix products be rounded as a specification says, and as before from then on."""
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, convolutions.allow_tf32
    products.allow_tf32 = convolutions.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        products.allow_tf32, convolutions.allow_tf32 = before
