"""
Say beside each trained model what it is, how good it is and how it is used.

INPUTS, in <experiment>/runs/{run}/seed{seed}/:

    description = model.json
    summary     = summary.csv
    checks      = checks.csv

OUTPUTS:

    card = <experiment>/runs/{run}/seed{seed}/README.md   (no clock and no host in it)

With model.safetensors and model.json it can be put on a model hub as it is.
"""


rule model_card:
    """Write the model's README.md."""
    input:
        template=f"{PAGES}/model_card.md.jinja",
        description="<experiment>/runs/{run}/seed{seed}/model.json",
        summary="<experiment>/runs/{run}/seed{seed}/summary.csv",
        checks="<experiment>/runs/{run}/seed{seed}/checks.csv",
    output:
        card="<experiment>/runs/{run}/seed{seed}/README.md",
    localrule: True
    script:
        "../scripts/model_card.py"
