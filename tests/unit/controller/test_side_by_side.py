"""benchmarks/side_by_side.py without the peers: rounds, tables, how a contender is told to work."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from peers.elbo import SHAPES, elbo, initial_weights
from peers.processes import Contender, busy_ticks, tree
from peers.rounds import Rounds, Spread, Turn, ratios, take_rounds
from peers.tables import Comparison, between_markers, section, short_table

NAMES = ["slow", "fast", "products"]
SPEEDS = {"slow": 100.0, "fast": 150.0, "products": 1000.0}
KEPT = [SPEEDS, {**SPEEDS, "fast": 250.0}, {"slow": 50.0, "fast": 100.0, "products": 400.0}]

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"

# Ten images a step, which takes a hundredth of a second of this thread: numpy's spin as they start.
CONTENDER = f"""
import sys, time
sys.path.insert(0, {str(BENCHMARKS)!r})
import numpy as np
from peers.turns import Turns
turns = Turns(10, lambda: {{"number": np.arange(3)}})
print("chatter")
turns.begin()
while True:
    end = time.thread_time() + 0.01
    while time.thread_time() < end: pass
    turns.stepped()
"""


@pytest.fixture
def contender(tmp_path: Path) -> Iterator[Contender]:
    with Contender("busy", [sys.executable, "-c", CONTENDER], {}, tmp_path) as started:
        yield started


def state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def comparison(title: str = "batch 20") -> Comparison:
    labels = {"slow": "a slow one", "fast": "**a fast one**", "products": "the products"}
    reached = {"slow": -240.123, "fast": -240.5}
    return Comparison(title, labels, "slow", Rounds(KEPT, 4), reached, "test ELBO")


def disturbed(at: set[int]) -> tuple[Callable[[str], Turn], list[str]]:
    """Turns of which those of these numbers are beside half a machine's other work."""
    taken: list[str] = []

    def turn(name: str) -> Turn:
        taken.append(name)
        return Turn(SPEEDS[name], 0.5 if len(taken) in at else 0.01)

    return turn, taken


def test_ratios_are_of_the_same_round() -> None:
    found = ratios(KEPT, "slow")
    assert found["fast"] == Spread(median=2.0, least=1.5, most=2.5)
    assert found["slow"] == Spread(1.0, 1.0, 1.0)


def test_a_disturbed_round_is_given_up_and_taken_again() -> None:
    turn, taken = disturbed({2})
    rounds = take_rounds(turn, NAMES, wanted=2, most_others=0.03, most_thrown=5)
    assert rounds == Rounds([SPEEDS, SPEEDS], thrown=1)
    assert len(taken) == 2 + 3 + 3


def test_each_round_begins_with_another_contender() -> None:
    turn, taken = disturbed(set())
    take_rounds(turn, NAMES, wanted=3, most_others=0.03, most_thrown=5)
    assert taken[::3] == NAMES
    assert all(sorted(taken[i : i + 3]) == sorted(NAMES) for i in (0, 3, 6))


def test_a_machine_that_is_never_quiet_ends_it() -> None:
    turn, _ = disturbed(set(range(100)))
    rounds = take_rounds(turn, NAMES, wanted=2, most_others=0.03, most_thrown=5)
    assert rounds == Rounds([], thrown=6)


def test_a_section_has_ratios_speed_share_of_the_products_and_rounds() -> None:
    text = section(comparison())
    assert "| **a fast one** | 2.00 | 1.50 | 2.50 | 150 | 25% | -240.50 |" in text
    assert "| the products | 10.00 | 8.00 | 10.00 | 1,000 | 100% |  |" in text
    assert "Rounds kept: 3; thrown away since others were at work: 4." in text


def test_the_short_table_has_a_column_for_each_comparison() -> None:
    text = short_table([comparison(), comparison("batch 100")], "of slow")
    head, _, slow, *_ = text.split("\n")
    assert head == "| of slow | batch 20 | batch 100 | test ELBO, batch 20 | test ELBO, batch 100 |"
    assert slow.startswith("| a slow one | 1.00 (1.00 to 1.00) | 1.00 (1.00 to 1.00) | -240.12 |")


def test_only_what_is_between_the_markers_is_replaced() -> None:
    marked = between_markers(
        "before\n<!-- side_by_side.py writes from here -->\n<!-- to here -->\nafter\n", "a \\1 b"
    )
    assert marked.startswith("before\n") and marked.endswith("\nafter\n") and "a \\1 b" in marked
    assert between_markers(marked, "a \\1 b") == marked
    with pytest.raises(ValueError, match="0 pairs"):
        between_markers("nothing", "a")


def test_the_readme_has_one_pair_of_markers() -> None:
    between_markers((Path(__file__).parents[3] / "benchmarks" / "README.md").read_text(), "")


def test_the_common_elbo_of_a_model_that_ignores_z_is_that_of_its_pixels() -> None:
    weights = initial_weights(np.full((3, 784), 51, np.uint8))
    for place in range(len(SHAPES)):
        weights[f"weight_{place}"] *= 0
    binary = (np.random.default_rng(0).random((40, 784)) < 0.3).astype(np.uint8)
    on = binary.mean()
    exact = 784 * (on * np.log(0.2) + (1 - on) * np.log(0.8))
    assert elbo(weights, binary) == pytest.approx(exact, rel=1e-5)


def test_a_contender_works_whole_steps_answers_and_is_stopped(contender: Contender) -> None:
    answer = contender.ask(95)
    assert answer["images"] == 100 and answer["seconds"] >= 0.1
    waited_until = time.monotonic() + 10
    while state(contender.process.pid) != "T" and time.monotonic() < waited_until:
        time.sleep(0.01)
    assert state(contender.process.pid) == "T"


def test_a_contender_saves_its_results(contender: Contender, tmp_path: Path) -> None:
    contender.ask(10)
    contender.ask(f"save {tmp_path / 'a.npz'}")
    assert np.load(tmp_path / "a.npz")["number"].tolist() == [0, 1, 2]


def test_its_own_time_does_not_count_as_that_of_others(contender: Contender) -> None:
    contender.ask(10)
    all_before, own_before = busy_ticks(), sum(tree(contender.process.pid).values())
    taken = contender.turn(500)
    own = sum(tree(contender.process.pid).values()) - own_before
    assert own >= 45 and busy_ticks() - all_before >= own - 2
    assert 0 < taken.images_per_second <= 1000 and taken.others < 1


def test_a_contender_that_fails_is_named_with_what_it_said(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "raise ValueError('no such thing')"]
    with Contender("broken", words, {}, tmp_path) as broken, pytest.raises(SystemExit) as caught:
        broken.ask(10)
    assert "broken has ended" in str(caught.value) and "no such thing" in str(caught.value)
