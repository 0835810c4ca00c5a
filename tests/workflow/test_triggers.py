"""What an edit re-runs, and what it must not."""

import os
import re
import shutil

import pytest

HEAVY = ("build_environment", "smoke_test", "fetch_data", "train", "evaluate")


def heavy(plan):
    return {rule: plan[rule] for rule in HEAVY if rule in plan}


def test_editing_one_run_reruns_that_run_alone(finished, tiny):
    finished.configure(tiny("wide", latent_dim=6))
    plan = finished.planned()
    assert heavy(plan) == {"train": 1, "evaluate": 1}
    assert plan["resolve_run"] == 2, "run.json and training.json"
    measured = "results/runs/wide/seed1/summary.csv"
    assert "starting over" in finished.run(measured)
    assert finished.planned(measured) == {}


@pytest.mark.fault(
    "a run is edited where Snakemake's records are gone, as in results that were copied",
    outcome="that run is computed again, and no other",
)
def test_an_edit_is_noticed_without_the_records_of_snakemake(finished, tiny):
    shutil.rmtree(finished.folder / ".snakemake")
    assert "train" not in finished.planned()
    finished.configure(tiny(run="wide", beta=2.0))
    planned = finished.planned()
    assert (planned["resolve_run"], planned["train"], planned["evaluate"]) == (2, 1, 1)


def test_adding_a_run_computes_that_run_alone(finished, tiny):
    finished.configure(tiny("third", beta=2.0))
    assert heavy(finished.planned()) == {"train": 1, "evaluate": 1}


def test_editing_an_evaluation_key_retrains_nothing(finished, tiny):
    finished.configure(tiny(importance_samples=30))
    model = finished.folder / "results/runs/plain/seed1/model.safetensors"
    before = model.stat().st_mtime_ns
    finished.run()
    assert model.stat().st_mtime_ns == before
    assert finished.planned() == {}


def test_nodes_and_ranks_are_resources_and_retrain_nothing(finished, tiny):
    """But the smoke test is repeated where the widest run has another size."""
    finished.configure(tiny(tasks_per_node=1, nodes=2, threads_per_rank=2))
    assert heavy(finished.planned()) == {"smoke_test": 1}
    finished.configure(tiny("plain", nodes=1, threads_per_rank=2))
    assert heavy(finished.planned()) == {}


def test_one_training_is_planned_with_the_smoke_test_that_it_waits_for(finished, tiny):
    """A call for a file, as `make study` makes it, whose smoke test is of another size."""
    finished.configure(tiny(tasks_per_node=1, seeds=[1, 2]))
    plan = finished.planned("results/runs/plain/seed2/model.json")
    assert heavy(plan) == {"smoke_test": 1, "train": 1}


def test_another_library_that_adds_retrains_nothing(finished, tiny):
    """The environment of these checkouts has no records of what it was made with."""
    config = tiny()
    config["environment"] = {**config.get("environment", {}), "collectives": "torch"}
    finished.configure(config)
    assert heavy(finished.planned()) == {}


@pytest.mark.parametrize("deleted", ["venv", "venv build.json packages.txt"])
def test_a_deleted_environment_is_rebuilt_and_nothing_is_retrained(finished, deleted):
    for name in deleted.split():
        (finished.folder / "results/environment" / name).unlink()
    assert heavy(finished.planned()) == {"build_environment": 1, "smoke_test": 1}


def test_training_waits_for_a_rebuilt_environment(finished, tiny):
    """Really rebuilt, while one run was edited as well: the edited run alone is trained."""
    (finished.folder / "results/environment/venv").unlink()
    finished.configure(tiny("wide", latent_dim=6))
    model = finished.folder / "results/runs/plain/seed1/model.safetensors"
    before = model.stat().st_mtime_ns
    finished.run()
    assert (finished.folder / "results/environment/venv/bin/python").exists()
    assert model.stat().st_mtime_ns == before
    assert finished.planned() == {}


def test_a_changed_pin_retrains(finished):
    pins = finished.folder / "workflow/envs/torch.txt"
    pins.write_text(pins.read_text() + "# another torch\n")
    plan = heavy(finished.planned())
    assert plan == {"build_environment": 1, "smoke_test": 1, "train": 2, "evaluate": 2}


@pytest.mark.fault(
    "an older file moved to the place of one of workflow/envs",
    outcome="noticed by its content",
)
def test_older_pins_are_others(fresh):
    rules, target = (
        fresh.folder / "workflow/rules/environment.smk",
        "results/environment/build.json",
    )
    made = 'shell:\n        "mkdir {output.venv}; touch {output.build} {output.packages}"\n'
    rules.write_text(re.sub(r'shell:\n +r""".*?"""\n', made, rules.read_text(), flags=re.S))
    fresh.run(target)
    assert fresh.planned(target) == {}
    pins = fresh.folder / "workflow/envs/torch.txt"
    pins.write_text(pins.read_text() + "# another torch\n")
    os.utime(pins, (0, 0))
    assert fresh.planned(target) == {"build_environment": 1}


