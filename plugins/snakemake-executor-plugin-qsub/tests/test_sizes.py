"""How many nodes a further try asks for, where fewer will do as well."""

import csv
from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_qsub import gridengine, pbs, pbs_nodes, queues
from snakemake_executor_plugin_qsub.commands import Answer
from snakemake_executor_plugin_qsub.settings import ExecutorSettings
from snakemake_executor_plugin_qsub.sizes import Sizes

# In the form of pbs/nodes/, with a label and the lines of other sites.
NODE = """\
{name}
     Mom = {name}.site
     ntype = PBS
     state = {state}
     pcpus = 32
{more}     resources_available.arch = linux
     resources_available.host = {name}
     resources_available.mem = 264568300kb
     resources_available.ncpus = 32
     resources_available.Qlist = small, large
     resources_available.ngpus = {gpus}
     resources_assigned.ncpus = 0
     resv_enable = True
     sharing = default_shared
     last_state_change_time = Thu Jul 20 14:55:47 2023

"""
PBS = "qsub -q {queue} -l select={nodes}:ncpus=32:mpiprocs={tasks_per_node} {script}"
ELASTIC = """
rule job:
    output: "done"
    resources: nodes=2, nodes_least=1
    shell: "echo $SNAKEMAKE_QSUB_NODES >>tries; [ $SNAKEMAKE_QSUB_NODES = 1 ] && touch {output}"
"""


def node(name="g0001", state="free", more="", gpus=4):
    return NODE.format(name=name, state=state, more=more, gpus=gpus)


def answers(stdout="", code=0):
    return lambda words: Answer(stdout, "", code)


class Job(SimpleNamespace):
    """As Snakemake's, where it is not a group."""

    def __init__(self, attempt=1, **resources):
        rule = SimpleNamespace(name="train")
        resources = {"runtime": 60, "queue": "large", **resources}
        super().__init__(name="train", rule=rule, wildcards_dict={}, attempt=attempt, threads=1)
        self.resources = resources

    def is_group(self):
        return False


def tries(dialect, submit, said, *nodes, **resources):
    """The requests of as many tries, and what was told of them."""
    settings, told = ExecutorSettings(submit=submit, queues=queues.read(TABLE)), []
    sizes = Sizes(settings, dialect, "", told.append, said)
    jobs = [Job(attempt, nodes=n, **resources) for attempt, n in enumerate(nodes, 1)]
    return [sizes.request(job) for job in jobs], told


TABLE = ["small nodes=1 tasks_per_node=1 share=1/8", "large nodes=16 tasks_per_node=4"]


@pytest.mark.parametrize(("free", "nodes"), [(0, 2), (2, 2), (3, 3), (4, 4), (9, 4)])
def test_a_further_try_asks_pbs_for_what_is_free(free, nodes):
    said = answers("".join(node(f"g{number}") for number in range(free)) + node(state="down"))
    (first, second), told = tries(pbs, PBS, said, 4, 2, nodes_least=2)
    assert (first.nodes, second.nodes) == (4, nodes)
    assert told == [f"train: asks for nodes={nodes}, of 2 to 4: {free} free"]


@pytest.mark.parametrize("said", [answers(code=127), answers("No nodes found\n")])
def test_where_pbs_does_not_say_the_job_itself_does(said):
    (_, second), told = tries(pbs, PBS, said, 4, 2, nodes_least=1)
    assert (second.nodes, told) == (2, [])


@pytest.mark.parametrize("resources", [{}, {"nodes_least": 4}, {"nodes_least": 9}])
def test_a_job_without_bounds_asks_nobody(resources):
    (first, second), told = tries(pbs, PBS, None, 4, 4, **resources)
    assert (first, told) == (second, []) and first.extra == ()


def test_a_job_that_a_profile_gives_fewer_nodes_gets_no_more():
    (_, second), _ = tries(pbs, PBS, answers(node() * 4), 1, 1, nodes_least=1)
    assert second.nodes == 1


def test_a_job_of_fewer_nodes_goes_to_the_queue_that_has_room_for_them():
    said = answers(node())
    (first, second), _ = tries(pbs, PBS, said, 2, 1, nodes_least=1, queue=None)
    assert [each.queue.name for each in (first, second)] == ["large", "small"]


