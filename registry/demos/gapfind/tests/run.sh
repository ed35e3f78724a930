# Known answers: run.sh PROGRAM. Run by `meson test`.
set -eu
program=$1
is() {
  [ "$2" = "$3" ] || { printf '%s: expected\n%s\nfound\n%s\n' "$1" "$3" "$2" >&2; exit 1; }
}
ask() { "$program" "$@" 2>&1 || echo "exit $?"; }

is whole "$(seq 3 9 | ask)" ""
is ranges "$(printf 'img_0001.jpg\nimg_0002.jpg\nimg_0005.jpg\nimg_0007.jpg\n' | ask)" "3-4
6
exit 1"
is all "$(printf '9\n6\n' | ask -a)" "7
8
exit 1"
is bounds "$(printf '3\n4\n' | ask -f 1 -l 6)" "1-2
5-6
exit 1"
is within "$(seq 1 9 | ask -f 3 -l 4)" ""
is repeated "$(printf '2\n2\n3\n' | ask)" "gapfind: 1 numbers are there more than once"
is words "$(printf 'a\n\n99999999999999999999\n' | ask)" "gapfind: no numbers
exit 2"
is empty "$(ask -f 1 -l 2 < /dev/null)" "1-2
exit 1"
is usage "$(ask -f x 2>/dev/null < /dev/null | tail -n 1)" "exit 2"
echo "all as expected"
