# Read by every job on TSUBAME 4.0 before anything else. `module avail` shows today's versions.

source /etc/profile.d/modules.sh || { echo "no environment modules on $(hostname)"; exit 1; }

load() {
    module load "$1" && [[ :$LOADEDMODULES: == *:$1* ]] && return
    echo "cannot load the module $1: see \`module avail\`, and edit the profile's prelude.sh"
    exit 1
}

load cuda/12.1.0
load openmpi/5.0.2-gcc

# For an environment that is built where no GPU can be seen (`gpu: cuda` on a login node).
export HOROVOD_BUILD_CUDA_CC_LIST=90 # H100
