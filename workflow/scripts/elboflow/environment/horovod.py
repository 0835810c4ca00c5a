"""Build Horovod from its source archive, once per combination of everything that matters."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elboflow.environment.cuda import CudaBuild, link_nccl
from elboflow.environment.wheelhouse import (
    Pin,
    SetupError,
    cache_folder,
    check_archive,
    digest_of_facts,
    fetch_archive,
    pip_words,
    read_pin,
    run,
    settled,
    without_room,
)

ROOT_CMAKE = "CMakeLists.txt"
TORCH_CMAKE = "horovod/torch/CMakeLists.txt"
CUDA = "horovod/common/ops/cuda/CMakeLists.txt"
FIND_TORCH = "cmake/Modules/FindPytorch.cmake"
Patch = tuple[str, str, str]  # file, text, replacement

# Horovod asks for C++14; torch's headers need 17 at least.
CXX_STANDARD: list[Patch] = [
    (path, "set(CMAKE_CXX_STANDARD 14)", "set(CMAKE_CXX_STANDARD 20)")
    for path in (ROOT_CMAKE, TORCH_CMAKE)
]
# Horovod looks for a CUDA compiler even when it will not use one, and fails on one it cannot use;
# and it takes a torch that has CUDA for a wish to use it.
WITHOUT_CUDA: list[Patch] = [
    (ROOT_CMAKE, "check_language(CUDA)", ""),
    (ROOT_CMAKE, "find_package(CUDAToolkit)\n", "\n"),
    (FIND_TORCH, "(torch.version.cuda is not None)", "False"),
]
# nvcc 13 no longer knows C++11.
WITH_CUDA: list[Patch] = [(CUDA, "set(CMAKE_CUDA_STANDARD 11)", "set(CMAKE_CUDA_STANDARD 17)")]
# The cached wheel serves many checkouts: it finds what lies in its own environment from where it is
# itself, and no path of the environment that it was built in stays in it.
LIBRARY = 'set_target_properties(${PYTORCH_TARGET_LIB} PROPERTIES OUTPUT_NAME "mpi_lib_v2")'
SEARCHED = """
set(FOLDERS "$ORIGIN/../../torch/lib" %(folders)s)
foreach(FOUND IN LISTS %(libraries)s)
    get_filename_component(FOLDER "${FOUND}" DIRECTORY)
    list(APPEND FOLDERS "${FOLDER}")
endforeach()
list(REMOVE_DUPLICATES FOLDERS)
list(REMOVE_ITEM FOLDERS ${CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES})
if(APPLE)
    string(REPLACE "$ORIGIN" "@loader_path" FOLDERS "${FOLDERS}")
endif()
set_target_properties(${PYTORCH_TARGET_LIB} PROPERTIES
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "${FOLDERS}")
"""
OWN_MPI, OWN_NCCL = "$ORIGIN/../../../../../lib", "$ORIGIN/../../nvidia/nccl/lib"

# WITH turns a silent skip into an error.
BUILD_SETTINGS = {
    "HOROVOD_WITH_PYTORCH": "1",
    "HOROVOD_WITHOUT_TENSORFLOW": "1",
    "HOROVOD_WITHOUT_MXNET": "1",
    "HOROVOD_WITH_MPI": "1",
    "HOROVOD_WITH_GLOO": "1",
    "HOROVOD_WITHOUT_NVTX": "1",  # whose headers some CUDA toolkits have and some lack
    "CMAKE_POLICY_VERSION_MINIMUM": "3.5",  # for a CMake 4 named in HOROVOD_CMAKE
}
WITH_NCCL = {"HOROVOD_GPU_OPERATIONS": "NCCL", "HOROVOD_NCCL_LINK": "SHARED"}
# group_table.h uses std::string without including it, which gcc 13 no longer forgives.
CXXFLAGS = "-include string -include cstdint"
# As environment.build_variables in the schema of the configuration.
PASSED_ON = re.compile(
    r"(CC|CXX|(C|CPP|CXX|CUDA|LD)FLAGS|CUDAHOSTCXX|NVCC_(PREPEND|APPEND)_FLAGS|(CUDA|NCCL|MPI)_HOME"
    r"|CMAKE_PREFIX_PATH|HOROVOD_[A-Z0-9_]+)"
)
COMPILER_ERROR = re.compile(
    r"\berror: (?!subprocess-exited)|CMake Error|undefined reference|cannot find -l|Killed|"
    r"No space left|^\s*(ModuleNotFound|Import|Runtime)Error"
)


def user_settings(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of the user's that change what is built."""
    return {name: value for name, value in environment.items() if PASSED_ON.fullmatch(name)}


def patches(facts: Mapping[str, Any]) -> list[Patch]:
    """What is changed in Horovod's source for this kind of build."""
    own = [OWN_MPI] * facts["own_mpi"] + [OWN_NCCL] * (facts["nccl_source"] == "torch")
    site = [facts["nccl_folder"]] if facts["nccl_folder"] else []
    folders = " ".join(f'"{folder}"' for folder in own + site)
    libraries = "NONE" if facts["own_mpi"] else "MPI_LIBRARIES"
    searched = SEARCHED % {"folders": folders, "libraries": libraries}
    gpu = WITH_CUDA if facts["gpu"] == "cuda" else WITHOUT_CUDA
    return [*CXX_STANDARD, *gpu, (TORCH_CMAKE, LIBRARY, LIBRARY + searched)]


