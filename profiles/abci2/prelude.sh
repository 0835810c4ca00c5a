# Read by every job on ABCI 2.0 before anything else.

source /etc/profile.d/modules.sh || { echo "no environment modules on $(hostname)"; exit 1; }

load() {
    module load "$1" && [[ :$LOADEDMODULES: == *:$1* ]] && return
    echo "cannot load the module $1: see \`module avail\`, and edit the profile's prelude.sh"
    exit 1
}

load gcc/13.2.0
load python/3.11
load cuda/12.6
load cudnn/9.5
load nccl/2.22
load hpcx-mt/2.12

# Horovod adds the ranks' gradients with NCCL, between and within nodes.
export HOROVOD_GPU_OPERATIONS=NCCL HOROVOD_NCCL_LINK=SHARED HOROVOD_NCCL_HOME=$NCCL_HOME
export HOROVOD_BUILD_CUDA_CC_LIST=70,80 # V100, A100
