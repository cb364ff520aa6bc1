#!/bin/sh
# Runs the models through spin: the rule must hold, each of its mutants must not. It needs spin and a C compiler, and takes some seconds.
set -eu
model=$(cd "$(dirname "$0")" && pwd)/round.pml
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# errors FLAG… prints how many errors spin finds, 0 or 1.
errors() {
	spin "$@" -a "$model" >/dev/null
	"${CC:-cc}" -w -DSAFETY -o pan pan.c
	./pan -m100000 | sed -n 's/.*errors: \([0-9]*\).*/\1/p'
}

failed=0
for case in 0: 0:-DLOSSY 1:-DNOCREDIT 1:-DCAPPED 1:-DSILENT; do
	want=${case%%:*} flag=${case#*:}
	got=$(errors $flag)
	echo "spin ${flag:-the rule}: $got errors, $want wanted"
	[ "$got" = "$want" ] || failed=1
done
exit $failed
