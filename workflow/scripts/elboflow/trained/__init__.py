"""Trained models in use outside of the workflow, without the data set at hand."""
