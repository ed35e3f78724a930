"""The command: reads two CSV files, prints what changed, and ends like diff: 0 the same, 1 different, 2 trouble."""

import argparse
import csv
import json
import sys

from . import __version__
from .compare import KeyProblem, by_key, compare


def read_table(path, delimiter, key):
    """Rows by key of one file; `-` is standard input. The first line names the columns."""
    stream = sys.stdin if path == "-" else open(path, newline="", encoding="utf-8-sig")
    with stream:
        reader = csv.DictReader(stream, delimiter=delimiter, restval="")
        columns = list(reader.fieldnames or [])
        return by_key(reader, columns, key or columns[:1], path)


def as_text(delta):
    """`+` added, `-` removed, `~` changed with each cell, then one line of sums."""
    for key in delta.removed:
        yield f"- {' / '.join(key)}"
    for key in delta.added:
        yield f"+ {' / '.join(key)}"
    for key, cells in delta.changed.items():
        yield f"~ {' / '.join(key)}"
        for column, (old, new) in cells.items():
            yield f"    {column}: {old or '(empty)'} -> {new or '(empty)'}"
    yield f"{len(delta.added)} added, {len(delta.removed)} removed, {len(delta.changed)} changed, {delta.same} the same"


def as_json(delta):
    yield json.dumps(
        {
            "added": list(delta.added.values()),
            "removed": list(delta.removed.values()),
            "changed": [
                {"key": list(key), "cells": {column: {"old": old, "new": new} for column, (old, new) in cells.items()}}
                for key, cells in delta.changed.items()
            ],
            "same": delta.same,
        },
        indent=2,
        ensure_ascii=False,
    )


def main(argv=None):
    parser = argparse.ArgumentParser(prog="rowdelta", description="What changed between two CSV files, row by row.")
    parser.add_argument("old", help="the file before; - for standard input")
    parser.add_argument("new", help="the file after; - for standard input")
    parser.add_argument("-k", "--key", action="append", default=[], metavar="COLUMN", help="column that names a row; may be given again (default: the first column)")
    parser.add_argument("-i", "--ignore", action="append", default=[], metavar="COLUMN", help="column whose changes do not count; may be given again")
    parser.add_argument("-d", "--delimiter", default=",", help="what separates cells; \\t is a tab (default: ,)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--version", action="version", version=f"rowdelta {__version__}")
    args = parser.parse_args(argv)
    if args.old == args.new == "-":
        parser.error("only one of the two files can be standard input")
    delimiter = args.delimiter.replace("\\t", "\t")
    if len(delimiter) != 1:
        parser.error("a delimiter is one character")
    try:
        old = read_table(args.old, delimiter, args.key)
        new = read_table(args.new, delimiter, args.key)
    except (OSError, UnicodeError, csv.Error, KeyProblem) as error:
        print(f"rowdelta: {error}", file=sys.stderr)
        return 2
    delta = compare(old, new, args.ignore)
    for line in (as_json if args.json else as_text)(delta):
        print(line)
    return 1 if delta else 0


if __name__ == "__main__":
    sys.exit(main())
