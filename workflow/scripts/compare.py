"""Put the runs of several experiments on one page.

python workflow/scripts/compare.py default fashion --page results/compare.html
"""

import argparse
import sys
from pathlib import Path

from elboflow.files.whole import in_words
from elboflow.pages.compare import DEFAULT, compare_page
from elboflow.pages.html import write_page
from elboflow.reading.errors import InputError

TEMPLATE = Path(__file__).parents[1] / "report" / "compare.html.jinja"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help=f"or {DEFAULT}")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--page", type=Path, default=Path("results/compare.html"))
    args = parser.parse_args()
    names = list(dict.fromkeys(args.experiments))
    if len(names) < 2:
        sys.exit('error: name two experiments or more: make compare EXPERIMENTS="default fashion"')
    try:
        write_page(args.page, compare_page(TEMPLATE, args.results, names))
    except InputError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {in_words(error, args.page)}")
    print(f"open {args.page.resolve()} in a browser")


if __name__ == "__main__":
    main()
