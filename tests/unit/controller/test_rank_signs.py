"""What the launcher's watchdog concludes from the signs of the ranks."""

import os

import pytest

from elboflow.ranks.signs import AT_EXIT, ENDED, Signs


@pytest.fixture
def signs(tmp_path):
    return Signs(tmp_path, ranks=2, limit=600)


def renew(signs, **numbers):
    for name, number in numbers.items():
        (signs.folder / name.removeprefix("rank")).write_text(f"node{name[-1]} {number}\n")


def test_ranks_that_renew_their_signs_are_let_alone(signs):
    for number in range(100):
        renew(signs, rank0=number, rank1=number)
        assert signs.look(60) is None


@pytest.mark.fault("a node that dies", outcome="its ranks are named with it, and all ranks end")
def test_a_rank_whose_sign_stays_the_same_is_named_with_its_host(signs):
    renew(signs, rank0=1, rank1=1)
    for number in range(10):
        renew(signs, rank0=number)
        assert signs.look(60) is None
    renew(signs, rank0=11)
    told = signs.look(60)
    assert told.startswith(
        "error: for 600 seconds (stall_seconds) nothing was done by rank 1 on node1;"
    )


@pytest.mark.fault(
    "a rank that never starts", outcome="it is named after the stated time, and all ranks end"
)
def test_a_rank_that_never_starts_is_named(signs):
    told = []
    for number in range(10):
        renew(signs, rank0=number)
        told.append(signs.look(60))
    assert told[:-1] == [None] * 9
    assert "nothing was done by rank 1, which never started;" in told[-1]


def test_a_launcher_that_does_not_number_its_ranks_is_not_asked_for_them(signs):
    for number in range(20):
        (signs.folder / "node1-4711").write_text(f"node1 {number}\n")
        assert signs.look(60) is None


def test_a_rank_that_has_ended_is_not_waited_for(signs):
    for number in range(20):
        renew(signs, rank0=number, rank1=ENDED)
        assert signs.look(60) is None


@pytest.mark.fault("the folder of the ranks' signs deleted", outcome="no rank is given up for that")
def test_where_signs_cannot_be_read_nothing_is_concluded(signs):
    signs.folder.rmdir()
    assert [signs.look(60) for _ in range(20)] == [None] * 20


def test_signs_of_a_day_ago_are_removed_and_no_others(tmp_path):
    old, young, own, other = (
        tmp_path / name for name in ("log.ranks.a", "log.ranks.b", "log.ranks.c", "log.2.ranks.d")
    )
    for folder in (old, young, own, other):
        folder.mkdir()
        (folder / "0").touch()
        for path in (folder / "0", folder):
            os.utime(path, (0, 0))
    (young / "0").touch()
    (own / "0").touch()
    Signs(own, ranks=1, limit=600)
    assert sorted(tmp_path.iterdir()) == [other, young, own]


def test_marks_of_the_exit_are_no_ranks(signs):
    for number in range(20):
        renew(signs, rank0=number, rank1=number)
        (signs.folder / f"0{AT_EXIT}").touch()
        assert signs.look(60) is None
