"""
What the workflow's own files say, on which a rule's result depends, as a param of it: the modules of its
script, and the templates and captions among its inputs.

Snakemake compares times, and would not see an older file in the place of another (rsync -t, tar). What
is ancient() is left to a param that the rule has already. Included last, since it asks all rules.
"""

from snakemake.io import is_flagged


def own_files(rule):
    """The workflow's own files behind a rule, but for those among its inputs that are ancient()."""
    named = [
        str(path)
        for path in rule.input
        if str(path).startswith(f"{WORKFLOW}/") and not is_flagged(path, "ancient")
    ]
    if rule.script:
        modules = [rule.params.module] if "module" in rule.params.keys() else []
        named += modules_of(f"{SCRIPTS}/{os.path.basename(rule.script)}", *modules)
    return named


# Not those of a workflow that this one is a module of.
for each in workflow.modifier.rules:
    if files := own_files(each):
        each.set_params(own_files=digest(files))
