#!/bin/sh
# Takes one rule after the other out of the machines: a story must notice, or else the seeds.
# usage: mutants.sh SIM_MUTANTS STORY_MUTANTS FOLDER
seeds=$1
stories=$2
folder=$3
failed=0

# number and file of the story that must not come out as told
while read -r mutant story; do
    if "$stories" --mutant "$mutant" "$folder/traces/$story.txt" >/dev/null 2>&1; then
        echo "mutant $mutant: $story did not notice"
        failed=1
    fi
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
80 R08-seal-fails-after-a-move
40 R04a-open-transaction-is-not-idle
50 R05-from-here-reads-again
93 R09-handed-over-by-other-settings
110 R11-staged-twice
220 R22-a-broken-leader-steps-down
260 R26-a-tick-without-a-leader
END

# and the seeds alone, without a story written for it
for mutant in 1 2 3 6 7 8 12 16 17 18 19 20 22 23 24 25 26 50 60 82 91 110 180 230; do
    if "$seeds" --mutant "$mutant" --seeds 1..1500 >/dev/null 2>&1; then
        echo "mutant $mutant: 1500 seeds did not notice"
        failed=1
    fi
done
exit $failed
