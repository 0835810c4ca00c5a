"""Score the test images of another data set under a trained model, data-parallel over images."""

import argparse
from dataclasses import asdict, replace
from functools import partial

from elboflow.files.stage_outputs import taken, write_outputs
from elboflow.ranks.parts import open_state
from elboflow.ranks.place import Worker
from elboflow.stages.evaluate import STATE_KEYS, measure
from elboflow.stages.evaluation_tables import table_per_image
from elboflow.stages.trained_model import load_vae, noise_seed, observed
from elboflow.trained.model_file import files_of
from elboflow.vae.data import load_split, read_manifest, require_alike
from elboflow.vae.measure.checks import not_above
from elboflow.vae.measure.exact import exact_log_likelihood
from elboflow.vae.spec import EvaluationSpec, parse, read_run


def score(args: argparse.Namespace, worker: Worker) -> None:
    """Measure all test images of a data set as the run's own are, and let rank 0 write the values.

    The noise is that of the run's own test images: the first image here has that of the first one
    there.
    """
    inputs = taken(args.evaluation, *files_of(args.model))
    run, document = read_run(args.evaluation)
    spec = parse(EvaluationSpec, document.get("evaluation"), str(args.evaluation))
    vae, training, own = load_vae(args.model, args.data)
    manifest = read_manifest(args.data / args.dataset)
    require_alike(manifest, own, vae.likelihood.observes)
    for one in (own, manifest):
        inputs[one.folder / "manifest.json"] = one.sha256
    vae.to(worker.device)
    x = observed(vae, load_split(manifest, "test", vae.likelihood.observes))
    vae.likelihood.require_support(x)
    state = open_state(args, {key: asdict(spec)[key] for key in STATE_KEYS}, manifest, worker)
    title, seed = f"{run} seed {args.seed} on {args.dataset}", noise_seed(spec, args.seed)
    measured = partial(
        measure, spec=spec, seed=seed, state=state, told=args.progress, worker=worker
    )
    found, _ = measured(vae, training, title, images=x)
    if worker.rank == 0:
        found = replace(found, exact_log_likelihood=exact_log_likelihood(vae, x))
        not_above("elbo", found.elbo, "log_likelihood", found.log_likelihood)
        # With K / 2 samples; where there is no z, log p(x) is exact.
        half = found.parts[1].mean(1) if found.has_latents else None
        more = {"log_likelihood_at_half_nats": half}
        write_outputs({args.scores: table_per_image(found, more)}, inputs)
