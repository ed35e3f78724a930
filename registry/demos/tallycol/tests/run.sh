#!/bin/sh
# Known answers. Run by `make check`.
set -eu
cd "$(dirname "$0")/.."
is() {
  [ "$2" = "$3" ] || { printf '%s: expected\n%s\nfound\n%s\n' "$1" "$3" "$2" >&2; exit 1; }
}
line() { ./tallycol "$@" 2>/dev/null | awk '{ printf "%s=%s ", $1, $2 }'; }

is numbers "$(seq 1 5 | line)" "count=5 sum=15 mean=3 dev=1.58113883 min=1 q1=2 median=3 q3=4 max=5 "
is between "$(printf '1\n2\n' | line)" "count=2 sum=3 mean=1.5 dev=0.7071067812 min=1 q1=1.25 median=1.5 q3=1.75 max=2 "
is column "$(printf 'a,n\nx,2\ny,\nz,4 \n' | line -s , -c 2 -k)" "count=2 sum=6 mean=3 dev=1.414213562 min=2 q1=2.5 median=3 q3=3.5 max=4 "
is one "$(echo '  7 8' | line -c 2)" "count=1 sum=8 mean=8 dev=0 min=8 q1=8 median=8 q3=8 max=8 "
is words "$(printf 'a\nb\n1e3x\n' | ./tallycol 2>&1 || echo "exit $?")" "tallycol: 3 lines without a number there
tallycol: no numbers
exit 1"
is usage "$(./tallycol -z 2>/dev/null || echo "exit $?")" "exit 2"
echo "all as expected"
