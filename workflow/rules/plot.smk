"""
Draw the figures, each by a rule of its own, so that an edit of one redraws that one.

INPUTS:

    what FIGURES and CHAPTER_FIGURES say

OUTPUTS, in results/figures/ (SVG without date, its bytes a function of the inputs):

    {name}.svg           of each of FIGURES
    chapter_{name}.svg   of each of CHAPTER_FIGURES
"""

# By category of Snakemake's report: the figures, names of their rules and modules, stems of their files
# and captions, and numbers that the captions say.
PLOTS = {
    "Figures": (
        FIGURES,
        "plot_{}",
        "elboflow.figures.{}",
        "{}",
        {"runs": len(RUNS), "trainings": len(SEEDED)},
    ),
    "What the ELBO is": (
        CHAPTER_FIGURES,
        "chapter_plot_{}",
        "elboflow.chapter.plot_{}",
        "chapter_{}",
        {},
    ),
}

for category, (figures, plot, code, stem, numbers) in PLOTS.items():
    for figure, (label, sources) in figures.items():

        rule:
            name:
                plot.format(figure)
            input:
                **sources,
            output:
                figure=report(
                    f"results/figures/{stem.format(figure)}.svg",
                    caption=f"../report/{stem.format(figure)}.rst",
                    category=category,
                    labels={"figure": label},
                ),
            localrule: True
            params:
                **numbers,
                module=code.format(figure),
            script:
                "../scripts/plot.py"
