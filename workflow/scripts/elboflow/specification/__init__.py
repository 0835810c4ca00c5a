"""What a configuration says, checked before anything starts."""