def test_the_scheduler_does_not_start_a_job_over_that_can_do_with_fewer_nodes():
    (first, _), _ = tries(pbs, PBS, answers(), 4, 2, nodes_least=2, qsub_extra="-p 5")
    assert first.extra == ("-r", "n", "-p", "5")


@pytest.mark.parametrize(
    ("entry", "counts"),
    [
        (node(), True),
        (node(more="     queue = large\n"), True),
        (node(more="     queue = other\n"), False),
        (node(more="     jobs = 7.pbs/0, 7.pbs/1\n"), False),
        (node(more="     resv = R9.pbs\n"), False),
        (node(gpus=2), False),
        (node().replace("     resources_available.ngpus = 4\n", ""), False),
        *((node(state=state), False) for state in ("offline", "job-exclusive", "resv-exclusive")),
        (node(state="state-unknown,down"), False),
        (node()[:40], False),
    ],
)
def test_which_nodes_of_a_pbs_count(entry, counts):
    words = ["qsub", "-l", "select=4:ngpus=4:mem=200gb:Qlist=large:mpiprocs=64", "job.sh"]
    said = answers(entry + node("other", "down"))
    assert pbs_nodes.free_nodes(words, "large", said) == counts


@pytest.mark.parametrize(
    ("wanted", "counts"),
    [("mem=253gb", False), ("mem=252gb", True), ("Qlist=small", True), ("Qlist=larg", False)],
)
def test_a_node_that_has_not_what_a_chunk_wants_does_not_count(wanted, counts):
    words = ["qsub", "-lplace=scatter", "-l", f"select=2:{wanted}", "job.sh"]
    assert pbs_nodes.free_nodes(words, "", answers(node())) == counts


@pytest.mark.parametrize(
    ("name", "wanted", "free"),
    [
        ("nodes/free", "ngpus=4", 2),
        ("nodes/free", "ngpus=5", 0),
        ("nodes/part_in_use_and_offline", "ncpus=1", 0),
    ],
)
def test_what_a_real_server_says_of_its_nodes(name, wanted, free, pbs_answer):
    words = ["qsub", "-l", f"select=2:{wanted}:mpiprocs=4", "job.sh"]
    assert pbs_nodes.free_nodes(words, "workq", lambda _: pbs_answer(name)) == free


GRID = "qsub -pe {queue} {slots} {script}"


@pytest.mark.parametrize(
    ("more", "slots"), [({}, ["8", "2-8"]), ({"slots_per_node": 6}, ["24", "6-24"])]
)
def test_a_further_try_asks_grid_engine_for_a_range(more, slots):
    requests, told = tries(gridengine, GRID, None, 4, 2, nodes_least=1, tasks_per_node=2, **more)
    settings = ExecutorSettings(submit=GRID)
    assert [each.words(settings, "job.sh", "log")[3] for each in requests] == slots
    assert told == ["train: asks for any number of nodes, 1 to 4"]


@pytest.mark.parametrize(
    ("submit", "more"), [("qsub -l {queue}={nodes} {script}", {}), (GRID, {"slots": 8})]
)
def test_where_the_submit_line_takes_no_range_the_job_itself_says_how_many(submit, more):
    (_, second), told = tries(gridengine, submit, None, 4, 2, nodes_least=1, **more)
    assert (second.nodes, second.is_range, told) == (2, False, [])


def test_a_job_on_fewer_nodes_is_one_to_the_scheduler_and_to_the_books(site):
    """From a first try on two nodes to a second one on that which is free."""
    site.wrap("pbsnodes", f"cat <<'END'\n{node()}END")
    site.write(ELASTIC)
    code, output = site.run("--retries", "1")
    assert code == 0, output
    assert "job: asks for nodes=1, of 1 to 2: 1 free" in output
    assert (site.folder / "tries").read_text().split() == ["2", "1"]
    rows = list(csv.DictReader((site.folder / ".snakemake/qsub/used.csv").open()))
    assert [(row["nodes"], row["outcome"]) for row in rows] == [("2", "failed"), ("1", "done")]
