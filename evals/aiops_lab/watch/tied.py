"""Becomes another program that dies with the lab.

Run as ``python -m aiops_lab.watch.tied PARENT PROGRAM ARGUMENT...``: the kernel's death signal
stays set when the process becomes the program.
"""

from __future__ import annotations

import os
import sys

from aiops_lab.pods.zygote import die_with


def main(parent: str, program: str, *arguments: str) -> None:
    """Does not return; where the program cannot be run, the last line of the log says why."""
    die_with(int(parent))
    try:
        os.execv(program, [program, *arguments])  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"cannot run {program}: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
