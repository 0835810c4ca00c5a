"""What Horovod's CUDA parts are built with: nvcc, NCCL and the architectures to compile for."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elboflow.environment.wheelhouse import SetupError

# The environment's variables that name the site's own.
CUDA_HOMES = ("HOROVOD_CUDA_HOME", "CUDA_HOME")
NCCL_HOMES = ("HOROVOD_NCCL_HOME", "NCCL_HOME")


@dataclass(frozen=True)
class Nvcc:
    """The compiler of a CUDA toolkit."""

    home: Path
    version: str
    architectures: tuple[int, ...]  # that it knows: 90 is compute capability 9.0

    @property
    def major(self) -> str:
        return self.version.partition(".")[0]


@dataclass(frozen=True)
class Nccl:
    """The NCCL to build against, and whose it is: torch's or the site's."""

    version: str
    source: str
    include: Path
    library: Path


@dataclass(frozen=True)
class CudaBuild:
    """All that a build of Horovod for GPUs needs beyond one for CPUs."""

    nvcc: Nvcc
    nccl: Nccl
    architectures: list[int]

    @property
    def site_nccl(self) -> str | None:
        """The folder of the site's NCCL; torch has its own loaded before Horovod asks for it."""
        return str(self.nccl.library.parent) if self.nccl.source == "site" else None


def find_nvcc() -> Nvcc | None:
    """The nvcc of CUDA_HOME, or without CUDA_HOME the one on PATH."""
    named = next((name for name in CUDA_HOMES if os.environ.get(name)), None)
    nvcc = shutil.which("nvcc", path=f"{os.environ[named]}/bin" if named else None)
    if named and not nvcc:
        raise SetupError(
            f"no nvcc in {named}={os.environ[named]}/bin: name the folder of a CUDA toolkit, or "
            "unset it to take the nvcc on PATH"
        )
    if not nvcc:
        return None
    version = re.search(r"V(\d+\.\d+\.\d+)", _output([nvcc, "--version"]))
    # On PATH may be a script beside the toolkit, so the compiler itself is asked where it is.
    here = re.search(r"_HERE_=(.+)", _output([nvcc, "--dryrun", "-E", "-x", "cu", os.devnull]))
    known = re.findall(r"^sm_(\d+)$", _output([nvcc, "--list-gpu-code"]), re.M)
    if not (version and here and known):
        raise SetupError(f"{nvcc} does not work: try `{nvcc} --version`, or name another CUDA_HOME")
    return Nvcc(Path(here[1].strip()).parent, version[1], tuple(sorted(map(int, known))))


def _output(command: list[str]) -> str:
    """What a program prints, on both streams."""
    answer = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return answer.stdout


def gpu_seen() -> bool:
    """Whether this machine has a GPU of NVIDIA's."""
    return any(Path("/proc/driver/nvidia/gpus").glob("*")) or Path("/dev/nvidia0").exists()


def choose_nvcc(gpu: str, cuda_torch: bool) -> Nvcc | None:
    """The nvcc to build with for what environment.gpu asks; none for a build for the CPU.

    Args:
        gpu: auto, cuda or none.
        cuda_torch: whether torch is, or can be installed as, a build for CUDA.
    """
    if gpu == "none" or (gpu == "auto" and not gpu_seen()):
        return None
    nvcc, missing = find_nvcc(), []
    if nvcc is None:
        missing.append("no nvcc: load the site's CUDA, or name its folder in CUDA_HOME")
    if not cuda_torch:
        missing.append("no CUDA in the site's torch: name another interpreter in site_python")
    if missing and gpu == "cuda":
        raise SetupError(f"environment.gpu is cuda, and there is {'; and '.join(missing)}")
    if missing:
        print(f"a GPU, but {'; and '.join(missing)}. Building for the CPU.", file=sys.stderr)
        return None
    if not gpu_seen():
        print("no GPU here: building for CUDA all the same", file=sys.stderr)
    return nvcc


