"""
The chapter "What the ELBO is": small examples whose numbers are exact, with rules of their own.

OUTPUTS, in <experiment>/chapter/ (sorted rows, fixed decimals; nats per image):

    digits/             the digits as fetch_data writes them, whatever the configuration's data are
    cases.csv           what is taken for granted of a mail: spam or not, and its words
    mails.csv           the probability of every mail
    shares.csv          the likelihood of a share of spam
    gaussians.csv       the KL of two Gaussians, in closed form and as an integral
    estimators.csv      gradients from single draws, with their exact means and sd
    curves.csv          precision and recall of two classifiers at every threshold
    reliability.csv     of the cases that they give some p(y|x), how many are positive
    classifiers.csv     precision, recall and scores at two thresholds, with intervals
    jensen.csv          ELBO and gap of every q in a two-case example
    evidence.csv        log p(x) of test images by quadrature over a latent plane, and the encoder's ELBO
    grid.npz            log p(x|z) of the images shown, on a grid over the plane
    posteriors.csv      rate, distortion and gap of the best q of simple and complicated families
    components.csv      these q
    elbo_surface.csv    the ELBO over mean and width of q
    discrete.csv        log p(x), ELBO and gap of test images under 8 binary latents
    states.csv          exact posterior and mean-field q of one of them
    switches.npz        the model of these latents
    gradients.csv       bias and sd of estimators of the gradient, for the same image

and <experiment>/figures/chapter_*.svg. `chapter: false` in the configuration leaves all of it out.
"""

from elboflow.specification.resolve import resolve

# Small enough to be worked out again with a calculator.
BY_HAND = ["cases", "mails", "shares", "gaussians", "estimators"]
# What each is called in Snakemake's report, and what it is drawn from.
CHAPTER_FIGURES = {
    "classifiers": (
        "discriminative and generative",
        {
            "curves": "<experiment>/chapter/curves.csv",
            "reliability": "<experiment>/chapter/reliability.csv",
            "classifiers": "<experiment>/chapter/classifiers.csv",
        },
    ),
    "jensen": ("Jensen's inequality", {"jensen": "<experiment>/chapter/jensen.csv"}),
    "surface": (
        "the ELBO of every simple q",
        {"surface": "<experiment>/chapter/elbo_surface.csv"},
    ),
    "posteriors": (
        "simple and complicated q",
        {
            "grid": "<experiment>/chapter/grid.npz",
            "posteriors": "<experiment>/chapter/posteriors.csv",
            "components": "<experiment>/chapter/components.csv",
        },
    ),
    "discrete": (
        "a discrete latent",
        {
            "discrete": "<experiment>/chapter/discrete.csv",
            "states": "<experiment>/chapter/states.csv",
        },
    ),
}
SHOWN = resolve_key(config, "chapter")

# The split of the default configuration, so that the test images are the same as there.
CHAPTER_SPLIT = {"validation_images": 200, "test_images": 397}
CHAPTER_MODEL = {
    "latent_dim": 2,
    "encoder_layers": [100, 100],
    "decoder_layers": [100, 100],
    "learning_rate": 0.003,
    "epochs": 300,
    "precision": "float64",
}
CHAPTER_CONFIG = {
    "datasets": {"digits": {"source": "digits", **CHAPTER_SPLIT}},
    "runs": {"chapter": CHAPTER_MODEL},
}
# What of the mails there is, for the classifiers.
SPAMBASE = sorted(
    name for name, values in DATASETS.items() if values["source"] == "spambase"
)[:1]


use rule fetch_data as chapter_data with:
    input:
        script=ancient(FETCHING_SCRIPT),
        code=ancient(FETCHING_CODE),
    output:
        images=[f"<experiment>/chapter/{{dataset}}/{name}.npy" for name in IMAGES],
        manifest="<experiment>/chapter/{dataset}/manifest.json",
    log:
        "<experiment>/logs/chapter_data/{dataset}.log",
    wildcard_constraints:
        dataset="digits",
    localrule: True  # which is not inherited
    params:
        output_dir=subpath(output.manifest, parent=True),
        source="digits",
        flags=optional_flags(CHAPTER_SPLIT, CHAPTER_SPLIT),
        split_seed=0,
        binarisation_seed=0,
        code=digest(FETCHING_CODE),


