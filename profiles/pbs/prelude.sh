# Read by every job before anything else. What fails here fails the job.
# module load gcc python cuda openmpi
