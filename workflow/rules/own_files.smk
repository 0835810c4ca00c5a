"""
What the workflow's own files say that a rule names, modules, templates and captions, as a param of it.

Snakemake compares times, and would not see an older file in the place of another (rsync -t, tar). What
is ancient() is left to a param that the rule has already. Included last, since it asks all rules.
"""

from snakemake.io import is_flagged


def own_files(inputs):
    """The workflow's own among a rule's inputs, unless ancient()."""
    return [
        str(path)
        for path in inputs
        if str(path).startswith(f"{WORKFLOW}/") and not is_flagged(path, "ancient")
    ]


for each in workflow.rules:
    if own_files(each.input):
        each.set_params(own_files=code_of(*own_files(each.input)))
