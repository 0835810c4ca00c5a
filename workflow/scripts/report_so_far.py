"""Write the report of the runs that are whole so far, while others still run.

python workflow/scripts/report_so_far.py [config/fashion.yaml]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from elboflow.files.whole import in_words, write_bytes
from elboflow.pages.so_far import configuration, files_outside, make_page, new_folder, prepare
from elboflow.pages.stages import trainings
from elboflow.pages.status import look_at
from elboflow.reading.records import Records
from elboflow.specification.check import MOST_TRAININGS, check
from elboflow.specification.config_files import read_file
from elboflow.specification.experiment import DEFAULT_FILE, experiment_folder, experiment_name
from elboflow.specification.schema import boolean_keys
from elboflow.specification.sweeps import with_sweeps
from elboflow.specification.yaml_readings import ConfigError

RESULTS, CAPTIONS = Path("results"), Path(__file__).parents[1] / "report"


def main(file: Path) -> str:
    """Write it; what is in it."""
    config = read_file(file, boolean_keys())
    resolved = check(config, read_files=False)
    name = experiment_name(config, file)
    experiment = experiment_folder(RESULTS, name)
    whole: dict[str, list[int]] = {}
    missing, records = [], Records(Path(".snakemake"))
    for work in trainings(experiment, resolved):
        seen = look_at(work, records, time.time())
        if seen.state == "done":
            whole.setdefault(work.run, []).append(int(work.seed))
        else:
            missing.append({"run": work.run, "seed": work.seed, "state": seen.words})
    if not whole:
        raise ConfigError("no training is measured yet: see `make status`")
    part_of = configuration(
        with_sweeps(config, MOST_TRAININGS), whole, f"{name or 'default'}-so-far"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = new_folder(Path(temporary), files_outside(resolved))
        part = prepare(folder, part_of, RESULTS, experiment, missing)
        page = make_page(folder, part, sorted(CAPTIONS.glob("*.rst")))
        so_far = experiment / "report_so_far.html"
        write_bytes(so_far, page.read_bytes())
    counted = sum(map(len, whole.values()))
    return f"{counted} of {counted + len(missing)} trainings; open {so_far.resolve()} in a browser"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", type=Path, default=DEFAULT_FILE)
    try:
        print(main(parser.parse_args().config))
    except ConfigError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {in_words(error)}")
    except KeyboardInterrupt:
        sys.exit("stopped; nothing was written")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.stdout}\nerror: no report so far; Snakemake says why above")
