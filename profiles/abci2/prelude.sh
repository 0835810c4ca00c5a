# Read by every job on ABCI 2.0 before anything else.

source /etc/profile.d/modules.sh || { echo "no environment modules on $(hostname)"; exit 1; }

load() {
    module load "$1" && [[ :$LOADEDMODULES: == *:$1* ]] && return
    echo "cannot load the module $1: see \`module avail\`, and edit the profile's prelude.sh"
    exit 1
}

load gcc/13.2.0
load python/3.11
load cuda/12.6 # CUDA 13 no longer knows the V100
load hpcx-mt/2.12

# Horovod adds the ranks' gradients with NCCL, between and within nodes: that which comes with torch,
# so that there is one in the process. The site's is to be preferred where torch is the site's as well
# (environment.torch: site) and has none of its own; it is taken where NCCL_HOME is set:
#   load nccl/2.22

# One environment for both kinds of node: that which builds it has the GPUs of one of them.
export HOROVOD_BUILD_CUDA_CC_LIST=70,80 # V100, A100
