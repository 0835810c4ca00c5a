"""What the controller says of the likelihoods is what their classes say."""

import pytest

from elboflow.specification.likelihood_data import OBSERVES
from elboflow.vae.data import ImageShape
from elboflow.vae.model.likelihoods import LIKELIHOODS, make_likelihood


def test_every_likelihood_is_known_to_the_controller():
    assert sorted(OBSERVES) == sorted(LIKELIHOODS)


@pytest.mark.parametrize("name", sorted(LIKELIHOODS))
def test_the_controller_knows_what_it_observes(toy, name):
    made = make_likelihood(toy["spec"](likelihood=name), ImageShape(3, 4, 1, 16))
    assert made.observes == OBSERVES[name]
