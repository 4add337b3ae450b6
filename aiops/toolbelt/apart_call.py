"""Calls one function by its name, with JSON in and JSON out; run as a program by ``apart.call``."""

import importlib
import json
import sys


def main(name: str) -> None:
    """Print what ``module:function`` answers to the arguments on standard input."""
    module, _, function = name.partition(":")
    answer = getattr(importlib.import_module(module), function)(*json.load(sys.stdin))
    json.dump(answer, sys.stdout, allow_nan=False)


if __name__ == "__main__":
    main(sys.argv[1])
