"""
Write the two pages: what is reproducible, and what depends on the machine.

INPUTS:

    tables      = <experiment>/tables/*.csv
    figures     = <experiment>/figures/*.svg
    manifests   = <results>/data/{dataset}/manifest.json
    speeds      = <experiment>/machine/{train,evaluate,ais_bounds}/{run}/seed{seed}.json
    smoke test  = <results>/machine/smoke_test/{ranks,allreduce}.csv
    scaling     = <experiment>/machine/scaling/{scaling.csv,model.json}   (if asked for)
    drawn       = <experiment>/machine/*.svg
    environment = <results>/environment/{build.json,packages.txt}

OUTPUTS:

    report         = <experiment>/report.html    (one file, no clock and no host in it)
    machine_report = <experiment>/machine.html   (speed, ranks, hosts, versions, commit)
"""

PAGES = f"{WORKFLOW}/report"
SECTIONS = [
    *("summary", "figures", "results", "comparisons", "published", "own_models"),
    *("overfitting", "rate_parts", "two_sample", "bounds", "gap_parts", "scores"),
    *("methods", "promises", "checks", "data", "settings", "numbers"),
    *("regenerate", "glossary", "so_far"),
]
NUMBER_TABLES = [
    *("runs", "summary", "training", "units", "checks", "settings"),
    *("bound_against_k", "comparisons"),
]
NUMBERS = [f"<experiment>/tables/{name}.csv" for name in NUMBER_TABLES]
FRAME = [
    f"{PAGES}/{name}"
    for name in ["page.html.jinja", "macros.html.jinja", "page.css", "page.js"]
]


rule report:
    """Put results, settings, figures and data sets on one page."""
    input:
        template=f"{PAGES}/report.html.jinja",
        sections=[f"{PAGES}/{name}.html.jinja" for name in SECTIONS],
        promises=f"{PAGES}/promises.csv",
        citation=os.path.relpath(CHECKOUT / "CITATION.cff"),
        frame=FRAME,
        introduction=f"{PAGES}/workflow.rst",
        captions=[f"{PAGES}/{name}.rst" for name in FIGURES],
        figures=[f"<experiment>/figures/{name}.svg" for name in FIGURES],
        runs="<experiment>/tables/runs.csv",
        summary="<experiment>/tables/summary.csv",
        checks="<experiment>/tables/checks.csv",
        settings="<experiment>/tables/settings.csv",
        comparisons="<experiment>/tables/comparisons.csv",
        reproduction="<experiment>/tables/reproduction.csv",
        numbers=NUMBERS,
        published=ancient(PUBLISHED),
        bounds=BOUNDS_SUMMARY,
        scores=SCORES_SUMMARY,
        manifests=sorted({*MANIFESTS, *SCORED_MANIFESTS}),
        # Of a report so far alone, which report_so_far.py makes in a folder of its own.
        missing=[
            path
            for path in [located("<experiment>/missing.json")]
            if os.path.exists(path)
        ],
    output:
        report="<experiment>/report.html",
    localrule: True
    params:
        configuration=CONFIGURATION,
        published=lambda wildcards: digest([PUBLISHED]),
        figure_tables={
            name: [
                table
                for table in NUMBER_TABLES
                if f"<experiment>/tables/{table}.csv" in sources.values()
            ]
            for name, (_, sources) in FIGURES.items()
        },
        chapter=SHOWN,
    script:
        "../scripts/report.py"


rule machine_report:
    """Put speed, ranks, hosts and versions on another page."""
    input:
        template=f"{PAGES}/machine.html.jinja",
        scaling_template=f"{PAGES}/scaling.html.jinja",
        frame=FRAME,
        ranks="<results>/machine/smoke_test/ranks.csv",
        allreduce="<results>/machine/smoke_test/allreduce.csv",
        scaling=[*SCALING_TABLES.values()] if SCALING else [],
        figures=[f"<experiment>/machine/{name}.svg" for name in MACHINE_FIGURES],
        captions=[f"{PAGES}/{name}.rst" for name in MACHINE_FIGURES],
        train=per_seed("<experiment>/machine/train/{run}/seed{seed}.json"),
        evaluate=per_seed("<experiment>/machine/evaluate/{run}/seed{seed}.json"),
        ais_bounds=[
            f"<experiment>/machine/ais_bounds/{run}/seed{seed}.json"
            for run, seed in SEEDED
            if run in BOUNDED
        ],
        build="<results>/environment/build.json",
        packages="<results>/environment/packages.txt",
    output:
        report="<experiment>/machine.html",
    localrule: True
    params:
        configuration=CONFIGURATION,
    script:
        "../scripts/machine_report.py"
