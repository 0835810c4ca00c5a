import torch

from elboflow.vae.model.simulation import simulate


def test_an_image_is_a_function_of_its_number(toy):
    vae = toy["vae"]()
    z, x = simulate(vae, 1, range(5))
    other_z, other_x = simulate(vae, 1, [3, 1])
    assert torch.equal(other_z, z[[3, 1]])
    assert torch.equal(other_x, x[[3, 1]])
    vae.likelihood.require_support(x)
    assert not torch.equal(simulate(vae, 2, range(5))[1], x)