def apply_patches(source: Path, changes: list[Patch]) -> None:
    for name, text, replacement in changes:
        path = source / name
        before = path.read_text()
        if text not in before:
            raise SetupError(f"the patch for '{text.strip()}' does not fit this Horovod's {name}")
        path.write_text(before.replace(text, replacement))


def jobs() -> int:
    """Compilers side by side: one a core, and 2 GiB of memory for each."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gibibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return max(1, min(cores or 1, gibibytes // 2))


def build_environment(venv: Path, cuda: CudaBuild | None, scratch: Path) -> dict[str, str]:
    """The variables that the build runs under: the user's over ours, the venv's programs first.

    Args:
        scratch: an empty folder for what the build is shown of NCCL.
    """
    environment = {"CXX": "g++", **BUILD_SETTINGS, **(WITH_NCCL if cuda else {}), **os.environ}
    environment["CXXFLAGS"] = f"{CXXFLAGS} {environment.get('CXXFLAGS', '')}".strip()
    # Absolute, because the build runs in other folders.
    environment["PATH"] = f"{venv.absolute() / 'bin'}{os.pathsep}{environment['PATH']}"
    if cuda:
        home = str(cuda.nvcc.home)
        environment |= {"CUDA_HOME": home, "HOROVOD_CUDA_HOME": home}
        environment["HOROVOD_NCCL_HOME"] = str(link_nccl(cuda.nccl, scratch / "nccl"))
        environment["HOROVOD_BUILD_CUDA_CC_LIST"] = ",".join(map(str, cuda.architectures))
    # A make above us has left its own flags, and Horovod would start 8 compilers without any.
    environment["MAKEFLAGS"] = f"-j{environment.get('CMAKE_BUILD_PARALLEL_LEVEL', jobs())}"
    return environment


def error_lines(lines: list[str], most: int = 20) -> list[str]:
    """The lines of a build's output that say what went wrong."""
    found: dict[str, None] = {}
    for number, line in enumerate(lines):
        if COMPILER_ERROR.search(line):
            after = lines[number + 1 : number + 5] if "CMake Error" in line else []
            found |= dict.fromkeys(text.strip() for text in [line, *after] if text.strip())
    return list(found)[:most] or [line.strip() for line in lines if line.strip()][-most:]


def compile_wheel(
    archive: Path,
    pin: Pin,
    venv: Path,
    facts: Mapping[str, Any],
    cuda: CudaBuild | None,
    folder: Path,
    log: Path,
) -> None:
    """Unpack, patch and build; the wheel lands in the folder."""
    print(f"building Horovod {pin.version} (3 to 4 minutes on 2 cores) …", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="horovod-") as scratch:
        shutil.unpack_archive(archive, scratch)  # its sha256 was checked
        source = Path(scratch) / f"horovod-{pin.version}"
        apply_patches(source, patches(facts))
        command = [*pip_words(venv / "bin/python"), "wheel", "--verbose", "--no-index"]
        command += ["--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source)]
        environment = build_environment(venv, cuda, Path(scratch))
        status, lines = run(command, log, env=environment)
    if status:
        if told := without_room(lines):
            raise SetupError(f"Horovod {pin.version} did not build: {told} (log: {log})")
        shown = "\n".join(f"  {line}" for line in error_lines(lines))
        raise SetupError(f"Horovod {pin.version} did not build:\n{shown}\nThe whole log: {log}")


def cache_key(pin: Pin, facts: Mapping[str, Any]) -> str:
    """Names the wheel that these facts lead to.

    Args:
        facts: what was found on this machine: torch, gpu, nvcc, nccl, mpi, compiler, ABI of
            Python and platform.
    """
    recipe = [BUILD_SETTINGS, WITH_NCCL, CXXFLAGS, patches(facts)]
    release = [pin.version, pin.sha256]
    return digest_of_facts(
        {**facts, "horovod": release, "recipe": recipe, "settings": user_settings()}
    )


def horovod_wheel(
    archive: Path | None,
    pin_file: Path,
    venv: Path,
    facts: Mapping[str, Any],
    cuda: CudaBuild | None,
    log: Path,
) -> Path:
    """The wheel for these facts, built only when this user never had it.

    Args:
        archive: Horovod's source, when it lies on this machine already.
        facts: all that the wheel depends on, as for cache_key.
        cuda: where what a build for GPUs needs lies on this machine.

    Raises:
        SetupError: no source, another source than pinned, or a build that failed.
    """
    pin = read_pin(pin_file)

    def fill(folder: Path) -> None:
        source = archive or fetch_archive(venv / "bin/python", pin_file, log)
        compile_wheel(check_archive(source, pin), pin, venv, facts, cuda, folder, log)

    folder = settled(cache_folder() / "wheels" / cache_key(pin, facts), fill)
    return next(folder.glob("horovod-*.whl"))