rule chapter_training:
    """Write what the chapter's VAE is, as resolve_run does."""
    output:
        specification="<experiment>/chapter/training.json",
    localrule: True
    params:
        script=f"{SCRIPTS}/resolve_run.py",
        document=lambda wildcards: document(
            specification("chapter", resolve(CHAPTER_CONFIG, "chapter"), "training"),
            code_of_stage("chapter_vae"),
        ),
    shell:
        '"$ELBOFLOW_PYTHON" {params.script:q} {output.specification:q} {params.document:q}'


rule chapter_vae:
    """Train a VAE with a latent plane, and integrate the latent out: one process, one thread."""
    input:
        smoke_test=ancient(SMOKE_TEST),
        training="<experiment>/chapter/training.json",
        manifest="<experiment>/chapter/digits/manifest.json",
    output:
        evidence="<experiment>/chapter/evidence.csv",
        grid="<experiment>/chapter/grid.npz",
    log:
        "<experiment>/logs/chapter_vae.log",
    localrule: True
    params:
        venv=VENV,
        data=subpath(input.training, parent=True),
        script=f"{SCRIPTS}/chapter_vae.py",
        seed=1,
    shell:
        r"""
        OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 CUDA_VISIBLE_DEVICES= \
            {params.venv:q}/bin/python {params.script:q} \
            --training {input.training:q} \
            --data {params.data:q} \
            --seed {params.seed} \
            --evidence {output.evidence:q} \
            --grid {output.grid:q} \
            2>&1 | tee {log:q}
        """


rule chapter_classifiers:
    """A discriminative and a generative classifier on the digits, and on Spambase if it is there."""
    input:
        test="<experiment>/chapter/digits/test.npy",
        spambase=[
            f"<results>/data/{name}/{part}.npy"
            for name in SPAMBASE
            for part in ["train", "train_labels", "test", "test_labels"]
        ],
    output:
        curves="<experiment>/chapter/curves.csv",
        reliability="<experiment>/chapter/reliability.csv",
        classifiers="<experiment>/chapter/classifiers.csv",
    localrule: True
    params:
        held_out=sum(CHAPTER_SPLIT.values()),
        split_seed=0,
    script:
        "../scripts/chapter_classifiers.py"


rule chapter_by_hand:
    """The examples that a reader can work out again."""
    output:
        **{name: f"<experiment>/chapter/{name}.csv" for name in BY_HAND},
    localrule: True
    script:
        "../scripts/chapter_by_hand.py"


rule chapter_jensen:
    """The ELBO of every q in the two-case example."""
    output:
        jensen="<experiment>/chapter/jensen.csv",
    localrule: True
    script:
        "../scripts/chapter_jensen.py"


rule chapter_posteriors:
    """The best q of each family for single images."""
    input:
        grid="<experiment>/chapter/grid.npz",
    output:
        posteriors="<experiment>/chapter/posteriors.csv",
        components="<experiment>/chapter/components.csv",
    localrule: True
    script:
        "../scripts/chapter_posteriors.py"


rule chapter_surface:
    """The ELBO of one image over mean and width of q."""
    input:
        grid="<experiment>/chapter/grid.npz",
        components="<experiment>/chapter/components.csv",
    output:
        surface="<experiment>/chapter/elbo_surface.csv",
    localrule: True
    script:
        "../scripts/chapter_surface.py"


rule chapter_discrete:
    """A latent of 8 switches, summed out, and the mean-field q beside its exact posterior."""
    input:
        train="<experiment>/chapter/digits/train.npy",
        test="<experiment>/chapter/digits/test_binary.npy",
    output:
        discrete="<experiment>/chapter/discrete.csv",
        states="<experiment>/chapter/states.csv",
        switches="<experiment>/chapter/switches.npz",
    localrule: True
    script:
        "../scripts/chapter_discrete.py"


rule chapter_gradients:
    """Estimators of the gradient for the same model, beside the exact one."""
    input:
        switches="<experiment>/chapter/switches.npz",
        test="<experiment>/chapter/digits/test_binary.npy",
        discrete="<experiment>/chapter/discrete.csv",
    output:
        gradients="<experiment>/chapter/gradients.csv",
    localrule: True
    script:
        "../scripts/chapter_gradients.py"
