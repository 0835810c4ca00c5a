# Read by every job before anything else. What fails here fails the job.
# module load gcc python cuda openmpi

# An Open MPI, 4 or 5, that was not built for PBS starts its processes on other hosts by this in place of ssh.
on_host=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/on_host.sh
export OMPI_MCA_plm_rsh_agent=$on_host PRTE_MCA_plm_ssh_agent=$on_host
