"""The files that the hosts of a cluster see in place of the machine's own."""

import shutil
from pathlib import Path

from linux_hosts import HEAD, HOSTS, call

SITE = Path(__file__).parent / "site"
ROOT = Path("/var/lib/gridengine")
SHARE = Path("/usr/share/gridengine")  # what the packages make a cell from
SPOOL = Path("/var/spool/gridengine/spooldb")
MANAGER = "sgeadmin"
FOLDERS = ("home", "local", "spool/qmaster", "spool/spooldb", "spool/execd", "slurm")


def write(folder: Path, user: str) -> None:
    """Lay out an empty cell, the names of the hosts, the site's programs and the user's home."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    shutil.copytree(SITE, folder / "site")
    names = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in HOSTS.items())]
    (folder / "hosts").write_text("\n".join(names) + "\n")
    sources = (f"{database}: files\n" for database in ("passwd", "group", "hosts", "services"))
    (folder / "nsswitch.conf").write_text("".join(sources))

    root = folder / "gridengine"
    shutil.copytree(ROOT, root, symlinks=True, ignore=shutil.ignore_patterns("default"))
    common = root / "default" / "common"
    common.mkdir(parents=True)
    shutil.copy(SHARE / "default-bootstrap", common / "bootstrap")
    (common / "act_qmaster").write_text(f"{HEAD}\n")
    call("chown", "--recursive", f"{MANAGER}:", root / "default", folder / "spool")
    call("chown", f"{user}:", folder / "home")
