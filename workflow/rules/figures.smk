"""
The figures: what each is called in Snakemake's report, and what it is drawn from. The report has them in
this order; plot.smk makes the rules.

INPUTS:

    tables         = <experiment>/tables/*.csv
    bounds         = <experiment>/runs/{run}/seed{seed}/bounds.csv
    specifications = <experiment>/runs/{run}/run.json
    per_image      = <experiment>/runs/{run}/seed{seed}/per_image.csv   (of runs that are scored)
    scores         = <experiment>/runs/{run}/seed{seed}/scores/{dataset}.csv
    images         = <experiment>/runs/{run}/seed{seed}/images.npz   (of each run's first seed)
    manifests      = <results>/data/{dataset}/manifest.json
"""

MANIFESTS = sorted(
    {f"<results>/data/{run['dataset']}/manifest.json" for run in RUNS.values()}
)
IMAGES_OF_RUNS = {
    "specifications": per_run("<experiment>/runs/{run}/run.json"),
    "manifests": MANIFESTS,
    "images": [
        f"<experiment>/runs/{name}/seed{min(run['seeds'])}/images.npz"
        for name, run in RUNS.items()
    ],
}


def tables(*names):
    return {name: f"<experiment>/tables/{name}.csv" for name in names}


FIGURES = {
    "training_curves": ("training curves", tables("training", "settings")),
    "rate_distortion": ("rate and distortion", tables("runs", "summary", "settings")),
    "bound_against_k": (
        "bound against K",
        tables("bound_against_k", "summary", "settings"),
    ),
    "reconstructions": ("reconstructions", IMAGES_OF_RUNS),
    "samples": ("samples", IMAGES_OF_RUNS),
    "sample_quality": ("sample quality", tables("summary", "settings")),
    "latent_dimensions": ("latent dimensions", tables("units", "settings")),
}
if BOUNDS:
    FIGURES["estimators"] = ("importance sampling against AIS", {"bounds": BOUNDS})
if SCORES:
    FIGURES["scores"] = (
        "log p(x) of other data",
        {
            **tables("settings"),
            "per_image": [
                f"<experiment>/runs/{run}/seed{seed}/per_image.csv"
                for run, seed in SEEDED
                if run in SCORED
            ],
            "scores": SCORES,
        },
    )
