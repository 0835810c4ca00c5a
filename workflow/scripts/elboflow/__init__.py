"""ELBOFlow: variational autoencoders, trained data-parallel and measured in nats.

A trained model, of which nothing else is needed:

    model = elboflow.load("results/runs/RUN/seed1")
    z = model.encode(images)
    model.log_prob(images).nats
"""

import importlib
from typing import Any

# Found when asked for: the workflow's controller has no torch.
MODULES = {
    "Groups": "elboflow.vae.model.own.groups",
    "LogLikelihood": "elboflow.trained.log_likelihood",
    "TrainedModel": "elboflow.trained.model",
    "load": "elboflow.trained.load",
}


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *MODULES])
