"""What a build for GPUs is made with, found on a machine that is made of a few small files."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import pytest

from elboflow.environment import build as build_environment
from elboflow.environment import cuda as cuda_build
from elboflow.environment import horovod as horovod_build
from elboflow.environment import interpreter, with_horovod
from elboflow.environment.cuda import CudaBuild, Nccl, Nvcc
from elboflow.environment.wheelhouse import SetupError

NVCC = Nvcc(Path("/cuda"), "12.6.85", (70, 80, 90))
TORCH: dict[str, Any] = {
    "torch": "2.13.0+cu126",
    "cuda": "12.6",
    "architectures": [60, 70, 80, 90, 100],
    "gpus": [],
    "nccl": [],
}
HEADER = "#define NCCL_MAJOR 2\n#define NCCL_MINOR 27\n#define NCCL_PATCH 5\n"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No CUDA and no settings of this machine."""
    for name in horovod_build.user_settings():
        monkeypatch.delenv(name)
    monkeypatch.setattr(cuda_build, "gpu_seen", lambda: False)


def make_toolkit(home: Path, version: str) -> Path:
    """A CUDA toolkit whose nvcc answers what it is asked."""
    nvcc = home / "bin/nvcc"
    nvcc.parent.mkdir(parents=True)
    nvcc.write_text(
        "#!/bin/sh\ncase $1 in\n"
        f"--version) echo 'Build of, release x, V{version}' ;;\n"
        f"--dryrun) echo '#$ _HERE_={nvcc.parent}' >&2 ;;\n"
        "--list-gpu-code) printf 'sm_90\\nsm_80\\ncompute_90\\n' ;;\nesac\n"
    )
    nvcc.chmod(0o755)
    return home


def make_nccl(home: Path, library: str = "lib/libnccl.so.2", header: str = HEADER) -> Path:
    """A folder with NCCL's header and library."""
    for name, text in (("include/nccl.h", header), (library, "")):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    return home


def test_nvcc_is_that_of_cuda_home_else_that_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules, own = (make_toolkit(tmp_path / v, v) for v in ("12.6.85", "13.0.88"))
    # As on a site where a script stands on PATH, beside the toolkit.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/nvcc").symlink_to(modules / "bin/nvcc")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert cuda_build.find_nvcc() == Nvcc(modules, "12.6.85", (80, 90))
    monkeypatch.setenv("CUDA_HOME", str(own))
    found = cuda_build.find_nvcc()
    assert found == Nvcc(own, "13.0.88", (80, 90))
    assert found.major == "13"


def test_no_nvcc_is_no_error_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cuda_build.find_nvcc() is None


def test_an_nvcc_that_does_not_work_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_HOME", str(make_toolkit(tmp_path / "cuda", "")))
    with pytest.raises(SetupError, match=r"cuda/bin/nvcc does not work.*CUDA_HOME"):
        cuda_build.find_nvcc()


def test_a_cuda_home_without_nvcc_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "runtime"))
    with pytest.raises(SetupError, match=r"no nvcc in CUDA_HOME=.*/runtime/bin"):
        cuda_build.find_nvcc()


@pytest.mark.parametrize(
    ("wanted", "seen", "nvcc", "cuda_torch", "came_out"),
    [
        ("auto", True, NVCC, True, NVCC),
        ("auto", False, NVCC, True, None),
        ("auto", True, None, True, None),
        ("auto", True, NVCC, False, None),
        ("cuda", False, NVCC, True, NVCC),
        ("none", True, NVCC, True, None),
    ],
)
def test_gpu_is_what_configuration_and_machine_make_of_it(
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    seen: bool,
    nvcc: Nvcc | None,
    cuda_torch: bool,
    came_out: Nvcc | None,
) -> None:
    monkeypatch.setattr(cuda_build, "gpu_seen", lambda: seen)
    monkeypatch.setattr(cuda_build, "find_nvcc", lambda: nvcc)
    assert cuda_build.choose_nvcc(wanted, cuda_torch) == came_out


def test_all_that_cuda_lacks_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_build, "find_nvcc", lambda: None)
    with pytest.raises(SetupError, match=r"no nvcc: .*CUDA_HOME.*no CUDA in .*site_python"):
        cuda_build.choose_nvcc("cuda", cuda_torch=False)


def test_a_gpu_that_will_not_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cuda_build, "gpu_seen", lambda: True)
    monkeypatch.setattr(cuda_build, "find_nvcc", lambda: None)
    cuda_build.choose_nvcc("auto", cuda_torch=True)
    assert "no nvcc" in capsys.readouterr().err


