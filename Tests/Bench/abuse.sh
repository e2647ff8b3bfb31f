# shellcheck shell=bash
# shellcheck disable=SC2154 # run sets what is not set here
# The block of Tests/Bench/run that has hostile peers beside a live stream; it reads this file, and what it is stands there.

seconds_abuse=${SECONDS_ABUSE:-12}
kills=${KILLS:-50}
abuse_viewers=5
# The stream begins before what disturbs it, and ends after it.
abuse_lead=2

# origin_counts: refusals, cuts and broken uploads so far, one a line.
origin_counts() {
    curl -fs --max-time 10 "http://127.0.0.1:$admin_port/metrics" | sed -nE '
        s/^headwater_origin_(refusals|readers_cut)_total\{reason="([a-z]+)"\} ([0-9]+).*/\2 \3/p
        s/^headwater_origin_(uploads_broken)_total ([0-9]+).*/\1 \2/p'
}

# count_changes BEFORE AFTER
count_changes() {
    awk 'NR == FNR { before[$1] += $2; next } { after[$1] += $2 }
        END { for (name in after) if (after[name] > before[name]) printf "%s %d, ", name, after[name] - before[name] }' \
        <(echo "$1") <(echo "$2") | sed 's/, $//'
}

# answers: how many of each status the hostile peers got.
answers() {
    tr ' ' '\n' <"$logs/abuse.figures" | awk -F= '/^asked=/ { asked += $2 } /^status_/ { count[substr($1, 8)] += $2 }
        END { if (asked > 0) printf "; asked %d", asked; for (status in count) printf "; %d × %s", count[status], status }'
}

# start_abused HOW [FLAG]…: an origin whose limits are soon met; HOW is origin or tls. Sets publish_port, which may be the
# only one, and admin_port too.
start_abused() {
    local how=$1
    shift
    "start_$how" "$service_cpu" --connections-per-address 5000 --upload-resume-window 1s --stall-limit 5s \
        --request-timeout 5s --upload-timeout 5s --unlisted-lifetime 30m "$@"
    publish_port=$origin_port
    admin_port=$(listening "$logs/origin.log" "admin.address")
}

# hostile PORT KIND [FLAG]…: the figures go to the logs.
hostile() {
    local port=$1 kind=$2
    shift 2
    nice -n 10 taskset -c "$load_cpu" "$tools/abuse" "$kind" -s "$seconds_abuse" "$@" "127.0.0.1:$port" \
        >>"$logs/abuse.figures" &
    hostile_pids+=($!)
}

# hostile_twice KIND [FLAG]…: on both listeners.
hostile_twice() {
    hostile "$origin_port" "$@"
    hostile "$publish_port" "$@"
}

