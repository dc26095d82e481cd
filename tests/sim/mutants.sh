#!/bin/sh
# Takes one rule after the other out of the machines: its story must notice, and the seeds.
# usage: mutants.sh stories|seeds PROGRAM FOLDER
#
# PROGRAM is sim_story_mutants or sim_mutants. Noticed means that it ends with 1: an invariant is broken, a story
# does not come out as told, a world is stuck. A program that crashes, or does not know its arguments, ends otherwise
# and has noticed nothing. The same run without a mutant must end with 0, or it would notice whatever is taken out.
what=$1
program=$2
folder=$3
failed=0

# expect STATUS WHAT COMMAND...
expect() {
    wanted=$1
    name=$2
    shift 2
    output=$("$@" 2>&1)
    status=$?
    if [ "$status" != "$wanted" ]; then
        echo "$name: ended with $status, and $wanted was expected"
        echo "$output" | tail -n 5
        failed=1
    fi
}

# number and file of the story that must not come out as told
stories() {
    while read -r mutant story; do
        expect 0 "$story" "$program" "$folder/traces/$story.txt"
        expect 1 "mutant $mutant, $story" "$program" --mutant "$mutant" "$folder/traces/$story.txt"
    done <<END
1 R01-rows-below-from
2 R02-late-by-the-cuts
3 R03-close-is-final
4 R04-pair-of-one-record
7 R07-new-partition-after-retention
8 R08-zombie-ready
9 R09-settings-changed
10 R10-sweep-of-an-older-term
11 R01-account-that-lies
12 R12-operator-between
14 R14-late-put-without-cas
15 R15-rollback-to-a-condemned-run
16 R16-overdue-attempt-ends-late
17 R17-tombstones-after-published
18 R03-close-is-final
19 R19-commit-unknown
20 R20-hold-before-the-swap
21 R21-ledger-lost-after-rollback
22 R22-fenced-and-still-assigned
23 R23-group-offsets-follow
24 R24-a-record-from-the-future
6 R06-base-is-the-head
60 R06-base-is-the-head
25 R25-retention-and-skip
26 R26-clock-far-ahead
27 R27-a-gate-refuses
28 R28-no-part-no-second-attempt
281 R28-each-attempt-has-its-own-time
282 R28-second-fails-first-goes-on
284 R28-a-pause-after-a-failure
283 R28-loser-goes-after-publish
29 R29-the-last-room
290 R29-closed-early
210 R21-another-group
80 R08-seal-fails-after-a-move
40 R04a-open-transaction-is-not-idle
41 R04b-retired-when-superseded
42 R04b-retired-when-superseded
46 R04-read-again-from-below
50 R05-from-here-reads-again
93 R09-handed-over-by-other-settings
94 R09-topic-made-again
95 R09-made-again-while-stopped
96 R09-made-again-between-two
97 R09-made-again-too-short
98 R09-made-again-before-the-first-build
98 R09-made-again-beside-the-head
110 R11-staged-twice
220 R22-a-broken-leader-steps-down
260 R26-a-tick-without-a-leader
END
}

# number, and how many seeds it may take, without a story written for it
seeds() {
    most=0
    while read -r mutant count; do
        expect 1 "mutant $mutant" "$program" --mutant "$mutant" --seeds 1.."$count"
        echo "mutant $mutant: $output"
        [ "$count" -gt "$most" ] && most=$count
    done <<END
1 1500
2 1500
3 1500
4 1500
6 1500
7 1500
8 1500
10 1500
11 1500
12 1500
14 1500
15 1500
16 1500
17 1500
18 1500
19 1500
20 1500
21 1500
22 1500
23 1500
24 1500
25 1500
26 1500
27 1500
28 1500
29 1500
290 1500
40 1500
42 1500
43 1500
50 1500
60 1500
82 1500
91 1500
92 1500
93 1500
94 1500
98 1500
110 1500
180 1500
220 1500
230 1500
281 1500
END
    expect 0 "without a mutant" "$program" --seeds 1.."$most"
}

"$what"
exit $failed
