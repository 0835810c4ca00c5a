"""A search for the keys of a run by Optuna: each trial is a run, trained by the workflow."""