def test_a_variable_that_wants_gpus_contradicts_a_build_for_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOROVOD_GPU_OPERATIONS", "NCCL")
    arguments = argparse.Namespace(gpu="none", torch="pinned")
    with pytest.raises(SetupError, match=r"HOROVOD_GPU_OPERATIONS .*environment\.gpu \(none\)"):
        with_horovod.choose_cuda(arguments, Path("python"))


def test_torch_and_nvcc_must_be_of_one_cuda(tmp_path: Path) -> None:
    torch = {**TORCH, "nccl": [str(make_nccl(tmp_path))]}
    assert cuda_build.cuda_build(torch, NVCC, None).nvcc == NVCC
    with pytest.raises(SetupError, match=r"CUDA 13\.0 and nvcc in /cuda is .* 12\.6\.85.*load a"):
        cuda_build.cuda_build({**torch, "cuda": "13.0"}, NVCC, None)
    with pytest.raises(SetupError, match=r"2\.13\.0\+cpu is a CPU build"):
        cuda_build.cuda_build({**torch, "torch": "2.13.0+cpu", "cuda": None}, NVCC, None)


@pytest.mark.parametrize(
    ("wanted", "variable", "gpus", "chosen"),
    [
        ([90, 80], "70", [70], [80, 90]),
        (None, "90,70", [80], [70, 90]),
        (None, "", [80], [80]),
        (None, "", [], [70, 80, 90]),  # of torch's five, those that nvcc knows
    ],
)
def test_architectures_are_the_wanted_ones_else_the_gpus_else_torchs(
    monkeypatch: pytest.MonkeyPatch,
    wanted: list[int] | None,
    variable: str,
    gpus: list[int],
    chosen: list[int],
) -> None:
    monkeypatch.setenv("HOROVOD_BUILD_CUDA_CC_LIST", variable)
    torch = {**TORCH, "gpus": gpus}
    assert cuda_build.choose_architectures(wanted, torch, NVCC) == chosen


def test_an_architecture_that_nvcc_does_not_know_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SetupError, match=r"12\.6\.85 does not know the architectures 100, only 70"):
        cuda_build.choose_architectures(None, {**TORCH, "gpus": [100]}, NVCC)
    monkeypatch.setenv("HOROVOD_BUILD_CUDA_CC_LIST", "sm_90")
    with pytest.raises(SetupError, match=r"HOROVOD_BUILD_CUDA_CC_LIST is 'sm_90'.*80,90"):
        cuda_build.choose_architectures(None, TORCH, NVCC)


def test_nccl_is_torchs_unless_the_sites_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_nccl(tmp_path / "site-packages/nvidia/nccl")
    newer = HEADER.replace("27", "28").replace("PATCH 5", "PATCH   3")
    site = make_nccl(tmp_path / "nccl", "lib64/libnccl.so", newer)
    nccl = cuda_build.find_nccl([str(wheel)], tmp_path / "cuda")
    assert (nccl.version, nccl.source) == ("2.27.5", "torch")
    assert CudaBuild(NVCC, nccl, [90]).site_nccl is None
    monkeypatch.setenv("NCCL_HOME", str(site))
    nccl = cuda_build.find_nccl([str(wheel)], tmp_path / "cuda")
    assert (nccl.version, nccl.source) == ("2.28.3", "site")
    assert CudaBuild(NVCC, nccl, [90]).site_nccl == str(site / "lib64")


def test_torch_without_its_own_takes_the_nccl_beside_nvcc(tmp_path: Path) -> None:
    home = make_nccl(tmp_path / "cuda", "lib/x86_64-linux-gnu/libnccl.so.2")
    assert cuda_build.find_nccl([], home).source == "site"