def test_an_edit_of_code_is_not_forgotten_where_a_call_ends_early(finished):
    """Between the new specification, a matter of seconds, and the training that follows from it."""
    module = finished.folder / "workflow/scripts/elboflow/vae/training/objectives.py"
    module.write_text(module.read_text() + "\nMORE = 1\n")
    finished.run("results/runs/plain/training.json", "results/runs/plain/evaluation.json")
    assert heavy(finished.planned()) == {"train": 2, "evaluate": 2}


def test_editing_what_only_evaluates_retrains_nothing(finished):
    module = finished.folder / "workflow/scripts/elboflow/vae/measure/summary.py"
    module.write_text(module.read_text() + "\nMORE = 1\n")
    assert heavy(finished.planned()) == {"evaluate": 2}


def test_another_default_computes_anew_what_relied_on_it_alone(finished):
    module = finished.folder / "workflow/scripts/elboflow/vae/spec.py"
    defaults = module.read_text()
    module.write_text(defaults.replace("epochs: int = 100", "epochs: int = 90"))  # each run has 3
    assert finished.planned() == {}
    module.write_text(defaults.replace("chunk_samples: int = 200", "chunk_samples: int = 40"))
    assert heavy(finished.planned()) == {"evaluate": 2}


COMMENTED = ["train", "evaluate", "fetch_data", "build_environment", "resolve_run"]
COMMENTED += [
    f"elboflow/{name}"
    for name in ("vae/training/objectives", "vae/measure/summary", "images/splits", "stages/train")
]
COMMENTED += ["elboflow/environment/wheelhouse", "elboflow/specification/resolve"]


@pytest.mark.fault(
    "comments, docstrings and layout of the code are edited", outcome="nothing is computed again"
)
def test_what_python_does_not_see_of_the_code_reruns_nothing(finished):
    for name in COMMENTED:
        module = finished.folder / f"workflow/scripts/{name}.py"
        lines = module.read_text().splitlines()
        docstring = lines[0].replace('"""', '"""Edited: ', 1)
        module.write_text("\n".join([docstring, *lines[1:], "# a comment"]) + "\n")
    assert finished.planned() == {}


def test_editing_how_data_are_prepared_prepares_them_anew(finished):
    module = finished.folder / "workflow/scripts/elboflow/images/splits.py"
    module.write_text(module.read_text() + "\nMORE = 1\n")
    assert heavy(finished.planned()) == {"fetch_data": 1, "train": 2, "evaluate": 2}


def test_labels_are_for_figures_and_nothing_is_computed_for_them(finished):
    module = finished.folder / "workflow/scripts/elboflow/images/labels.py"
    module.write_text(module.read_text() + "\nMORE = 1\n")
    plan = finished.planned()
    assert heavy(plan) == {}
    assert plan["fetch_labels"] == plan["plot_latent_plane"] == 1


def test_editing_a_plot_redraws_that_plot(finished):
    module = finished.folder / "workflow/scripts/elboflow/figures/samples.py"
    module.write_text(module.read_text() + "\nMORE = 1\n")
    plan = finished.planned()
    assert heavy(plan) == {}
    assert plan["plot_samples"] == 1
    assert "plot_training_curves" not in plan


@pytest.mark.fault(
    "an older file moved to the place of config/published.yaml",
    outcome="noticed by its content",
)
def test_older_published_values_are_others(finished):
    values = finished.folder / "config" / "published.yaml"
    values.touch()
    assert finished.planned() == {}
    values.write_text(values.read_text() + "\n# another\n")
    os.utime(values, (0, 0))
    plan = finished.planned()
    assert heavy(plan) == {} and plan["reproduction"] == plan["report"] == 1


@pytest.mark.fault(
    "an older module, template or caption moved to the place of one (rsync -t, tar)",
    outcome="noticed by its content",
)
def test_older_files_of_the_workflow_are_others(finished):
    for name, rules in {
        "report/samples.rst": ["report"],
        "report/page.html.jinja": ["report", "machine_report"],
        "scripts/elboflow/figures/style.py": ["plot_samples", "plot_training_curves"],
        "scripts/elboflow/ranks/worker.py": ["smoke_test"],
    }.items():
        file = finished.folder / "workflow" / name
        before = file.read_text()
        file.write_text(f"{before}\nMORE = 1\n")
        os.utime(file, (0, 0))
        plan = finished.planned()
        assert {rule: plan.get(rule) for rule in rules} == dict.fromkeys(rules, 1), name
        file.write_text(before)
        os.utime(file, (0, 0))
    assert finished.planned() == {}


def test_moving_the_checkout_reruns_nothing(finished_once, tmp_path):
    assert finished_once.copy(tmp_path / "elsewhere").planned() == {}


def test_events_for_tensorboard_are_asked_for_without_training_again(finished, tiny):
    finished.configure(tiny(tensorboard=True))
    assert heavy(finished.planned()) == {}
    folder = finished.folder / "results/runs/wide/seed1"
    (folder / "model.safetensors").unlink()
    finished.run("results/runs/wide/seed1/model.safetensors")
    assert len(list(folder.glob("tensorboard/*tfevents*"))) == 1
