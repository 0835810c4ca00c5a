"""Which hosts are bad, and what follows from it."""

import logging

import pytest
from snakemake_executor_plugin_qsub import gridengine, pbs
from snakemake_executor_plugin_qsub.account import Account
from snakemake_executor_plugin_qsub.ending import Ending
from snakemake_executor_plugin_qsub.hosts import Hosts
from snakemake_executor_plugin_qsub.preconditions import check_exclude
from snakemake_executor_plugin_qsub.request import Request
from snakemake_executor_plugin_qsub.settings import ExecutorSettings
from snakemake_executor_plugin_qsub.submitting import Submitting
from snakemake_interface_common.exceptions import WorkflowError

FAILED = "exit code 1"


@pytest.fixture
def told():
    return []


@pytest.fixture
def hosts(told):
    return Hosts("-l h=!({hosts})", told.append)


def test_a_host_on_which_jobs_fail_that_succeed_elsewhere_is_left_out(hosts, told):
    hosts.succeeds("g0001", "train")
    for _ in range(3):
        assert hosts.words() == []
        hosts.fails("g0002", "train", FAILED)
    assert hosts.words() == ["-l", "h=!(g0002)"]
    hosts.fails("g0002", "train", FAILED)
    assert told == [
        "host g0002: 3 jobs in a row failed there, and others of their rules (train) succeeded "
        "elsewhere: left out of later submissions"
    ]


def test_all_bad_hosts_stand_in_one_pattern(hosts):
    for host in ("g0002", "g0003"):
        for _ in range(3):
            hosts.fails(host, "train", FAILED)
    assert hosts.bad == [], "so far the rule may be to blame"
    hosts.succeeds("g0001", "train")
    assert hosts.words() == ["-l", "h=!(g0002|g0003)"]


def test_a_rule_that_fails_everywhere_speaks_against_no_host(hosts):
    hosts.succeeds("g0002", "train")
    hosts.succeeds("g0001", "evaluate")
    for host in ["g0001", "g0002"] * 4:
        hosts.fails(host, "train_wrongly", FAILED)
    assert hosts.bad == []


def test_a_success_begins_the_count_anew(hosts):
    hosts.succeeds("g0001", "train")
    for _ in range(2):
        for _ in range(2):
            hosts.fails("g0002", "train", FAILED)
        hosts.succeeds("g0002", "evaluate")
    assert hosts.bad == []


@pytest.mark.parametrize(
    "reason",
    [
        "killed at its walltime of 01:00:00",
        "exit code 143: deleted with qdel, not by this workflow",
        "killed over its limit of cput",
        "not done after 10 walltimes",
    ],
)
def test_what_no_host_is_to_blame_for(hosts, reason):
    hosts.succeeds("g0001", "train")
    for _ in range(5):
        hosts.fails("g0002", "train", reason)
    assert hosts.bad == []


def test_where_nothing_can_leave_a_host_out_it_is_named_all_the_same(told):
    hosts = Hosts("", told.append)
    hosts.succeeds("g0001", "train")
    for _ in range(3):
        hosts.fails("g0002", "train", FAILED)
    assert hosts.words() == [] and told[0].endswith("succeeded elsewhere: tell the site")


@pytest.mark.parametrize(
    ("template", "dialect", "complaint"),
    [
        ("-l host=!{hosts}", pbs, "on PBS a job cannot leave hosts out"),
        ("-l h=!g0001", gridengine, "must hold {hosts}"),
        ("-l 'h=!({hosts})", gridengine, "No closing quotation"),
    ],
)
def test_words_that_would_keep_no_job_away_are_refused(template, dialect, complaint):
    with pytest.raises(WorkflowError, match=complaint):
        check_exclude(template, dialect)


@pytest.mark.parametrize(
    ("text", "host", "nodes"),
    [
        ("g0001.site 2\n", "g0001.site", 2),
        ("g0001\n", "g0001", 4),  # of a job that an older version submitted
        *((f"g0001 {wrong}\n", "g0001", 4) for wrong in (0, 5)),
        *((text, "", 4) for text in ("g0001|*\n", "g0001 2", "g0001 -1\n", "")),
    ],
)
def test_the_host_that_a_job_ran_on_and_how_many_there_were(
    journal, make_record, text, host, nodes
):
    record = make_record(nodes=4)
    assert journal.ran_on(record) == ("", 4)
    journal.host(record).write_text(text)
    assert journal.ran_on(record) == (host, nodes)


def test_a_submission_is_kept_away_from_the_hosts_on_which_jobs_failed(journal, make_record, told):
    settings = ExecutorSettings(
        dialect="gridengine", submit="qsub -N {name} {script}", exclude="-l h=!({hosts})"
    )
    asked = Request("train seed=1", "train.1", {}, 3600, 1, 1, 1, 0, extra=("-p", "-5"))
    submitting = Submitting(settings, gridengine, journal, lambda record: False, told.append)
    ending = Ending(journal, Account(journal), submitting, logging.getLogger())
    for number, host in enumerate(["g0001", "g0002", "g0002", "g0002"]):
        record = make_record(f"train-{number}", str(number))
        submitting.watch_on(asked, record)
        journal.host(record).write_text(f"{host}\n")
        ending.judge_host(record, "exit code 1" if host == "g0002" else "")
    words = submitting.words(asked, record)
    assert words[3:7] == ["-p", "-5", "-l", "h=!(g0002)"]
