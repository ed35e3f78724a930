#!/bin/sh
# Known answers for the packaged jar: mvn package, then sh test/run.sh
set -eu
cd "$(dirname "$0")/.."
jar=$(ls target/commagrid-*.jar)
is() {
  [ "$2" = "$3" ] || { printf '%s: expected\n%s\nfound\n%s\n' "$1" "$3" "$2" >&2; exit 1; }
}
ask() { java -jar "$jar" "$@" 2>&1 || echo "exit $?"; }

is plain "$(printf 'name,size\nadam,7\n"b, c",1200\n' | ask)" "name  size
----  ----
adam     7
b, c  1200"
is markdown "$(printf 'a\tb\n"x ""y"" | z"\t1\n' | ask -m -s '\t')" '| a          |   b |
| ---------- | --: |
| x "y" \| z |   1 |'
is lines "$(printf 'a,b,c\r\n"one\ntwo"\r\n\r\n' | ask)" "a        b    c
-------  ---  ---
one two"
is empty "$(printf '\n' | ask)" "commagrid: no rows
exit 2"
echo "all as expected"
