"""
Draw the figures.

INPUTS:

    tables    = results/tables/*.csv
    runs      = results/runs/{run}/run.json
    images    = results/runs/{run}/seed{seed}/images.npz   (of each run's first seed)
    manifests = results/data/{dataset}/manifest.json

OUTPUTS, in results/figures/ (SVG without date, its bytes a function of the inputs):

    training_curves.svg   ELBO against epoch
    rate_distortion.svg   the ELBO's two parts, and its gap to log p(x)
    reconstructions.svg   test images and what each run makes of them
    samples.svg           decoder means at draws from the prior
    bound_against_k.svg   how the bound on log p(x) rises with the number of samples
    sample_quality.svg    how well samples and reconstructions can be told from test images
    latent_dimensions.svg  KL and variance of each dimension of z
"""

# The params of these rules are numbers for the captions.
MANIFESTS = sorted(
    {f"results/data/{run['dataset']}/manifest.json" for run in RUNS.values()}
)
FIRST_IMAGES = [
    f"results/runs/{name}/seed{min(run['seeds'])}/images.npz"
    for name, run in RUNS.items()
]


rule plot_training_curves:
    """Training and validation ELBO of every run, one panel each."""
    input:
        training="results/tables/training.csv",
        settings="results/tables/settings.csv",
    output:
        figure=report(
            "results/figures/training_curves.svg",
            caption="../report/training_curves.rst",
            category="Figures",
            labels={"figure": "training curves"},
        ),
    localrule: True
    params:
        runs=len(RUNS),
        trainings=len(SEEDED),
    script:
        "../scripts/plot_training_curves.py"


rule plot_rate_distortion:
    """The plane of rate and distortion, and the gap between ELBO and log p(x)."""
    input:
        runs="results/tables/runs.csv",
        summary="results/tables/summary.csv",
        settings="results/tables/settings.csv",
    output:
        figure=report(
            "results/figures/rate_distortion.svg",
            caption="../report/rate_distortion.rst",
            category="Figures",
            labels={"figure": "rate and distortion"},
        ),
    localrule: True
    params:
        runs=len(RUNS),
        trainings=len(SEEDED),
    script:
        "../scripts/plot_rate_distortion.py"


rule plot_bound_against_k:
    """The bound on log p(x) against the number of importance samples, and log p(x) beyond."""
    input:
        curves="results/tables/bound_against_k.csv",
        summary="results/tables/summary.csv",
        settings="results/tables/settings.csv",
    output:
        figure=report(
            "results/figures/bound_against_k.svg",
            caption="../report/bound_against_k.rst",
            category="Figures",
            labels={"figure": "bound against K"},
        ),
    localrule: True
    script:
        "../scripts/plot_bound_against_k.py"


rule plot_reconstructions:
    """Test images, their binary versions, and every run's reconstructions."""
    input:
        runs=per_run("results/runs/{run}/run.json"),
        manifests=MANIFESTS,
        images=FIRST_IMAGES,
    output:
        figure=report(
            "results/figures/reconstructions.svg",
            caption="../report/reconstructions.rst",
            category="Figures",
            labels={"figure": "reconstructions"},
        ),
    localrule: True
    params:
        runs=len(RUNS),
        trainings=len(SEEDED),
    script:
        "../scripts/plot_reconstructions.py"


rule plot_samples:
    """What every run generates from draws of the prior."""
    input:
        runs=per_run("results/runs/{run}/run.json"),
        manifests=MANIFESTS,
        images=FIRST_IMAGES,
    output:
        figure=report(
            "results/figures/samples.svg",
            caption="../report/samples.rst",
            category="Figures",
            labels={"figure": "samples"},
        ),
    localrule: True
    params:
        runs=len(RUNS),
        trainings=len(SEEDED),
    script:
        "../scripts/plot_samples.py"


rule plot_sample_quality:
    """Distortion against how well a model's images can be told from test images."""
    input:
        summary="results/tables/summary.csv",
        settings="results/tables/settings.csv",
    output:
        figure=report(
            "results/figures/sample_quality.svg",
            caption="../report/sample_quality.rst",
            category="Figures",
            labels={"figure": "sample quality"},
        ),
    localrule: True
    script:
        "../scripts/plot_sample_quality.py"


rule plot_latent_dimensions:
    """KL and variance of the posterior mean of each dimension of z, a row for each run."""
    input:
        units="results/tables/units.csv",
        settings="results/tables/settings.csv",
    output:
        figure=report(
            "results/figures/latent_dimensions.svg",
            caption="../report/latent_dimensions.rst",
            category="Figures",
            labels={"figure": "latent dimensions"},
        ),
    localrule: True
    script:
        "../scripts/plot_latent_dimensions.py"
