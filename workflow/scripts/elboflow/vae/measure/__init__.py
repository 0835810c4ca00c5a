"""What a trained model is worth: estimates with errors, baselines and checks."""
