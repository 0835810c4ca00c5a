"""The command `elboflow`: its arguments, and errors in one line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from elboflow.command_line import words
from elboflow.command_line.output import check_output

TABLE, PICTURES = (".csv", ".npz"), (".npz", ".png", "/")
# What each command is, what its help says, and what its output may end in.
COMMANDS = {
    "score": ("log p(x) of each image", words.SCORE, TABLE),
    "encode": ("the means of q(z | x) of each image", words.ENCODE, TABLE),
    "reconstruct": ("the mean image of each image's z", words.RECONSTRUCT, PICTURES),
    "sample": ("images that the model makes", words.SAMPLE, PICTURES),
}
STOPPED = 130  # exit status after Ctrl-C, as shells have it


def parser() -> argparse.ArgumentParser:
    """The arguments of all commands."""
    layout = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        prog="elboflow", description=words.TOP, epilog=words.STATUS, formatter_class=layout
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (meaning, text, _) in COMMANDS.items():
        epilog = f"{text}{words.STATUS}"
        one = commands.add_parser(
            name, help=meaning, description=meaning, epilog=epilog, formatter_class=layout
        )
        one.add_argument("model", type=Path, metavar="MODEL", help=words.MODEL)
        if name == "sample":
            _add_flags_of_samples(one)
        else:
            _add_images(one)
        if name == "score":
            one.add_argument(
                "--samples", type=int, default=1000, help="of z for each image (default: 1000)"
            )
        if name in ("score", "sample"):
            one.add_argument("--seed", type=int, default=0, help="of all noise (default: 0)")
        one.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1 ...")
        one.add_argument("-o", "--output", required=True, help="what to write; a file is replaced")
    return top


def _add_images(one: argparse.ArgumentParser) -> None:
    one.add_argument("images", type=Path, metavar="IMAGES", help=words.IMAGES)
    one.add_argument(
        "--part",
        choices=["train", "validation", "test"],
        help="which images of a file or folder that has several parts",
    )


def _add_flags_of_samples(one: argparse.ArgumentParser) -> None:
    one.add_argument("--count", type=int, default=64, help="images (default: 64)")
    one.add_argument("--mean", action="store_true", help="E[x | z] in place of x, smoother")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    given = parser().parse_args(arguments)
    name = given.command
    try:
        given.output = check_output(given.output, COMMANDS[name][-1])
        from elboflow.command_line import commands  # torch takes seconds, and --help needs none

        print(getattr(commands, name)(given))
    except KeyboardInterrupt:
        return _failed(name, "stopped, nothing is written", STOPPED)
    except MemoryError:
        return _failed(name, "does not fit into memory; give fewer images at a time")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _failed(name, f"{place}{error.strerror or error}")
    except (ValueError, ImportError) as error:
        return _failed(name, str(error))
    return 0


def _failed(command: str, why: str, status: int = 1) -> int:
    print(f"elboflow {command}: {why}", file=sys.stderr)
    return status
