"""
The figures: what each is called in Snakemake's report, and what it is drawn from. The report has them in
this order; plot.smk makes the rules.

INPUTS:

    tables         = <experiment>/tables/*.csv
    bounds         = <experiment>/runs/{run}/seed{seed}/bounds.csv
    specifications = <experiment>/runs/{run}/run.json
    per_image      = <experiment>/runs/{run}/seed{seed}/per_image.csv   (of runs that are scored; of first seeds)
    scores         = <experiment>/runs/{run}/seed{seed}/scores/{dataset}.csv
    images         = <experiment>/runs/{run}/seed{seed}/images.npz   (of each run's first seed)
    walks          = <experiment>/runs/{run}/seed{seed}/walks.npz    (of each run's first seed)
    manifests      = <results>/data/{dataset}/manifest.json
    speeds         = <experiment>/machine/train/{run}/seed{seed}.json
    labels         = <results>/data/{dataset}/labels.json, {split}_labels.npy   (where there are any)
"""

MANIFESTS = sorted(
    {f"<results>/data/{run['dataset']}/manifest.json" for run in RUNS.values()}
)
SPLITS = ("test", "test_binary")


def of_first_seeds(name):
    """A file of each run's first seed."""
    return [
        f"<experiment>/runs/{run}/seed{min(values['seeds'])}/{name}"
        for run, values in RUNS.items()
    ]


OF_RUNS = {
    "specifications": per_run("<experiment>/runs/{run}/run.json"),
    "manifests": MANIFESTS,
}
IMAGES_OF_RUNS = {**OF_RUNS, "images": of_first_seeds("images.npz")}
TEST_IMAGES = [
    manifest.replace("manifest.json", f"{split}.npy")
    for manifest in MANIFESTS
    for split in SPLITS
]
LABELS = [
    f"<results>/data/{dataset}/labels.json"
    for dataset in sorted({run["dataset"] for run in RUNS.values()} & {*OF_LABELS})
]


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
    "log_likelihood_per_image": (
        "log p(x) per image",
        {
            **OF_RUNS,
            **tables("settings"),
            "per_image": of_first_seeds("per_image.csv"),
            "test_images": TEST_IMAGES,
        },
    ),
    "latent_plane": (
        "latent plane",
        {
            **OF_RUNS,
            "walks": of_first_seeds("walks.npz"),
            "labels": LABELS,
            "test_labels": [
                path.replace("labels.json", "test_labels.npy") for path in LABELS
            ],
        },
    ),
    "interpolation": (
        "interpolation",
        {**OF_RUNS, "walks": of_first_seeds("walks.npz"), "test_images": TEST_IMAGES},
    ),
    "latent_traversal": (
        "latent traversal",
        {**OF_RUNS, "walks": of_first_seeds("walks.npz")},
    ),
    "latent_dimensions": ("latent dimensions", tables("units", "settings")),
}
# Of machine.html.
MACHINE_FIGURES = {
    "speed": (
        "images per second",
        {"train": per_seed("<experiment>/machine/train/{run}/seed{seed}.json")},
    ),
}
if SCALING:
    MACHINE_FIGURES["scaling"] = ("scaling", SCALING_TABLES)
if BOUNDS:
    FIGURES["estimators"] = (
        "importance sampling against AIS",
        {**tables("settings"), "bounds": BOUNDS},
    )
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
