#!/bin/sh
# A load from the machines that are named, on which tlsdemo is installed; the results come here:
#
#   sh ssh.sh plan.json host1 host2 host3
#
# The exit status is that of tlsdemo merge: 1 if a shard is missing.
plan=$1
shift
of=$#
start_at=$(($(date +%s) + ${LEAD:-20}))
number=0
for host; do
    number=$((number + 1))
    # The plan goes in by standard input, the result comes out by standard output.
    ssh -o BatchMode=yes "$host" "
        folder=\$(mktemp -d) && cd \"\$folder\" && cat >plan.json &&
        { twistd tlsclient --plan=plan.json --shard=$number/$of --start-at=$start_at \\
            --json=out.json >&2; cat out.json; cd / && rm -r \"\$folder\"; }
    " <"$plan" >"out$number.json" &
done
wait
# Those of this load only. A machine that could not be reached leaves an empty file.
set --
while [ "$number" -gt 0 ]; do
    if [ -s "out$number.json" ]; then set -- "out$number.json" "$@"; else rm "out$number.json"; fi
    number=$((number - 1))
done
tlsdemo merge "$@" --json=merged.json
