"""States by digest: which are kept, which are dropped, and what is said of it."""

import errno
import fcntl
import os

import pytest

from elboflow.ranks import kept_states, state_lock
from elboflow.ranks.kept_states import MOST_KEPT, begin, main, place, states


@pytest.fixture(autouse=True)
def jobs_end(monkeypatch):
    """Of what holds a lock to the end of its process the next test sees nothing."""
    monkeypatch.setattr(state_lock, "SECONDS_TO_WAIT", 0)
    monkeypatch.setattr(state_lock, "_held", [])


def end_jobs():
    """As if all that began had ended."""
    state_lock._held.clear()


def make(folder, *digests, results="results"):
    """States that were used one after the other, for the same results."""
    for day, digest in enumerate(digests):
        state = place(folder, digest * 64)
        begin(state, results)
        end_jobs()
        (state / "checkpoint.pt").write_bytes(bytes(500_000))
        os.utime(state, (day, day))


def names(folder):
    return "".join(state.name[0] for state in states(folder))


def test_the_newest_few_are_kept_and_what_they_take_is_said(tmp_path, capsys):
    make(tmp_path, "1", "2", "3", "4", "5")
    assert names(tmp_path) == "2345"
    assert len(states(tmp_path)) == MOST_KEPT
    last = capsys.readouterr().err.splitlines()[-1]
    assert "starting over. It takes 1.5 MB: the newest 4 are kept" in last
    assert "make clean-state" in last


def test_a_state_that_is_used_again_is_the_newest(tmp_path, capsys):
    make(tmp_path, "1", "2", "3", "4")
    capsys.readouterr()
    begin(place(tmp_path, "1" * 64), "results")
    assert capsys.readouterr().err == ""
    begin(place(tmp_path, "5" * 64), "results")
    assert names(tmp_path) == "3415"


def test_other_folders_are_let_alone(tmp_path):
    (tmp_path / "evaluate").mkdir()
    make(tmp_path, "1", "2", "3", "4", "5")
    assert (tmp_path / "evaluate").exists()


@pytest.fixture
def results(tmp_path):
    for run in ("present", "gone"):
        seed = tmp_path / "state" / run / "seed1"
        made = tmp_path / "runs" / run / "seed1"
        make(seed, "1", "2", results=made)
        make(seed / "evaluate", "3", "4", results=made)
    (tmp_path / "state" / "present" / "seed1.superseded").mkdir()
    (tmp_path / "runs" / "present" / "seed1").mkdir(parents=True)
    return tmp_path


def test_cleaning_keeps_what_the_present_results_were_made_from(results, capsys):
    main(results)
    seed = results / "state" / "present" / "seed1"
    assert (names(seed), names(seed / "evaluate")) == ("2", "4")
    assert names(results / "state" / "gone" / "seed1") == ""
    assert not seed.with_name("seed1.superseded").exists()
    assert "7 former states dropped, 3.0 MB freed" in capsys.readouterr().out
    main(results)
    assert "0 former states dropped, 0.0 MB freed" in capsys.readouterr().out


def test_experiments_that_share_states_keep_one_each(results):
    seed = results / "state" / "present" / "seed1"
    (results / "other" / "runs" / "present" / "seed1").mkdir(parents=True)
    make(seed, "5", "1", results=results / "other" / "runs" / "present" / "seed1")
    main(results)
    assert names(seed) == "21"
    (results / "other" / "runs" / "present" / "seed1").rmdir()
    main(results)
    assert names(seed) == "2"


def test_cleaning_leaves_what_a_job_works_on(results):
    """Of a run that has no results yet."""
    seed = results / "state" / "gone" / "seed1"
    with (place(seed, "1" * 64) / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        main(results)
    assert (names(seed), names(seed / "evaluate")) == ("1", "")


def test_runs_of_one_name_in_two_experiments_work_beside_each_other(tmp_path):
    begin(place(tmp_path, "1" * 64), "results/runs/a/seed1")
    begin(place(tmp_path, "2" * 64), "results/b/runs/a/seed1")
    with pytest.raises(state_lock.InUse, match=r"1111 is being .* for results/runs/a/seed1: wait"):
        begin(place(tmp_path, "1" * 64), "results/c/runs/a/seed1")


def test_a_state_that_a_job_works_on_gives_no_room_to_others(tmp_path):
    begin(place(tmp_path, "1" * 64), "results/runs/a/seed1")
    os.utime(place(tmp_path, "1" * 64), (0, 0))
    for digest in "23456":
        begin(place(tmp_path, digest * 64), f"results/{digest}")
        os.utime(place(tmp_path, digest * 64), (int(digest), int(digest)))
    assert names(tmp_path) == "123456"
    end_jobs()
    begin(place(tmp_path, "7" * 64), "results/7")
    assert names(tmp_path) == "4567"


def test_uses_that_were_torn_in_writing_hide_no_other(results):
    seed = results / "state" / "present" / "seed1"
    with (seed / ".last").open("a") as file:
        file.write("11111")
    make(seed, "1", results=results / "runs" / "present" / "seed1")
    main(results)
    assert names(seed) == "1"


@pytest.mark.fault(
    "states whose times are of a clock that went back, or of a copy",
    outcome="`make clean-state` keeps the one that was used last",
)
def test_times_do_not_decide_which_state_was_used_last(results):
    seed = results / "state" / "present" / "seed1"
    os.utime(place(seed, "1" * 64), (10**10, 10**10))
    main(results)
    assert names(seed) == "2"


def test_a_state_of_another_disk_is_let_alone(results, tmp_path):
    """As a user links it: a link is not dropped, nor what is behind it."""
    seed = results / "state" / "present" / "seed1"
    place(seed, "1" * 64).rename(tmp_path / "elsewhere")
    place(seed, "1" * 64).symlink_to(tmp_path / "elsewhere")
    seed.with_name("seed3.superseded").symlink_to("nowhere")
    main(results)
    make(seed, "3", "4", "5", "6", "7")
    assert place(seed, "1" * 64).is_symlink() and (tmp_path / "elsewhere").exists()
    assert names(seed) == "4567"


def test_a_state_that_cannot_be_dropped_is_named_in_one_line(results, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", "checkpoint.pt")

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(SystemExit) as caught:
        main(results)
    message = str(caught.value)
    assert f"permission denied: {results}/state/" in message and "correct the perm" in message


def test_cleaning_where_nothing_is(tmp_path, capsys):
    kept_states.main(tmp_path / "results")
    assert "0 former states dropped" in capsys.readouterr().out
