"""The stand-in for PBS answers as the captured answers in pbs/ do, and runs jobs as PBS does."""

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STAND_IN = HERE / "pbs_stand_in"
CAPTURED = {path.stem: path.read_text() for path in (HERE / "pbs").glob("*.txt")}
# Its queue gives other cpus and another placement than the stand-in's.
CAPTURED.pop("history_off_running_without_x")
# It knows no limit but the walltime, loses no nodes and starts no job over.
NOT_REPEATED = (
    r"killed_cput|sister_mom_killed|walltime_snakemake_job|held_later|node_lost|requeued_.*"
)
for name in [name for name in CAPTURED if re.fullmatch(NOT_REPEATED, name)]:
    CAPTURED.pop(name)
NEUTRAL_RUN, NEUTRAL_HOME = "/groups/gxx00000/run", "/home/abci"
MINIMAL = ("-P", "gxx00000", "-q", "rt_HF", "-l", "select=1")
SLEEP = "sleep 100 & echo $! > $PBS_O_WORKDIR/child\nsleep 100\n"
PATIENCE = 20  # s


@dataclass
class Pbs:
    """A stand-in with an empty state, a home and a folder to submit from."""

    folder: Path

    def __post_init__(self) -> None:
        self.run, self.home, self.state = (self.folder / name for name in ("run", "home", "pbs"))
        (self.run / "logs").mkdir(parents=True)
        self.home.mkdir()
        self.environment = {
            "PATH": f"{STAND_IN}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "LOGNAME": "abci",
            "PBS_STAND_IN_USER": "abci",
            "MAIL": "/var/mail/abci",
            "SHELL": "/bin/bash",
            "PBS_STAND_IN": str(self.state),
        }

    def call(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command; `variables` are added to its environment."""
        environment = self.environment | variables
        return subprocess.run(
            command, cwd=self.run, env=environment, capture_output=True, text=True, check=False
        )

    def submit(self, body: str, *options: str, **variables: str) -> str:
        """Submit a script with this body and return the job's id."""
        (self.run / "job.sh").write_text(f"#!/bin/bash\n{body}\n")
        answer = self.call("qsub", *MINIMAL, *options, "job.sh", **variables)
        assert not answer.returncode, answer.stderr
        return answer.stdout.strip()

    def attributes(self, job_id: str, how: str = "-xf") -> dict[str, str]:
        text = self.call("qstat", how, job_id).stdout.replace("\n\t", "")
        return dict(re.findall(r"^    (\S+) = (.*)$", text, re.MULTILINE))

    def wait(self, job_id: str, state: str = "F") -> dict[str, str]:
        """Return the job's attributes once it is in that state."""
        return self.wait_until(job_id, lambda found: found["job_state"] == state)

    def wait_until(
        self, job_id: str, reached: Callable[[dict], bool], how: str = "-xf"
    ) -> dict[str, str]:
        deadline = time.monotonic() + PATIENCE
        while not reached(found := self.attributes(job_id, how)):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found

    def end_all(self) -> None:
        """Leave no process behind."""
        for job_id in re.findall(r"^\d+\.\w+", self.call("qstat").stdout, re.MULTILINE):
            self.call("qdel", job_id)
            self.wait(job_id)


@pytest.fixture
def pbs(tmp_path: Path) -> Iterator[Pbs]:
    server = Pbs(tmp_path)
    yield server
    server.end_all()


class Replay(Pbs):
    """The same commands, in the same situation, as those that were captured."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.answers: dict[str, str] = {}
        for name, body in {
            "pbs": "",
            "ok": "",
            "bad": "exit 3",
            "k9": "kill -9 $$",
            "sl": "sleep 100",
        }.items():
            (self.run / f"{name}.sh").write_text(f"#!/bin/bash\n{body}\n")

    def repeat(self, *names: str) -> None:
        """Run the commands of these captures and keep the answers, paths made neutral."""
        for name in names:
            command = CAPTURED[name].partition("\n")[0].removeprefix("$ ")
            answer = self.call(*shlex.split(command.replace(NEUTRAL_RUN, str(self.run))))
            text = f"{answer.stdout}--- stderr\n{answer.stderr}--- exit {answer.returncode}\n"
            self.answers[name] = f"$ {command}\n{text}"

    def qsub(self, options: str, *first: str) -> None:
        given = (*first, "-P", "gxx00000", "-q", "rt_HF", *shlex.split(options))
        answer = self.call("qsub", *given)
        assert not answer.returncode, answer.stderr

    def play(self) -> None:
        """Go through the captured situation, job by job."""
        self.qsub("-l select=1 pbs.sh")
        self.repeat("submit")
        self.qsub("-l select=1 ok.sh")
        self.wait("1.es1", "R")
        self.repeat("running")
        joined = f"-l select=1:mpiprocs=8 -j oe -o {self.run}/logs/"
        for script in ("ok", "bad"):
            self.qsub(f"{joined} -l walltime=0:10:00 {script}.sh")
        self.qsub(f"{joined} -l walltime=0:00:08 sl.sh")
        for script in ("sl", "k9"):
            self.qsub(f"{joined} -l walltime=0:10:00 {script}.sh")
        self.qsub("-l select=1 -l walltime=0:10:00 sl.sh", "-h")
        self.qsub("-l select=64 -l walltime=0:10:00 sl.sh")
        self.repeat("held", "queued_cannot_run_yet", "unknown", "version")
        self.repeat(*(name for name in CAPTURED if name.startswith("submit_")))
        self.environment["PBS_STAND_IN_MOST"] = "1"
        self.repeat("over_queue_limit")
        del self.environment["PBS_STAND_IN_MOST"]
        for job_id in ("0.es1", "2.es1", "3.es1", "4.es1", "7.es1"):
            self.wait(job_id)
        assert not self.call("qdel", "-x", "2.es1").returncode  # the capture has no job 2
        self.repeat("finished_exit_0", "finished_exit_3", "finished_kill_9", "finished_without_x")
        self.repeat("many_one_unknown", "many_json", "many_dsv")
        self.wait_until("6.es1", lambda job: job["resources_used.walltime"] >= "00:00:04")
        self.repeat("qdel_running", "qdel_held")
        self.wait("6.es1")
        self.repeat("finished_qdel_while_running", "finished_qdel_before_start")
        self.wait("5.es1")
        self.repeat("finished_walltime", "list", "list_x", "qdel_many_one_finished")
        self.repeat("qdel_unknown")
        self.play_without_history()

    def play_without_history(self) -> None:
        (self.state / "no-history").touch()
        (self.state / "next_number").write_text("32")
        self.qsub("-l select=1 sl.sh")
        self.wait_until("32.es1", lambda job: job.get("job_state") == "R", "-f")
        self.repeat("history_off_running")
        assert not self.call("qdel", "32.es1").returncode
        self.wait_until("32.es1", lambda job: not job, "-f")
        self.repeat(*(name for name in CAPTURED if name.startswith("history_off_")))
        (self.state / "no-history").unlink()


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    server = Replay(tmp_path_factory.mktemp("replay"))
    try:
        server.play()
        yield server
    finally:
        server.end_all()


def unfold(text: str) -> str:
    return text.replace("\n\t", "") if text.startswith("$ qstat -x") else text


def comparable(text: str) -> str:
    """Replace what differs from run to run; keys, order, states and wording stay."""
    for pattern, replacement in {
        r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}": "DATE",
        r"\w{3} \w{3} \d\d at \d\d:\d\d": "DATE",
        r"((?:history_|\")timestamp\"?[ =:\t]+)\d+": r"\1SECONDS",
        r"(session_id\"?[ =:\t]+)\d+": r"\1SESSION",
        r"(resources_used\.(?:cput|mem|vmem|walltime) ?= ?)[\d:]+": r"\1USED",
        r"(\"(?:cput|mem|vmem|walltime)\":\t\")[\d:]+": r"\1USED",
        r"(  )\d\d:\d\d:\d\d( [RF] )": r"\1HH:MM:SS\2",
        r"(g000\d)/\d": r"\1/SLOT",
        r"(PBS_O_PATH(?:=|\":\t\"))[^,|\"]*": r"\1PATH",
    }.items():
        text = re.sub(pattern, replacement, text)
    # Where the path broke over two lines, the captures lost its end.
    return text.replace(f"-o {NEUTRAL_RUN}/ ", f"-o {NEUTRAL_RUN}/logs/ ")


def test_every_captured_answer_is_repeated(replay: Replay) -> None:
    assert sorted(replay.answers) == sorted(CAPTURED)


@pytest.mark.parametrize("name", sorted(CAPTURED))
def test_answer_is_the_captured_one(replay: Replay, name: str) -> None:
    answer = unfold(replay.answers[name])
    answer = answer.replace(str(replay.run), NEUTRAL_RUN).replace(str(replay.home), NEUTRAL_HOME)
    assert comparable(answer) == comparable(unfold(CAPTURED[name]))


@pytest.fixture
def fold(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Return the stand-in's own fold(name, value)."""
    monkeypatch.syspath_prepend(STAND_IN)
    from stand_in.attributes import fold

    return fold


IN_FULL = sorted(name for name, text in CAPTURED.items() if re.match(r"\$ qstat -xf .*\nJob", text))


def folded_lines(text: str) -> list[tuple[str, str, str]]:
    """Return each attribute as it is printed, its name and its unfolded value."""
    lines = re.findall(r"^    .*(?:\n\t.*)*$", text, re.MULTILINE)
    return [(line, *line.replace("\n\t", "").strip(" ").split(" = ", 1)) for line in lines]


@pytest.mark.parametrize("name", IN_FULL)
def test_long_lines_fold_as_captured(fold: Callable[[str, str], str], name: str) -> None:
    neutral, as_long = "/usr/local/bin:/usr/bin:/bin", "X" * 50
    for line, key, value in folded_lines(CAPTURED[name]):
        if f"-o {NEUTRAL_RUN}/ " in line:
            continue  # made neutral after it was folded
        # PATH had a length at which it filled a line of its own, before it was made neutral.
        assert fold(key, value.replace(neutral, as_long)).replace(as_long, neutral) == line


@pytest.mark.parametrize("name", IN_FULL)
def test_answers_are_folded(replay: Replay, fold: Callable[[str, str], str], name: str) -> None:
    for line, key, value in folded_lines(replay.answers[name]):
        assert fold(key, value) == line


def test_script_is_copied_at_submission(pbs: Pbs) -> None:
    job_id = pbs.submit("echo old", PBS_STAND_IN_DELAY="1")
    (pbs.run / "job.sh").write_text("#!/bin/bash\necho new\n")
    pbs.wait(job_id)
    assert (pbs.run / "job.sh.o0").read_text() == "old\n"


def test_job_has_its_own_environment(pbs: Pbs) -> None:
    body = "pwd; env"
    pbs.wait(pbs.submit(body, "-v", "A=1,B='x,y',C", "-N", "named", C="3", HIDDEN="secret"))
    lines = (pbs.run / "named.o0").read_text().splitlines()
    assert lines[0] == str(pbs.home)
    assert {"A=1", "B=x,y", "C=3", "PBS_JOBID=0.es1", "PBS_JOBNAME=named"} <= set(lines)
    assert {f"PBS_O_WORKDIR={pbs.run}", "PBS_O_HOST=es1", "PBS_ENVIRONMENT=PBS_BATCH"} <= set(lines)
    assert not any(line.startswith(("HIDDEN", "MAIL")) for line in lines)


@pytest.mark.parametrize(
    ("select", "hosts"),
    [("2:mpiprocs=2", ["a1", "a1", "a2", "a2"]), ("3", ["a1", "a2", "a3"])],
)
def test_node_file_repeats_each_host(pbs: Pbs, select: str, hosts: list[str]) -> None:
    nodes = {"PBS_STAND_IN_NODES": "a1 a2 a3"}
    pbs.wait(pbs.submit("cat $PBS_NODEFILE", "-l", f"select={select}", **nodes))
    assert (pbs.run / "job.sh.o0").read_text().split() == hosts


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_walltime_ends_all_processes_of_the_job(pbs: Pbs) -> None:
    job = pbs.wait(pbs.submit("trap '' TERM\n" + SLEEP, "-l", "walltime=1", "-j", "oe"))
    assert (job["Exit_status"], job["substate"]) == ("-29", "93")
    assert not is_running(int((pbs.run / "child").read_text()))
    message = r"=>> PBS: job killed: walltime \d+ exceeded limit 1\n"
    assert re.search(message, (pbs.run / "job.sh.o0").read_text())


def test_qdel_ends_all_processes_of_the_job(pbs: Pbs) -> None:
    job_id = pbs.submit(SLEEP)
    session = int(pbs.wait(job_id, "R")["session_id"])
    assert not pbs.call("qdel", job_id).returncode
    assert pbs.wait(job_id)["Exit_status"] == "271"
    assert not is_running(session)


def test_job_starts_late(pbs: Pbs) -> None:
    job_id = pbs.submit("", PBS_STAND_IN_DELAY="1")
    assert pbs.attributes(job_id)["job_state"] == "Q"
    assert pbs.wait(job_id)["Exit_status"] == "0"


def test_deleted_before_its_start(pbs: Pbs) -> None:
    job_id = pbs.submit("touch $PBS_O_WORKDIR/ran", PBS_STAND_IN_DELAY="1")
    assert not pbs.call("qdel", job_id).returncode
    assert "Exit_status" not in pbs.wait(job_id)
    time.sleep(1.5)
    assert not (pbs.run / "ran").exists()


def test_no_more_jobs_run_than_there_are_slots(pbs: Pbs) -> None:
    first = pbs.submit("sleep 100", PBS_STAND_IN_SLOTS="1")
    pbs.wait(first, "R")
    second = pbs.submit("", PBS_STAND_IN_SLOTS="1")
    time.sleep(0.5)
    assert pbs.attributes(second)["job_state"] == "Q"
    pbs.call("qdel", first)
    pbs.wait(second)


def test_output_appears_at_the_end_unless_written_directly(pbs: Pbs) -> None:
    spooled = pbs.submit("echo text; sleep 100", "-o", "spooled")
    direct = pbs.submit("echo text; sleep 100", "-o", "direct", "-k", "oed", "-j", "oe")
    pbs.wait_until(direct, lambda _: (pbs.run / "direct").exists())
    pbs.wait(spooled, "R")
    assert not (pbs.run / "spooled").exists()
    pbs.end_all()
    assert (pbs.run / "spooled").read_text() == "text\n"


def test_job_without_supervisor_does_not_look_alive(pbs: Pbs) -> None:
    job_id = pbs.submit(SLEEP)
    session = int(pbs.wait(job_id, "R")["session_id"])
    parent = Path(f"/proc/{session}/stat").read_text().rpartition(")")[2].split()[1]
    os.kill(int(parent), signal.SIGKILL)
    assert pbs.wait(job_id)["Exit_status"] == "-4"
    assert not is_running(session)


def test_qstat_fails_on_request(pbs: Pbs) -> None:
    job_id = pbs.submit("")
    (pbs.state / "fail-qstat").touch()
    answer = pbs.call("qstat", "-xf", job_id)
    assert (answer.returncode, answer.stdout) == (255, "")
    assert "cannot connect to server" in answer.stderr
    (pbs.state / "fail-qstat").unlink()
    pbs.wait(job_id)


def test_submissions_at_once_get_different_ids(pbs: Pbs) -> None:
    (pbs.run / "job.sh").write_text("#!/bin/bash\n")
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: pbs.call("qsub", *MINIMAL, "job.sh"), range(20)))
    assert {answer.stdout for answer in answers} == {f"{number}.es1\n" for number in range(20)}
    assert len((pbs.state / "calls.log").read_text().splitlines()) == 20
    for number in range(20):
        assert pbs.wait(f"{number}.es1")["Exit_status"] == "0"