def cuda_build(torch: dict[str, Any], nvcc: Nvcc, wanted: list[int] | None) -> CudaBuild:
    """What to build Horovod with for this torch.

    Args:
        torch: the answer to interpreter.TORCH.
        nvcc: the compiler.
        wanted: the architectures that the configuration names.

    Raises:
        SetupError: what is missing, or does not go together.
    """
    if torch["cuda"] is None:
        raise SetupError(f"torch {torch['torch']} is a CPU build: see PIP_FIND_LINKS and pip's log")
    if torch["cuda"].partition(".")[0] != nvcc.major:
        raise SetupError(
            f"torch {torch['torch']} is built with CUDA {torch['cuda']} and nvcc in {nvcc.home} is "
            f"of CUDA {nvcc.version}: load a CUDA {torch['cuda'].partition('.')[0]}, or name its "
            "folder in CUDA_HOME"
        )
    nccl = find_nccl(torch["nccl"], nvcc.home)
    return CudaBuild(nvcc, nccl, choose_architectures(wanted, torch, nvcc))


def choose_architectures(wanted: list[int] | None, torch: dict[str, Any], nvcc: Nvcc) -> list[int]:
    """The wanted ones, else those of the GPUs here, else those that torch and nvcc both know."""
    variable = os.environ.get("HOROVOD_BUILD_CUDA_CC_LIST", "")
    if not wanted and not re.fullmatch(r"(\d+(,\d+)*)?", variable):
        raise SetupError(f"HOROVOD_BUILD_CUDA_CC_LIST is '{variable}' and must be as 80,90")
    chosen = wanted or [int(number) for number in variable.split(",") if number] or torch["gpus"]
    unknown = sorted(set(chosen) - set(nvcc.architectures))
    if unknown:
        known = ", ".join(map(str, nvcc.architectures))
        raise SetupError(
            f"nvcc {nvcc.version} does not know the architectures {', '.join(map(str, unknown))}, "
            f"only {known}: change environment.cuda_architectures, or load another CUDA"
        )
    chosen = chosen or set(torch["architectures"]) & set(nvcc.architectures)
    return sorted(set(chosen or nvcc.architectures))


def find_nccl(wheels: Iterable[str], cuda_home: Path) -> Nccl:
    """The site's NCCL where NCCL_HOME names one, else torch's, else one of toolkit or system.

    Args:
        wheels: folders of the package nvidia.nccl, which torch's own build depends on.
        cuda_home: folder of the toolkit, into which some sites put NCCL.
    """
    named = next((name for name in NCCL_HOMES if os.environ.get(name)), None)
    apart = [name for name in ("HOROVOD_NCCL_INCLUDE", "HOROVOD_NCCL_LIB") if os.environ.get(name)]
    if apart:
        raise SetupError(f"{apart[0]} is not looked at: name the folder of both in NCCL_HOME")
    if named:
        places = [("site", Path(os.environ[named]))]
    else:
        places = [("torch", Path(wheel)) for wheel in wheels]
        places += [("site", cuda_home), ("site", Path("/usr"))]
    for source, home in places:
        header, library = home / "include/nccl.h", next(_libraries(home), None)
        if header.is_file() and library:
            return Nccl(_nccl_version(header), source, header.parent, library)
    where = f"in {named}={os.environ[named]}" if named else "beside torch, nvcc or the system's"
    raise SetupError(
        f"no NCCL {where} (include/nccl.h and lib/libnccl.so): name the folder of the site's in "
        "NCCL_HOME, or unset it to take torch's own"
    )


def _libraries(home: Path) -> Iterator[Path]:
    for folder in ("lib", "lib64", "lib/*"):
        yield from sorted(home.glob(f"{folder}/libnccl.so*"))


def _nccl_version(header: Path) -> str:
    text = header.read_text(errors="replace")
    parts = [
        re.search(rf"#define NCCL_{name} +(\d+)", text) for name in ("MAJOR", "MINOR", "PATCH")
    ]
    return ".".join(part[1] if part else "?" for part in parts)


def readable_version(code: int) -> str:
    """NCCL's version out of its one number: 22705 is 2.27.5, and before 2.9 2708 was 2.7.8."""
    base = 10_000 if code >= 10_000 else 1000
    return f"{code // base}.{code % base // 100}.{code % 100}"


def link_nccl(nccl: Nccl, folder: Path) -> Path:
    """A folder that looks like an installed NCCL: torch's has no libnccl.so for the linker."""
    for name, targets in (("include", nccl.include.glob("nccl*")), ("lib", [nccl.library])):
        (folder / name).mkdir(parents=True)
        for target in targets:
            link = folder / name / (target.name if name == "include" else "libnccl.so")
            link.symlink_to(target.absolute())
    return folder
