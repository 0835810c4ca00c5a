"""`elboflow score`, `encode`, `reconstruct` and `sample`: a trained model on the command line."""
