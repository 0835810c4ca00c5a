"""What `make clean` lists, and what `make clean-part` drops."""

import fcntl

import pytest

from elboflow.ranks.clean import main


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """With the default experiment, another one, logs and a cache."""
    monkeypatch.chdir(tmp_path)
    for name in ("runs/a/seed1/model", "other/runs/a/seed1/model", "logs/train/log", "state/a/x"):
        path = tmp_path / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(200_000))
    for place in ("results", "results/other"):
        (tmp_path / place / "experiment.json").write_text("{}")
    (tmp_path / "cache").mkdir()
    return tmp_path


def words(*more):
    return ["results", "cache", *more]


def everything(clone):
    return {path for path in clone.rglob("*") if path.is_file()}


def test_a_list_drops_nothing(clone, capsys):
    before = everything(clone)
    main(words())
    assert everything(clone) == before
    printed = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert list(printed) == ["state", "logs", "cache", "other"]
    assert "0.2 MB" in printed["logs"] and "0.2 MB" in printed["other"]


@pytest.mark.parametrize(("part", "gone"), [("other", "other/"), ("logs", "logs/")])
def test_a_part_goes_and_nothing_else(clone, part, gone):
    before = everything(clone)
    main(words(part, "--yes"))
    assert before - everything(clone) == {path for path in before if f"results/{gone}" in str(path)}


@pytest.mark.fault("cleaning where nobody can be asked", outcome="refused in one line")
def test_nothing_goes_unasked(clone, monkeypatch):
    before = everything(clone)
    with pytest.raises(SystemExit, match="nobody can be asked"):
        main(words("other"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "")
    main(words("other"))
    assert everything(clone) == before


@pytest.mark.fault("dropping an experiment that is at work", outcome="refused in one line")
@pytest.mark.parametrize("stage", ["", "evaluate"])
def test_an_experiment_at_work_stays(clone, stage):
    before = everything(clone)
    state = clone / "results/other/state/a/seed1" / stage
    state.mkdir(parents=True)
    with (state / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SystemExit, match=f"other/state/a/seed1.*{stage} is being worked on"):
            main(words("other", "--yes"))
    assert before < everything(clone)
    main(words("other", "--yes"))
    assert not (clone / "results/other").exists()


@pytest.mark.parametrize("name", ["runs", "../other", "none"])
def test_what_is_no_part_is_refused(clone, name):
    before = everything(clone)
    with pytest.raises(SystemExit, match="nothing is called"):
        main(words(name, "--yes"))
    assert everything(clone) == before
