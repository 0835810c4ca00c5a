"""What the programs under mpirun do."""
