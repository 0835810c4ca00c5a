# Read by every job on ABCI 3.0 before anything else. `module avail` shows today's versions; a change
# of cuda, nccl or hpcx builds the environment anew only if you ask for it:
#   snakemake --profile abci --forcerun build_environment

source /etc/profile.d/modules.sh || { echo "no environment modules on $(hostname)"; exit 1; }

load() {
    module load "$1" && [[ :$LOADEDMODULES: == *:$1* ]] && return
    echo "cannot load the module $1: see \`module avail\`, and edit the profile's prelude.sh"
    exit 1
}

load gcc/13.2.0
load python/3.12
load cuda/13.0 # with cuda/12.6 as well: torch's build for CUDA 12 is then fetched
load hpcx/2.20

# Horovod adds the ranks' gradients with NCCL, between and within nodes: that which comes with torch,
# so that there is one in the process. The site's is to be preferred where torch is the site's as well
# (environment.torch: site) and has none of its own; it is taken where NCCL_HOME is set:
#   load nccl/2.28

# For an image as training environment (environment.container):
#   load singularitypro

# For an environment that is built where no GPU can be seen (`gpu: cuda` on a login node).
export HOROVOD_BUILD_CUDA_CC_LIST=90 # H200
