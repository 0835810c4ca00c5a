"""What jobs are said to have used."""

import csv
import os

import pytest
from snakemake_executor_plugin_qsub.account import Account
from snakemake_executor_plugin_qsub.status import Used


@pytest.fixture
def account(journal):
    return Account(journal)


def at(path, seconds, text=""):
    path.write_text(text)
    os.utime(path, (seconds, seconds))


def rows(account):
    with account.path.open() as file:
        return list(csv.DictReader(file))


def test_a_job_has_used_its_share_of_its_nodes_from_its_start_to_its_end(
    account, journal, make_record
):
    record = make_record(nodes=2, seconds=7200, share=0.125, queue="rt_HG")
    at(journal.started(record), 1000)
    at(journal.marker(record), 1900)
    account.add(record, "train run=a, seed=1", "done", Used(0.87501, 134.9))
    assert account.line() == f"1 job used 0.06 of the 0.50 node-hours asked for: {account.path}"
    (row,) = rows(account)
    assert {name: row[name] for name in list(row)[1:]} == {
        "job": "1.es1",
        "title": "train run=a, seed=1",
        "nodes": "2",
        "share": "0.125",
        "seconds_asked": "7200",
        "seconds_used": "900",
        "outcome": "done",
        "queue": "rt_HG",
        "efficiency": "0.875",
        "memory_mib": "135",
        "pack": "",
    }


def test_a_job_that_was_given_fewer_nodes_than_it_asked_for_has_used_those(
    account, journal, make_record
):
    record = make_record(nodes=4, least=1)
    at(journal.started(record), 1000)
    at(journal.marker(record), 2800)
    journal.host(record).write_text("g0001 2\n")
    account.add(record, "train", "done")
    assert account.line().startswith("1 job used 1.00 of the 2.00 node-hours asked for")
    assert rows(account)[0]["nodes"] == "2"


def test_a_node_that_jobs_share_is_charged_until_the_last_has_ended(account, journal, make_record):
    for token, seconds in (("a", 360), ("b", 1800), ("c", 60)):
        record = make_record(token, pack="p")
        at(journal.started(record), 1000)
        at(journal.marker(record), 1000 + seconds)
        account.add(record, token, "done")
    assert account.line().startswith("1 job used 0.50 of the 1.00 node-hours")
    assert [row["pack"] for row in rows(account)] == ["p", "p", "p"]


def test_jobs_add_up_over_drivers(account, journal, make_record):
    for driver in (account, Account(journal)):
        record = make_record()
        at(journal.started(record), 1000)
        at(journal.marker(record), 1000 + 360)
        driver.add(record, "a", "done")
        journal.close(record)
    assert driver.line().startswith("1 job used 0.10 of the 1.00 node-hours"), "those of one driver"
    assert [row["seconds_used"] for row in rows(account)] == ["360", "360"], "one header"


def test_a_job_that_was_killed_has_used_them_until_now(account, journal, make_record):
    record = make_record()
    now = journal.jobs.stat().st_mtime
    at(journal.started(record), now - 1800)
    account.add(record, "a", "failed")
    assert 1800 <= int(rows(account)[0]["seconds_used"]) < 1900


def test_a_job_that_never_started_has_used_nothing(account, make_record):
    account.add(make_record(), "a", "deleted")
    assert account.line() == "" and not account.path.exists()


@pytest.mark.parametrize("text", ["ended,job,title\n,1,a\n", "", "ended,job,tit"])
def test_an_account_of_other_columns_is_set_aside(account, journal, make_record, text):
    account.path.write_text(text)
    record = make_record()
    at(journal.started(record), 1000)
    account.add(record, "a", "done")
    assert [row["title"] for row in rows(account)] == ["a"]
    assert (journal.root / "used.old.csv").read_text() == text


@pytest.mark.fault("the account of node-hours cannot be written", outcome="the sum is told")
def test_an_account_that_cannot_be_written_costs_no_job(account, journal, make_record):
    record = make_record()
    at(journal.started(record), 1000)
    at(journal.marker(record), 1360)
    account.path.mkdir()
    account.add(record, "a", "done")
    assert account.line().startswith("1 job used 0.10")