def test_a_folder_without_nccl_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = make_nccl(tmp_path / "wheel")
    monkeypatch.setenv("NCCL_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(SetupError, match=r"no NCCL in NCCL_HOME=.*nowhere .*nccl\.h"):
        cuda_build.find_nccl([str(wheel)], tmp_path)
    monkeypatch.setenv("HOROVOD_NCCL_LIB", "/site/lib")
    with pytest.raises(SetupError, match=r"HOROVOD_NCCL_LIB is not looked at.*NCCL_HOME"):
        cuda_build.find_nccl([str(wheel)], tmp_path)


def test_the_build_sees_one_nccl_and_one_cuda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_nccl(tmp_path / "wheel")
    monkeypatch.setenv("HOROVOD_WITHOUT_NVTX", "0")
    nccl = cuda_build.find_nccl([str(wheel)], tmp_path)
    environment = horovod_build.build_environment(
        tmp_path / "venv", CudaBuild(NVCC, nccl, [80, 90]), tmp_path
    )
    shown = Path(environment["HOROVOD_NCCL_HOME"])
    assert (shown / "lib/libnccl.so").samefile(wheel / "lib/libnccl.so.2")
    assert (shown / "include/nccl.h").read_text() == HEADER
    assert {name: environment[name] for name in environment if "CUDA" in name} == {
        "CUDA_HOME": "/cuda",
        "HOROVOD_CUDA_HOME": "/cuda",
        "HOROVOD_BUILD_CUDA_CC_LIST": "80,90",
    }
    assert environment["HOROVOD_GPU_OPERATIONS"] == "NCCL"
    assert environment["HOROVOD_WITHOUT_NVTX"] == "0"  # the user's stands above ours


@pytest.mark.parametrize(
    ("code", "version"), [(22705, "2.27.5"), (23203, "2.32.3"), (2708, "2.7.8")]
)
def test_nccls_number_is_read(code: int, version: str) -> None:
    assert cuda_build.readable_version(code) == version


@pytest.fixture
def horovod() -> dict[str, Any]:
    """What Horovod says of itself after a build for GPUs."""
    return {
        "nccl_code": 22705,
        "nccl_loaded_code": 22907,
        "nccl_files": ["/a/libnccl.so.2"],
        "horovod": "0.28.1",
        "operations": ["mpi", "nccl"],
    }


def test_a_build_for_gpus_has_nccl_and_shares_torchs(horovod: dict[str, Any]) -> None:
    facts = {"gpu": "cuda"}
    with pytest.raises(SetupError, match="built without NCCL: unset HOROVOD_GPU_OPERATIONS"):
        with_horovod.check_nccl(facts, {**horovod, "nccl_code": 0})
    versions = with_horovod.check_nccl({"gpu": "none"}, {**horovod, "nccl_code": 0})
    assert versions == {"nccl": None, "nccl_loaded": None}
    two = {**horovod, "nccl_files": ["/a/libnccl.so.2", "/site/libnccl.so.2"]}
    with pytest.raises(SetupError, match=r"/a/libnccl.so.2 and /site/.*unset NCCL_HOME"):
        with_horovod.check_nccl(facts, two)
    versions = with_horovod.check_nccl(facts, horovod)
    assert versions == {"nccl": "2.27.5", "nccl_loaded": "2.29.7"}


def test_build_json_tells_the_gpu_build_and_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, horovod: dict[str, Any]
) -> None:
    answers = {
        interpreter.ABI: {"python": "3.11.7", "platform": "linux", "libc": "glibc 2.36"},
        interpreter.TORCH: {**TORCH, "numpy": "2.4.6"},
        interpreter.HOROVOD: horovod,
        interpreter.PACKAGES: ["torch==2.13.0"],
    }
    for module in (build_environment, with_horovod):
        monkeypatch.setattr(module, "ask", lambda _, question: answers[question])
    pin = tmp_path / "horovod.txt"
    pin.write_text(f"horovod==0.28.1 --hash=sha256:{'0' * 64}\n")
    arguments = argparse.Namespace(
        collectives="horovod",
        pins=[pin],
        cuda_architectures=None,
        packages=tmp_path / "packages.txt",
        build_json=tmp_path / "build.json",
    )
    home = tmp_path / "nccl"
    nccl = Nccl("2.27.5", "site", home / "include", home / "lib/libnccl.so")
    cuda = CudaBuild(NVCC, nccl, [80, 90])
    monkeypatch.setattr(with_horovod, "cuda_build", lambda *_: cuda)
    monkeypatch.setattr(with_horovod, "add_horovod", lambda *_: None)
    python, torch = tmp_path / "bin/python", answers[interpreter.TORCH]
    told = with_horovod.finish(arguments, python, torch, None, NVCC)
    build = build_environment.describe(arguments, python, torch, None, told)
    build_environment.save(arguments, python, build)
    text = arguments.build_json.read_text()
    told = {
        "gpu": "cuda",
        "cuda": "12.6",
        "nvcc": "12.6.85",
        "cuda_architectures": [80, 90],
        "nccl": "2.27.5",
        "nccl_loaded": "2.29.7",
        "nccl_source": "site",
    }
    assert {name: json.loads(text)[name] for name in told} == told
    assert str(tmp_path) not in text
