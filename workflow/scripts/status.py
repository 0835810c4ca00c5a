"""Print how far each training of a configuration is, from the files that it leaves while it runs.

python workflow/scripts/status.py [--all] [config/fashion.yaml]
"""

import argparse
import sys
from pathlib import Path

from elboflow.pages.stages import shared, trainings
from elboflow.pages.status import table
from elboflow.reading.records import Records
from elboflow.specification.check import check
from elboflow.specification.config_files import read_file
from elboflow.specification.experiment import DEFAULT_FILE, experiment_folder, experiment_name
from elboflow.specification.schema import boolean_keys
from elboflow.specification.yaml_readings import ConfigError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", type=Path, default=DEFAULT_FILE)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--all", action="store_true", help="show all that wait or are done")
    args = parser.parse_args()
    try:
        config = read_file(args.config, boolean_keys())
        resolved = check(config, read_files=False)
        experiment = experiment_folder(args.results, experiment_name(config, args.config))
    except ConfigError as error:
        sys.exit(f"error: {error}")
    preparations = shared(args.results, resolved)
    works = trainings(experiment, resolved)
    print(table(preparations, works, Records(Path(".snakemake")), args.all))


if __name__ == "__main__":
    main()