# abuse_round WHAT COMMAND…: a line of the table: the live stream, and the origin's memory, while the command runs.
abuse_round() {
    local what=$1 before after peak=0 kib counts figures seconds=$((seconds_abuse + 2 * abuse_lead)) stream pid flags=()
    local frames lost count until
    shift
    hostile_pids=()
    abuse_rounds=$((abuse_rounds + 1))
    : >"$logs/abuse.figures"
    if [[ $what == TLS* ]]; then flags=(-t); fi
    before=$(memory_kib "$origin_pid")
    counts=$(origin_counts)
    taskset -c "$load_cpu" "$tools/growload" "${flags[@]}" -n "$abuse_viewers" -s "$seconds" -l 6 \
        -P "/live/$abuse_rounds/v" -q "127.0.0.1:$publish_port" "127.0.0.1:$origin_port" >"$logs/growload.log" &
    stream=$!
    sleep "$abuse_lead"
    until=$((SECONDS + seconds_abuse))
    "$@"
    while kill -0 "$stream" 2>/dev/null; do
        if ! kill -0 "$origin_pid" 2>/dev/null; then fail "$what: headwater-origin has ended."; fi
        kib=$(memory_kib "$origin_pid")
        if ((kib > peak)); then peak=$kib; fi
        sleep 0.3
    done
    wait "$stream" || (($? == 1))
    for pid in "${hostile_pids[@]}"; do wait "$pid" || (($? == 1)); done
    figures=$(<"$logs/growload.log")
    frames=$(figure frames "$figures")
    lost=$((abuse_viewers * seconds * 30 - frames))
    # What broke off is still kept for a moment.
    sleep 4
    after=$(memory_kib "$origin_pid")
    printf '  %-22s %8s %8s %8s %6s %8.1f %8.1f %8.1f  %s%s\n' "$what" "$(field p50_ms "$figures")" \
        "$(field p99_ms "$figures")" "$(field max_ms "$figures")" "$lost" "$(calculate %.1f "$before / 1024")" \
        "$(calculate %.1f "$peak / 1024")" "$(calculate %.1f "$after / 1024")" \
        "$(count_changes "$counts" "$(origin_counts)")" "$(answers)"
    if ((lost != 0)); then wrong "$what: $lost frames of the live stream were lost"; fi
    if [[ $(calculate %d "$(field p99_ms "$figures") <= $lag_limit_ms") != 1 ]]; then
        wrong "$what: the live stream's lag was above $lag_limit_ms ms"
    fi
    while read -r figures; do
        count=$(figure wrong "$figures")
        if ((count > 0)); then wrong "$what: $figures"; fi
    done <"$logs/abuse.figures"
    if (($(wc -l <"$logs/abuse.figures") != ${#hostile_pids[@]})); then wrong "$what: not every peer tells its figures"; fi
}

# More than the host's open files, from fewer addresses than may have so many.
abuse_crowd() {
    hostile "$origin_port" hold -n 10500 -a 4 -p /abuse/deaf/small.ts
    hostile "$origin_port" hold -n 10500 -a 4 -p /abuse/deaf/small.ts
}

abuse_deaf() {
    hostile "$origin_port" deaf -n 250 -p /abuse/deaf/complete.ts
    hostile "$origin_port" deaf -n 250 -p "/live/$abuse_rounds/v-00003.ts"
}

# Uploads that come to their end, one after the other.
abuse_large() {
    local port=$publish_port
    head -c 262144000 /dev/zero >"$logs/large.ts"
    (
        count=0
        while ((SECONDS < until)); do
            taskset -c "$load_cpu" curl -fsS -o /dev/null -T "$logs/large.ts" "http://127.0.0.1:$port/abuse/large/$count.ts"
            count=$((count + 1))
        done
        echo "opened=$count wrong=0" >>"$logs/abuse.figures"
    ) &
    hostile_pids+=($!)
}

# abuse_rush URL: 200 HTTP/2 connections at once that send 100 requests each with their first bytes, again and again.
abuse_rush() {
    local url=$1
    (
        opened=0 answered=0
        while ((SECONDS < until)); do
            figures=$(nice -n 10 taskset -c "$load_cpu" h2load -n 20000 -c 200 -m 100 "$url")
            opened=$((opened + 200))
            answered=$((answered + $(sed -nE 's/^status codes: ([0-9]+) 2xx.*/\1/p' <<<"$figures")))
        done
        echo "opened=$opened wrong=0 asked=$((opened * 100)) status_200=$answered" >>"$logs/abuse.figures"
    ) &
    hostile_pids+=($!)
}

abuse_uploads() {
    hostile "$publish_port" length -n 2
    hostile "$publish_port" chunks -n 2
}

# kill_round DIRECTORY LOG: writes until the origin is killed, then reads what the next one has.
kill_round() {
    local figures started served lost corrupt writer flags=(--data-dir "$1" --unlisted-lifetime 600m --playlist-lifetime 600m)
    start_origin "$service_cpu" "${flags[@]}"
    "$tools/keep" write "$2" "127.0.0.1:$origin_port" &
    writer=$!
    sleep "$(calculate %.2f "1.2 + $RANDOM / 32768")"
    kill -KILL "$origin_pid"
    wait "$writer" 2>/dev/null || true
    stop_all 2>/dev/null
    started=$EPOCHREALTIME
    start_origin "$service_cpu" "${flags[@]}"
    figures=$("$tools/keep" check "$2" "127.0.0.1:$origin_port") || (($? == 1))
    served=$(figure served "$figures")
    lost=$(figure lost "$figures")
    corrupt=$(figure corrupt "$figures")
    echo "$served $lost $corrupt" "$(calculate %.0f "($EPOCHREALTIME - $started) * 1000")" >>"$logs/keep.rounds"
    kill_origin 2>/dev/null
}

kill_origin() {
    kill -KILL "$origin_pid"
    stop_all
}

abuse_kills() {
    local round bad
    for ((round = 1; round <= kills; round++)); do kill_round "$logs/keep.d" "$logs/keep.log"; done
    awk '{ lost += $2; corrupt += $3; if ($4 > slowest) slowest = $4; if (NR == 1 || $1 < fewest) fewest = $1 }
        END { printf "  killed as it writes %d times: at least %d of 65 objects served then, %d lost, %d corrupt; all are " \
            "read %d ms after the start at most\n", NR, fewest, lost, corrupt, slowest }' "$logs/keep.rounds"
    bad=$(awk '{ bad += $2 + $3 } END { print bad + 0 }' "$logs/keep.rounds")
    if ((bad > 0)); then wrong "$bad objects were lost or corrupt after a kill"; fi
}

abuse() {
    local admin_port publish_port second_port hostile_pids=() abuse_rounds=0
    echo "Hostile peers, $seconds_abuse s each, beside a stream of 3 Mb/s with $abuse_viewers viewers: its lag in ms and" \
        "lost frames, the origin's memory in MiB, what was refused, cut or broken off, and the peers' answers"
    printf '  %-22s %8s %8s %8s %6s %8s %8s %8s\n' what p50 p99 max lost before most after
    head -c $((1 << 20)) /dev/urandom >"$logs/object.ts"
    go_first
    second_port=$(free_port)
    start_abused origin --publish-listen "127.0.0.1:$second_port"
    publish_port=$second_port
    abuse_round "nobody" true
    abuse_round "heads dripped" hostile_twice drip-head -n 2000 -a 4
    abuse_round "prefaces dripped" hostile_twice drip-preface -n 2000 -a 4
    abuse_round "bodies dripped" hostile "$publish_port" drip-body -n 2000 -a 4
    curl -fsS -o /dev/null -T README.md "http://127.0.0.1:$publish_port/abuse/deaf/small.ts"
    curl -fsS -o /dev/null -X PUT --data-binary x "http://127.0.0.1:$publish_port/abuse/deaf/tiny.ts"
    abuse_round "21,000 connections" abuse_crowd
    curl -fsS -o /dev/null -T "$logs/object.ts" "http://127.0.0.1:$publish_port/abuse/deaf/complete.ts"
    abuse_round "deaf readers" abuse_deaf
    abuse_round "deaf askers" hostile "$origin_port" ask -n 250 -p /abuse/deaf/small.ts
    abuse_round "askers who leave" hostile "$origin_port" leave -n 250 -p /abuse/deaf/small.ts
    abuse_round "batches of requests" hostile "$origin_port" batch -n 2000 -a 4 -p /abuse/deaf/tiny.ts
    abuse_round "HTTP/2 rushes" abuse_rush "http://127.0.0.1:$origin_port/abuse/deaf/small.ts"
    abuse_round "10 GB uploads" abuse_uploads
    abuse_round "250 MB uploads" abuse_large
    abuse_round "paths nobody has" hostile "$origin_port" paths -n 100 -a 4
    abuse_round "noise" hostile_twice noise -n 100 -a 4
    stop_all
    start_abused origin --error-rate 0
    abuse_round "paths, no error limit" hostile "$origin_port" paths -n 100 -a 4
    abuse_round "uploads that break off" hostile "$origin_port" cut -n 400 -a 4
    stop_all
    if has_tls; then
        start_abused tls
        abuse_round "TLS dripped" hostile "$origin_port" drip-tls -n 2000 -a 4
        curl -fsSk -o /dev/null -T README.md "https://127.0.0.1:$origin_port/abuse/deaf/small.ts"
        abuse_round "TLS rushes" abuse_rush "https://127.0.0.1:$origin_port/abuse/deaf/small.ts"
        stop_all
    fi
    abuse_kills
    go_along
}
