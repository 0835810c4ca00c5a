"""
Draw the figures, each by a rule of its own, so that an edit of one redraws that one.

INPUTS:

    what FIGURES, CHAPTER_FIGURES and MACHINE_FIGURES say

OUTPUTS (SVG without date, its bytes a function of the inputs):

    <experiment>/figures/{name}.svg           of each of FIGURES
    <experiment>/figures/chapter_{name}.svg   of each of CHAPTER_FIGURES
    <experiment>/machine/{name}.svg           of each of MACHINE_FIGURES
"""

# By category of Snakemake's report: the figures, names of their rules and modules, their folder, stems of
# their files and captions, and numbers that the captions say.
PLOTS = {
    "Figures": (
        FIGURES,
        "plot_{}",
        "elboflow.figures.{}",
        "<experiment>/figures",
        "{}",
        {"runs": len(RUNS), "trainings": len(SEEDED)},
    ),
    "What the ELBO is": (
        CHAPTER_FIGURES,
        "chapter_plot_{}",
        "elboflow.chapter.plot_{}",
        "<experiment>/figures",
        "chapter_{}",
        {},
    ),
    "Machine": (
        MACHINE_FIGURES,
        "plot_{}",
        "elboflow.figures.{}",
        "<experiment>/machine",
        "{}",
        {},
    ),
}

for category, (figures, plot, code, folder, stem, numbers) in PLOTS.items():
    for figure, (label, sources) in figures.items():

        rule:
            name:
                plot.format(figure)
            input:
                **sources,
            output:
                figure=report(
                    f"{folder}/{stem.format(figure)}.svg",
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
