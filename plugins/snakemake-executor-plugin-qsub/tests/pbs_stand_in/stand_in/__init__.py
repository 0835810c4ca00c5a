"""Stand-in for the commands qsub, qstat and qdel of PBS Professional, for tests."""
