"""What the cluster's jobs have used, from an account that anybody may have damaged."""

from pathlib import Path

import pytest

from elboflow.reading.used import read_jobs, summed

HEADER = (
    "ended,job,title,queue,nodes,share,seconds_asked,seconds_used,outcome,efficiency,memory_mib\n"
)
WHOLE = HEADER + (
    "2026-01-01T00:00:00Z,1.es1,train run=a seed=1,rt_HG,1,0.125,7200,3600,done,0.5,2048\n"
    "2026-01-01T00:00:00Z,2.es1,train run=a seed=2,rt_HG,1,0.125,7200,1800,failed,,\n"
    "2026-01-01T00:00:00Z,3.es1,evaluate run=a seed=1,rt_HF,2,1,3600,360,done,0.25,1024\n"
)
FIRST = (
    "ended,job,title,nodes,seconds_asked,seconds_used,outcome\n,1,train run=a,2,3600,1800,done\n"
)


@pytest.fixture
def account(tmp_path: Path) -> Path:
    return tmp_path / "used.csv"


def test_jobs_are_summed_by_rule_and_queue(account: Path) -> None:
    account.write_text(WHOLE)
    evaluate, train, everything = summed(read_jobs(account))
    assert train == {
        "rule": "train",
        "queue": "rt_HG",
        "jobs": 2,
        "asked": 4.0,
        "used": 1.5,
        "charged": 0.1875,
        "efficiency": 0.5,
        "memory": 2.0,
    }
    assert (evaluate["asked"], evaluate["used"]) == (2.0, 0.2)
    assert (everything["jobs"], everything["memory"]) == (3, 2.0)
    assert everything["efficiency"] == pytest.approx((0.5 * 1 + 0.25 * 0.2) / 1.2)


def test_jobs_that_share_a_node_are_one_which_is_held_until_the_last_has_ended(
    account: Path,
) -> None:
    header = HEADER.replace("memory_mib", "memory_mib,pack")
    row = "2026-01-01T00:00:00Z,1.es1,train run=a seed={},rt_HF,1,1,7200,{},done,{},p1\n"
    alone = "2026-01-01T00:00:00Z,2.es1,train run=a seed=1,rt_HF,1,1,7200,360,done,,,\n"
    shared = row.format(1, 3600, "0.5,1024") + row.format(2, 360, ",")
    account.write_text(header + shared + alone + alone)
    (train,) = summed(read_jobs(account))
    assert (train["jobs"], train["asked"], train["used"]) == (3, 6.0, pytest.approx(1.2))
    assert (train["charged"], train["memory"]) == (pytest.approx(1.2), 1.0)


def test_an_account_of_the_first_version_tells_no_charges(account: Path) -> None:
    account.write_text(FIRST)
    (row,) = summed(read_jobs(account))
    assert (row["used"], row["charged"], row["efficiency"]) == (1.0, None, None)


@pytest.mark.parametrize(
    ("text", "jobs"),
    [
        (b"", 0),
        (HEADER.encode(), 0),
        (WHOLE[:-60].encode(), 2),
        (b"\xff\x00\n" * 50, 0),
        (b"a,b\n1,2\n", 0),
        (
            HEADER.encode()
            + b",,train,,nan,,1,1,\n,,train,,1,,-1,1,\n,,   ,,1,,1,1,\n,,x,,1,,1,1,\n",
            1,
        ),
        (WHOLE.encode() + b'"' + b"x" * 200_000, 3),
    ],
)
def test_what_cannot_be_read_says_nothing(account: Path, text: bytes, jobs: int) -> None:
    account.write_bytes(text)
    assert len(read_jobs(account)) == jobs


def test_no_account_and_a_folder_in_its_place(tmp_path: Path) -> None:
    assert summed(read_jobs(tmp_path / "used.csv")) == summed(read_jobs(tmp_path)) == []