def test_simulated_jobs_have_no_process(pbs: Pbs) -> None:
    simulate = {"PBS_STAND_IN_SIMULATE": "1", "PBS_STAND_IN_SECONDS": "3"}
    finishing = pbs.submit("touch $PBS_O_WORKDIR/ran", **simulate)
    deleted = pbs.submit("", **simulate)
    assert pbs.attributes(finishing)["job_state"] == "R"
    assert not pbs.call("qdel", deleted).returncode
    assert pbs.attributes(deleted)["Exit_status"] == "271"
    assert pbs.wait(finishing)["Exit_status"] == "0"
    assert not (pbs.run / "ran").exists()


@pytest.mark.parametrize("missing", [0, 2, 4])
def test_mandatory_options(pbs: Pbs, missing: int) -> None:
    (pbs.run / "job.sh").touch()
    options = MINIMAL[:missing] + MINIMAL[missing + 2 :]
    answer = pbs.call("qsub", *options, "job.sh")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "mandatory" in answer.stderr


@pytest.mark.parametrize(
    "options", [("-q", "rt_HG", "-l", "select=2"), ("-l", "walltime=169:00:00")]
)
def test_limits_of_the_queues(pbs: Pbs, options: tuple[str, ...]) -> None:
    (pbs.run / "job.sh").touch()
    answer = pbs.call("qsub", *MINIMAL, *options, "job.sh")
    assert answer.returncode == 188
    assert answer.stderr == "qsub: Job violates queue and/or server resource limits\n"
