"""The table of queues, and walltimes that grow."""

from fractions import Fraction

import pytest
from snakemake_executor_plugin_qsub import queues
from snakemake_executor_plugin_qsub.request import Request
from snakemake_interface_common.exceptions import WorkflowError

LINES = ["rt_HG share=1/8 ssh=0", "rt_HF nodes=128 tasks_per_node=8 ssh=1"]


@pytest.fixture
def table():
    return queues.read(LINES)


def test_a_table_is_read_and_written(table):
    assert table["rt_HG"] == queues.Queue("rt_HG", 1, 1, Fraction(1, 8), {"ssh": "0"})
    assert queues.read(queues.written(table)) == table
    assert list(table) == ["rt_HG", "rt_HF"]


@pytest.mark.parametrize(
    ("nodes", "tasks", "queue"),
    [(1, 1, "rt_HG"), (1, 2, "rt_HF"), (2, 1, "rt_HF"), (128, 8, "rt_HF")],
)
def test_a_job_goes_to_the_first_queue_that_has_room(table, nodes, tasks, queue):
    assert queues.choose(table, None, nodes, tasks, "train").name == queue


@pytest.mark.parametrize(("nodes", "tasks"), [(129, 1), (1, 9)])
def test_a_job_that_fits_no_queue_is_refused(table, nodes, tasks):
    told = rf"^train: no queue has room for {nodes} nodes x {tasks} tasks \(rt_HG 1 x 1, rt_HF 12"
    with pytest.raises(WorkflowError, match=told):
        queues.choose(table, None, nodes, tasks, "train")


def test_a_queue_that_a_job_names_is_kept(table):
    assert queues.choose(table, "rt_HG", 4, 8, "train") is table["rt_HG"]
    assert queues.choose(table, "mine", 4, 8, "train") == queues.Queue("mine")
    assert queues.choose({}, "mine", 4, 8, "train") is None


@pytest.mark.parametrize(
    "line",
    [
        *("", " ", "nodes=1", "q nodes=0", "q nodes=-1", "q nodes=two", "q tasks_per_node=1.5"),
        *("q share=0", "q share=1/0", "q share=-1", "q share=nan", "q share=", "q ssh", "q ssh="),
    ],
)
def test_a_line_that_is_none_is_shown(line):
    with pytest.raises(WorkflowError, match=r"^qsub-queues: a line is the name of a queue") as told:
        queues.read([line])
    assert str(told.value).endswith(f"not {line!r}")


def test_two_lines_of_a_queue_are_refused():
    with pytest.raises(WorkflowError, match=r"^qsub-queues has two lines of q"):
        queues.read(["q", "q nodes=2"])


@pytest.mark.parametrize(
    ("longest", "minutes"), [(0, [10] * 5), (45, [10, 20, 40, 45, 45]), (5, [10] * 5)]
)
def test_each_walltime_is_twice_as_long_as_the_one_before_up_to_the_longest(longest, minutes):
    first = Request("job", "job", {}, 600, 2, 1, 5, 120, longest=60 * longest)
    assert [first.at(walltime).seconds / 60 for walltime in range(1, 6)] == minutes
    assert first.most_node_hours == pytest.approx(2 * sum(minutes) / 60)


def test_any_number_of_walltimes_can_be_added_up():
    first = Request("job", "job", {}, 3600, 1, 1, 10**12, 120, longest=7200)
    assert first.most_node_hours == pytest.approx(2e12)
    assert first.at(10**12).seconds == 7200
