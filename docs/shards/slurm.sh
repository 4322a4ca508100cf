#!/bin/bash
#SBATCH --job-name=load
#SBATCH --array=1-8
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --time=00:30:00
#SBATCH --no-requeue
# A load from 8 tasks of a job array, in a folder that all nodes share:
#
#   sbatch --export=ALL,START_AT=$(date -d '+5 minutes' +%s) slurm.sh
#
# Choose START_AT so that all tasks run by then: a shard that is late is refused, and is missing in
# the merged result. The array begins at 1, as the shards do.
exec twistd tlsclient --plan=plan.json \
    --shard="$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --start-at="$START_AT" \
    --json="out$SLURM_ARRAY_TASK_ID.json"
