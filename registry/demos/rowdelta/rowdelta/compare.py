"""Compare two tables by a key. Pure: rows come in, differences come out."""

from dataclasses import dataclass, field


class KeyProblem(Exception):
    """A table that cannot be compared: a column is missing, or two rows have one key."""


@dataclass
class Delta:
    """Rows by their key (a tuple of texts), in the order of the file in which they stand."""

    added: dict = field(default_factory=dict)
    removed: dict = field(default_factory=dict)
    # Key to {column: (old, new)}.
    changed: dict = field(default_factory=dict)
    same: int = 0

    def __bool__(self):
        return bool(self.added or self.removed or self.changed)


def by_key(rows, columns, key, name):
    """The rows (maps of column to text) by their key."""
    missing = [column for column in key if column not in columns]
    if missing:
        raise KeyProblem(f"{name} has no column {', '.join(missing)}; it has {', '.join(columns)}")
    found = {}
    for row in rows:
        value = tuple(row[column] for column in key)
        if value in found:
            raise KeyProblem(f"{name} has two rows with the key {' / '.join(value)}")
        found[value] = row
    return found


def compare(old, new, ignore=()):
    """What has to happen to `old` to become `new`; both are maps of key to row. A missing cell counts as empty."""
    delta = Delta()
    for key, row in new.items():
        before = old.get(key)
        if before is None:
            delta.added[key] = row
            continue
        columns = dict.fromkeys([*before, *row])
        cells = {
            column: (before.get(column) or "", row.get(column) or "")
            for column in columns
            if column not in ignore and (before.get(column) or "") != (row.get(column) or "")
        }
        if cells:
            delta.changed[key] = cells
        else:
            delta.same += 1
    delta.removed = {key: row for key, row in old.items() if key not in new}
    return delta
