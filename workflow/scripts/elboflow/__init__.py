"""ELBOFlow: variational autoencoders, trained data-parallel and measured in nats."""
