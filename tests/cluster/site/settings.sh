#!/bin/bash
# The site's settings: run on the head as Grid Engine's manager, once the qmaster answers.
# usage: settings.sh FOLDER GROUP SLOTS HEAD NODE...
set -eu
folder=$1 group=$2 slots=$3 head=$4
shift 4
cd "$(mktemp -d -p "$folder/local")"

# Show a configuration, change some of its lines, and hand it back to qconf under the last word.
change() { # SHOW "KEY VALUE"... HAND_BACK
    local expressions=() show=$1 back=${*: -1} line
    for line in "${@:2:$#-2}"; do
        expressions+=(-e "s|^${line%% *} .*|$line|")
    done
    # shellcheck disable=SC2086 # the option and its name are two words
    qconf $show | sed "${expressions[@]}" >global
    qconf "$back" global
}

qconf -as "$head"
for node in "$@"; do
    qconf -ah "$node"
done
printf '%s\n' 'group_name @allhosts' "hostlist $*" >hosts
qconf -Ahgrp hosts

# Full nodes for rt_F, and a part of one node for the small resource types.
for rule in 'full 4' 'part $pe_slots'; do
    cat >environment <<PE
pe_name ${rule% *}
slots 999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule ${rule#* }
control_slaves TRUE
job_is_first_task FALSE
urgency_slots min
accounting_summary TRUE
qsort_args NONE
PE
    qconf -Ap environment
done

printf '%s\n' "name $group" 'oticket 0' 'fshare 0' 'acl NONE' 'xacl NONE' >project
qconf -Aprj project

# What waits for a clock is made quick: the scheduler, the accounting, the load reports.
change -ssconf 'schedule_interval 0:0:1' 'flush_submit_sec 1' 'flush_finish_sec 1' \
    'job_load_adjustments NONE' -Msconf
change -sconf 'load_report_time 00:00:05' 'administrator_mail none' 'enforce_project true' \
    'reporting_params accounting=true reporting=false flush_time=00:00:01' -Mconf
# A node is never too busy for a test, and 5 s are enough of a warning before the end (-notify).
change -sq 'qname all.q' 'hostlist @allhosts' "slots $slots" 'pe_list full part' \
    'load_thresholds NONE' 'notify 00:00:05' 'shell_start_mode unix_behavior' \
    "tmpdir $folder/local" "prolog sgeadmin@$folder/site/prolog" -Aq
