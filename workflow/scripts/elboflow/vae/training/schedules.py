"""What changes as training goes on: the KL's weight and the learning rate."""

from elboflow.vae.spec import TrainingSpec


def beta_at(spec: TrainingSpec, passes: float) -> float:
    """The KL's weight after some passes over the data: linear warm-up from 0, then `beta`."""
    if passes >= spec.warmup_epochs:
        return spec.beta
    return spec.beta * passes / spec.warmup_epochs


def learning_rate_at(spec: TrainingSpec, passes: float) -> float:
    """The learning rate after some passes over the data.

    `iwae` is the staircase of Burda et al., arXiv:1509.00519, section 5: stage i = 0 .. 7 lasts
    3^i passes at learning_rate x 10^(-i/7); all 3280 passes are scaled to `epochs`.
    """
    if spec.schedule == "constant":
        return spec.learning_rate
    done = passes / spec.epochs * 3280
    stage = next((i for i in range(8) if done < (3 ** (i + 1) - 1) / 2), 7)
    return spec.learning_rate * 10 ** (-stage / 7)
