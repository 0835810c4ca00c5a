"""
Fetch the images that runs are trained on, and tables.

INPUTS:

    config/*.yaml, section datasets

OUTPUTS:

    images   = <results>/data/{dataset}/*.npy       (uint8, one row per image)
    manifest = <results>/data/{dataset}/manifest.json

of images whose source has labels, for figures alone (no model is trained on them):

    labels = <results>/data/{dataset}/{split}_labels.npy  (uint8)
    about  = <results>/data/{dataset}/labels.json         (names of the classes, digests)

of a table:

    rows     = <results>/data/{dataset}/{split}.npy         (float64)
    labels   = <results>/data/{dataset}/{split}_labels.npy  (uint8)
"""

from elboflow.specification.check_dataset import LABELLED, TABLES
from elboflow.specification.flags import dataset_flags, path_in_plan

DATASETS = RESOLVED.datasets
IMAGES = ["train", "validation", "test", "validation_binary", "test_binary"]
FETCHING_SCRIPT = f"{SCRIPTS}/fetch_data.py"
FETCHING_CODE = modules_of(FETCHING_SCRIPT)
TABLE = [f"{split}{kind}" for split in IMAGES[:3] for kind in ("", "_labels")]
OF_TABLES = [name for name in DATASETS if DATASETS[name]["source"] in TABLES]
OF_LABELS = [name for name in DATASETS if DATASETS[name]["source"] in LABELLED]
LABELLING_SCRIPT = f"{SCRIPTS}/fetch_labels.py"
LABELLING_CODE = modules_of(LABELLING_SCRIPT)
OF_IMAGES = [name for name in DATASETS if name not in OF_TABLES]


rule fetch_data:
    """Find or download a data set, verify it, split it, and freeze its binarisation."""
    input:
        script=ancient(FETCHING_SCRIPT),
        code=ancient(FETCHING_CODE),
        # The user's own; a digest of its content is among the flags.
        own=ancient(lambda wildcards: path_in_plan(DATASETS[wildcards.dataset])),
    output:
        images=[f"<results>/data/{{dataset}}/{name}.npy" for name in IMAGES],
        manifest="<results>/data/{dataset}/manifest.json",
    log:
        "<results>/logs/fetch_data/{dataset}.log",
    wildcard_constraints:
        dataset="|".join(map(re.escape, OF_IMAGES)) or "(?!)",  # which nothing matches
    localrule: True
    params:
        output_dir=subpath(output.manifest, parent=True),
        source=lambda wildcards: DATASETS[wildcards.dataset]["source"],
        flags=lambda wildcards: dataset_flags(DATASETS[wildcards.dataset]),
        split_seed=lambda wildcards: DATASETS[wildcards.dataset]["split_seed"],
        binarisation_seed=lambda wildcards: DATASETS[wildcards.dataset][
            "binarisation_seed"
        ],
        code=digest(FETCHING_CODE),
    shell:
        r"""
        "$ELBOFLOW_PYTHON" {input.script:q} \
            --dataset {wildcards.dataset:q} \
            --source {params.source:q} {params.flags:q} \
            --split-seed {params.split_seed:q} \
            --binarisation-seed {params.binarisation_seed:q} \
            --output-dir {params.output_dir:q} \
            2>&1 | tee {log:q}
        """


use rule fetch_data as fetch_table with:
    output:
        rows=[f"<results>/data/{{dataset}}/{name}.npy" for name in TABLE],
        manifest="<results>/data/{dataset}/manifest.json",
    wildcard_constraints:
        dataset="|".join(map(re.escape, OF_TABLES)) or "(?!)",
    localrule: True  # which is not inherited


use rule fetch_data as fetch_labels with:
    input:
        script=ancient(LABELLING_SCRIPT),
        code=ancient(LABELLING_CODE),
    output:
        labels=[
            f"<results>/data/{{dataset}}/{split}_labels.npy" for split in IMAGES[:3]
        ],
        about="<results>/data/{dataset}/labels.json",
    log:
        "<results>/logs/fetch_labels/{dataset}.log",
    wildcard_constraints:
        dataset="|".join(map(re.escape, OF_LABELS)) or "(?!)",
    localrule: True  # which is not inherited
    params:
        output_dir=subpath(output.about, parent=True),
        source=lambda wildcards: DATASETS[wildcards.dataset]["source"],
        flags=lambda wildcards: dataset_flags(DATASETS[wildcards.dataset]),
        split_seed=lambda wildcards: DATASETS[wildcards.dataset]["split_seed"],
        binarisation_seed=0,  # which labels have no use for
        code=digest(LABELLING_CODE),
