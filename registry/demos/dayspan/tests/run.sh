#!/bin/sh
# Known answers. Run by `make check`, in the build folder.
set -eu
is() {
  found=$(./dayspan $1 2>&1 || echo "exit $?")
  [ "$found" = "$2" ] || { printf '%s: expected\n%s\nfound\n%s\n' "$1" "$2" "$found" >&2; exit 1; }
}

is "1970-01-01" "1970-01-01 Thursday 1970-W01"
is "2000-02-29" "2000-02-29 Tuesday 2000-W09"
is "2021-01-03" "2021-01-03 Sunday 2020-W53"
is "2024-12-30" "2024-12-30 Monday 2025-W01"
is "0001-01-01" "0001-01-01 Monday 0001-W01"
is "2026-01-01 2026-12-31" "364 days, 260 working days"
is "2026-03-01 2024-03-01" "-730 days, -520 working days"
is "2026-11-20 +10" "2026-11-30 Monday 2026-W49"
is "2026-11-20 +1w" "2026-11-23 Monday 2026-W48"
is "2026-11-23 -1w" "2026-11-20 Friday 2026-W47"
is "9999-12-31 -3652058" "usage: dayspan DATE           weekday and week of a date such as 2026-02-28
       dayspan FROM TO        days from one date to another, and how many of them are working days
       dayspan DATE +DAYS     the date so many days later (-DAYS: before; +DAYSw: working days)
exit 2"
is "2023-02-29" "dayspan: 2023-02-29 is no date
exit 2"
is "2026-1-01" "dayspan: 2026-1-01 is no date
exit 2"
echo "all as expected"
