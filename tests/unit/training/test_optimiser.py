"""The optimiser's settings reach Adam: steps as in Kingma and Ba, arXiv:1412.6980, algorithm 1."""

import numpy as np
import pytest


@pytest.mark.parametrize("keys", [{}, {"adam_beta1": 0.99, "adam_beta2": 0.9, "adam_epsilon": 0.5}])
def test_steps_are_those_of_adam(toy, keys):
    training = toy["training"](**keys)
    spec = training.spec
    values = training.flat.values.detach().numpy().copy()
    first, second = np.zeros_like(values), np.zeros_like(values)
    buffers = []
    training.taken.allreduce = buffers.append
    for step in (1, 2, 3):
        training.advance()
        gradient = buffers[-1][:-3].numpy()
        first = spec.adam_beta1 * first + (1 - spec.adam_beta1) * gradient
        second = spec.adam_beta2 * second + (1 - spec.adam_beta2) * gradient**2
        mean, square = first / (1 - spec.adam_beta1**step), second / (1 - spec.adam_beta2**step)
        values -= spec.learning_rate * mean / (np.sqrt(square) + spec.adam_epsilon)
        assert training.flat.values.detach().numpy() == pytest.approx(values, rel=1e-9, abs=1e-12)


def test_epsilon_of_a_sum_over_the_batch_is_divided_by_its_size():
    """A step of the mean with epsilon / B is the step of the sum with epsilon, as config says."""
    size, epsilon = 20, 1e-4
    mean = np.array([1e-6, 1e-3, 2.0])
    step = (size * mean) / (np.abs(size * mean) + epsilon)
    assert mean / (np.abs(mean) + epsilon / size) == pytest.approx(step)
