"""Ranks that work together: all that touches Horovod and torch.distributed."""
