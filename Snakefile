"""ELBOFlow: train variational autoencoders data-parallel and measure them in nats."""

from snakemake.utils import min_version

min_version("9.19")


report: "workflow/report/workflow.rst"


include: "workflow/rules/config_files.smk"
include: "workflow/rules/surroundings.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/environment.smk"
include: "workflow/rules/under_mpirun.smk"
include: "workflow/rules/smoke_test.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/ais_bounds.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/scaling.smk"
include: "workflow/rules/resolve_run.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/chapter.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/plot.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/chapter_page.smk"
include: "workflow/rules/model_card.smk"
include: "workflow/rules/crate.smk"
include: "workflow/rules/own_files.smk"
include: "workflow/rules/out_of_date.smk"
include: "workflow/rules/damaged.smk"


rule all:
    default_target: True
    input:
        VENV,
        "<experiment>/report.html",
        CHAPTER_PAGE,
        "<experiment>/tables/paper.tex",
        "<experiment>/machine.html",
        per_seed("<experiment>/runs/{run}/seed{seed}/README.md"),
    localrule: True
