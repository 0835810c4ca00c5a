"""What stages wrote, read again and gathered into tables."""
