import torch

from elboflow.vae.annealing.hmc import (
    ACCEPTANCE,
    STEP_SIZES,
    _leapfrog,
    adapted,
    place,
    transition,
)
from elboflow.vae.noise import Purpose, normals, uniforms, words

COVARIANCE = torch.tensor([[1.0, 0.6], [0.6, 0.5]], dtype=torch.float64)
PRECISION = torch.linalg.inv(COVARIANCE)


def log_density(z):
    return -0.5 * torch.einsum("...i,ij,...j", z, PRECISION, z)


PARTS = (log_density, lambda z: 3 * log_density(z))
WEIGHTS = torch.tensor([0.4, 0.2], dtype=torch.float64)  # which make one of the first


def draws(seed, shape):
    raw = words(seed, Purpose.AIS_FORWARD, [(0, 0)], 1, torch.Size(shape).numel())
    return raw.view(shape)


def test_hmc_leaves_a_gaussian_invariant_at_any_acceptance():
    chains = 20_000
    z = normals(draws(0, (chains, 2, 2)), torch.float64) @ torch.linalg.cholesky(COVARIANCE).T
    here = place(PARTS, z)
    step_size = torch.tensor([0.3, 0.78], dtype=torch.float64)  # the second is near instability
    for number in range(1, 9):
        momentum = normals(draws(2 * number, (chains, 2, 2)), torch.float64)
        uniform = uniforms(draws(2 * number + 1, (chains, 2)))
        here, probability = transition(PARTS, WEIGHTS, here, step_size, 3, momentum, uniform)
    assert probability.mean(0)[0] > 0.9
    assert probability.mean(0)[1] < 0.85  # without refusals the variance would be another
    for image in range(2):
        found = here.z[:, image]
        assert (found.mean(0).abs() < 5 * (COVARIANCE.diagonal() / chains).sqrt()).all()
        variances = COVARIANCE.diagonal()
        spread = (torch.outer(variances, variances) + COVARIANCE.square()) / chains
        assert ((torch.cov(found.T) - COVARIANCE).abs() < 5 * spread.sqrt()).all()


def test_a_trajectory_that_diverges_is_refused():
    z = torch.ones(3, 1, 2, dtype=torch.float64)
    huge = torch.tensor([1e200], dtype=torch.float64)
    uniform, start = torch.full((3, 1), 1e-12).double(), place(PARTS, z)
    end, probability = transition(PARTS, WEIGHTS, start, huge, 5, torch.ones_like(z), uniform)
    assert torch.equal(end.z, z)
    assert torch.equal(end.slopes, start.slopes)
    assert (probability == 0).all()


def test_leapfrog_is_reversible():
    """Back from where it went, with the momentum turned round, it ends where it began."""
    z = normals(draws(1, (4, 3, 2)), torch.float64)
    momentum = normals(draws(2, (4, 3, 2)), torch.float64)
    step_size = torch.tensor([0.1, 0.3, 0.6], dtype=torch.float64)
    there, end = _leapfrog(PARTS, WEIGHTS, place(PARTS, z), step_size, 7, momentum)
    back, start = _leapfrog(PARTS, WEIGHTS, there, step_size, 7, -end)
    torch.testing.assert_close(back.z, z)
    torch.testing.assert_close(-start, momentum)


def test_step_sizes_stay_within_bounds_and_move_towards_the_acceptance():
    small = large = torch.ones(1, dtype=torch.float64)
    for _ in range(200):
        small = adapted(small, torch.zeros(4, 1))
        large = adapted(large, torch.ones(4, 1))
    assert small.item() == STEP_SIZES[0]
    assert large.item() == STEP_SIZES[1]
    kept = adapted(torch.ones(1).double(), torch.full((4, 1), ACCEPTANCE).double())
    torch.testing.assert_close(kept, torch.ones(1).double())
