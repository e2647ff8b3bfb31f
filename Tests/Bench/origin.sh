# shellcheck shell=bash
# shellcheck disable=SC2154 # run sets what is not set here
# The blocks of Tests/Bench/run that measure the origin alone; it reads this file, and what they are stands there.

read -ra viewer_counts <<<"${VIEWERS:-200 1000 2000}"
read -ra idle_counts <<<"${IDLE_VIEWERS:-1000 10000}"
seconds_fanout=6
seconds_cores=3
seconds_complete=${SECONDS_COMPLETE:-5}
seconds_soak=${SECONDS_SOAK:-600}
simulated_hours=${SIMULATED_HOURS:-24}
connections=200
streams=20
viewers_of_stream=3
lag_limit_ms=100
# What of a processor each event loop may have where the load has to share them.
loop_share=0.35
# The kernel takes no quota below 1 ms.
quota_period_us=4000
groups=()

# need PROGRAM…
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || fail "This needs the program \`$program\`."
    done
}

# What these blocks start goes before everything else on this host, where that is allowed, until go_along.
go_first() { if ((EUID == 0)); then renice -n -15 -p $$ >/dev/null; fi; }
go_along() { if ((EUID == 0)); then renice -n 0 -p $$ >/dev/null; fi; }

# Whether the origin knows TLS; what follows it says so where it does not.
has_tls() { has_setting "$binaries/headwater-origin" HEADWATER_TLS_CERTIFICATE; }

# A certificate for this run alone, of the kind most sites have.
make_certificate() {
    need openssl
    [[ -s $logs/tls.crt ]] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj /CN=localhost -keyout "$logs/tls.key" -out "$logs/tls.crt" 2>/dev/null
}

# start_tls CPU [FLAG]…: as start_origin.
start_tls() {
    make_certificate
    start_origin "$@" --tls-certificate "$logs/tls.crt" --tls-key "$logs/tls.key"
}

# --- fanout

# fanout_round SERVER ROUND VIEWERS: a line of the table, and of the file of that server.
fanout_round() {
    local before figures cpu flags=()
    if [[ $1 == limit ]]; then start_limit "$service_cpu"; else "start_$1" "$service_cpu" --threads 1; fi
    if [[ $1 == tls ]]; then flags=(-t); fi
    before=$(cpu_ticks "$origin_pid")
    load=(taskset -c "$load_cpu" "$tools/growload" "${flags[@]}" -n "$3" -s "$seconds_fanout"
        "127.0.0.1:$origin_port")
    figures=$("${load[@]}") || (($? == 1))
    cpu=$(calculate %.2f "($(cpu_ticks "$origin_pid") - $before) / $ticks")
    echo "$cpu $(field p50_ms "$figures") $(field p99_ms "$figures") $(field percent "$figures")" \
        "$(field missed "$figures")" "$(peak_mb "$origin_pid")" "$(field cpu_s "$figures")" |
        tee -a "$logs/$1-$3.rounds" | fanout_row "$1" "$2"
    stop_all
}

fanout_row() {
    local cpu p50 p99 percent missed peak load_cpu
    read -r cpu p50 p99 percent missed peak load_cpu
    printf '  %-7s %-7s %7s %9s %9s %9s %6s %8s %11s\n' "$1" "$2" "$cpu" "$p50" "$p99" "$percent" "$missed" "$peak" \
        "$load_cpu"
}

fanout() {
    local count round server servers=(limit origin) i
    if has_tls; then servers+=(tls); else echo "This origin has no TLS: it is measured without."; fi
    rm -f "$logs"/*.rounds
    go_first
    for count in "${viewer_counts[@]}"; do
        echo "Fan-out: 1 growing object, $count viewers, 3 Mb/s, $seconds_fanout s"
        echo "CPU s,p50 ms,p99 ms,frames %,404s,peak MB,load CPU s" | IFS=, fanout_row server round
        for ((round = 1; round <= rounds; round++)); do
            for server in "${servers[@]}"; do fanout_round "$server" $round "$count"; done
        done
        for server in "${servers[@]}"; do
            for i in 1 2 3 4 5 6 7; do median_of "$server-$count" $i; done | xargs | fanout_row "$server" median
        done
        for server in "${servers[@]:1}"; do
            echo "  the CPU of $server is" "$(calculate %.2f \
                "$(median_of "$server-$count" 1) / $(median_of "limit-$count" 1)") times the limit's"
        done
    done
    go_along
}

# --- cores

# Where processors are to spare, the load has some of its own. Else each event loop gets a part of one, by a control
# group of its own, and the load shares what is left of all: the quota's period is short, so that it adds no lag.
cores_prepare() {
    local parent=/sys/fs/cgroup/cpu/headwater-bench.$$ i
    if (($(nproc --all) >= 4)); then
        loop_share=1 load_cpus=(2 3)
        return
    fi
    load_cpus=(0 1)
    mkdir "$parent" 2>/dev/null || return 1
    groups+=("$parent")
    for i in 0 1; do
        mkdir "$parent/$i" && groups=("$parent/$i" "${groups[@]}")
        echo $quota_period_us >"$parent/$i/cpu.cfs_period_us"
        calculate '%d\n' "$quota_period_us * $loop_share" >"$parent/$i/cpu.cfs_quota_us"
        [[ $(<"$parent/$i/cpu.cfs_quota_us") == [1-9]* ]] || return 1
    done
    # Until its quota is used up, a loop goes first: over all that shares its processor.
    echo 262144 >"$parent/cpu.shares"
}

# Empty once their processes have ended.
cores_end() {
    local group
    for group in "${groups[@]}"; do rmdir "$group" || true; done
    groups=()
}

# place_loops COUNT: the busiest threads are the event loops; each gets a processor.
place_loops() {
    local tasks i=0 task
    "$tools/growload" -n 40 -s 2 -P /bench/first "127.0.0.1:$origin_port" >/dev/null || true
    mapfile -t tasks < <(for task in /proc/"$origin_pid"/task/*; do
        echo "$(cpu_ticks "$origin_pid/task/${task##*/}") ${task##*/}"
    done | sort -rn | awk -v count="$1" 'NR <= count { print $2 }')
    for task in "${tasks[@]}"; do
        taskset -pc $i "$task" >/dev/null
        if ((${#groups[@]})); then echo "$task" >"${groups[-1]}/$i/tasks"; fi
        i=$((i + 1))
    done
}

# carries VIEWERS: whether they got every frame in time; sets cores_p99, cores_cpu (ms of the origin for a second of a
# viewer) and cores_load of the last try. What other programs disturb has two more tries.
carries() {
    local try i before figures p99 percent pids_of_load
    for try in 1 2 3; do
        pids_of_load=()
        before=$(cpu_ticks "$origin_pid")
        for i in 0 1; do
            taskset -c "${load_cpus[i]}" "$tools/growload" -n $(($1 / 2)) -s "$seconds_cores" -P "/bench/$1-$try-$i" \
                "127.0.0.1:$origin_port" >"$logs/cores-$i" &
            pids_of_load+=($!)
        done
        wait "${pids_of_load[@]}" || true
        for i in 0 1; do wait "${pids_of_load[i]}" || true; done
        cores_cpu=$(calculate %.3f \
            "($(cpu_ticks "$origin_pid") - $before) * 1000 / $ticks / $1 / $seconds_cores")
        cores_p99=0 cores_load=0 percent=100
        for i in 0 1; do
            figures=$(<"$logs/cores-$i")
            p99=$(field p99_ms "$figures")
            percent=$(calculate %.2f "$percent < $(field percent "$figures") ? $percent : $(field percent "$figures")")
            cores_p99=$(calculate %.1f "$cores_p99 > $p99 ? $cores_p99 : $p99")
            cores_load=$(calculate %.2f "$cores_load + $(field cpu_s "$figures")")
        done
        if [[ $percent == 100.00 && $(calculate %d "$cores_p99 <= $lag_limit_ms") == 1 ]]; then return 0; fi
    done
    return 1
}

cores_row() {
    local most p99 cpu load_cpu
    read -r most p99 cpu load_cpu
    printf '  %5s %6s %13s %8s %15s %11s\n' "$1" "$2" "$most" "$p99" "$cpu" "$load_cpu"
}

# cores_round LOOPS ROUND
cores_round() {
    local low=0 high=200 middle best="0 0 0"
    start_origin 0,1 --threads "$1"
    place_loops "$1"
    while carries $high; do
        low=$high best="$cores_p99 $cores_cpu $cores_load"
        high=$((high * 2))
    done
    while ((high - low > low / 25 && high - low > 8)); do
        middle=$(((low + high) / 2 / 2 * 2))
        if carries $middle; then
            low=$middle best="$cores_p99 $cores_cpu $cores_load"
        else
            high=$middle
        fi
    done
    echo "$low $best" | tee -a "$logs/cores-$1.rounds" | cores_row "$1" "$2"
    stop_all
}

cores() {
    local round loops
    if ! cores_prepare; then
        echo "Cores: this needs 4 processors, or 2 and control groups (v1) it may make."
        return
    fi
    echo "Cores: the most viewers of two growing objects, 3 Mb/s, with p99 ≤ $lag_limit_ms ms and no frame missing;" \
        "each event loop has $loop_share of a processor"
    echo "most viewers,p99 ms,ms per viewer-s,load CPU s" | IFS=, cores_row loops round
    rm -f "$logs"/cores-*.rounds
    go_first
    for ((round = 1; round <= rounds; round++)); do
        for loops in 1 2; do cores_round $loops $round; done
    done
    cores_end
    go_along
    echo "  two loops carry" \
        "$(calculate %.2f "$(median_of cores-2 1) / $(median_of cores-1 1)") times the viewers of one, at" \
        "$(calculate %.2f "$(median_of cores-2 3) / $(median_of cores-1 3)") times the CPU for each"
}

# --- idle

# idle_round SERVER VIEWERS
idle_round() {
    local figures flags=()
    if [[ $1 == tls ]]; then flags=(-t); fi
    "start_$1" "$service_cpu" --threads 1
    figures=$(taskset -c "$load_cpu" "$tools/idleload" "${flags[@]}" -n "$2" -p "$origin_pid" \
        "127.0.0.1:$origin_port") || (($? == 1))
    printf '  %-7s %8s %10s %10s %10s %12s %12s %8s %8s %8s\n' "$1" "$2" \
        "$(calculate %.1f "$(field empty_kib "$figures") / 1024")" \
        "$(calculate %.1f "$(field held_kib "$figures") / 1024")" \
        "$(calculate %.1f "$(field between_kib "$figures") / 1024")" \
        "$(calculate %d "($(field held_kib "$figures") - $(field empty_kib "$figures")) * 1024 / $2")" \
        "$(calculate %d "($(field between_kib "$figures") - $(field empty_kib "$figures")) * 1024 / $2")" \
        "$(field firsts "$figures")" "$(field ends "$figures")" "$(field p99_ms "$figures")"
    stop_all
}

idle() {
    local count server servers=(origin)
    if has_tls; then servers+=(tls); fi
    echo "Idle viewers: all held for an announced object, then all between requests; memory in MiB, bytes a viewer," \
        "how many got the first byte and the end, and after how many ms the first byte"
    printf '  %-7s %8s %10s %10s %10s %12s %12s %8s %8s %8s\n' server viewers nobody held between "bytes held" \
        "between" first end "p99 ms"
    go_first
    for count in "${idle_counts[@]}"; do
        if ((count + 500 > $(ulimit -Hn))); then
            echo "  $count viewers are more than the $(ulimit -Hn) open files of this host."
            continue
        fi
        for server in "${servers[@]}"; do idle_round "$server" "$count"; done
    done
    go_along
}

# --- complete

# Leads the load to this host by a link of its own, of addresses for benchmarks (RFC 2544), with packets of 1,500 bytes, as
# viewers have; without root there is only the loopback interface. Its packets are of 64 KiB, and it is chance which end
# does the other's work there. Sets here, this host's address, and away, what runs a command at the other end.
link_up() {
    if ((EUID != 0)) || ! command -v ip >/dev/null; then return; fi
    # Root of a container may have no right to.
    ip netns add hw$$ 2>/dev/null || return 0
    link=hw$$
    ip link add "${link}a" type veth peer name "${link}b" netns "$link"
    ip address add 198.18.0.1/30 dev "${link}a"
    ip -netns "$link" address add 198.18.0.2/30 dev "${link}b"
    ip link set "${link}a" up
    ip -netns "$link" link set "${link}b" up
    here=198.18.0.1 away=(ip netns exec "$link")
}

link_down() {
    if [[ -n $link ]]; then ip netns delete "$link"; fi
    link=''
}

free_port() {
    local port
    while port=$((20000 + RANDOM % 10000)) && is_listening "$port"; do :; done
    echo "$port"
}

# One worker, the object in the page cache. Sets nginx_pid, nginx_port and nginx_tls_port.
start_nginx() {
    local directory=$logs/nginx deadline=$((SECONDS + 10)) kind
    mkdir -p "$directory/www/bench"
    cp "$logs/object.ts" "$directory/www/bench/object.ts"
    make_certificate
    nginx_port=$(free_port) nginx_tls_port=$(free_port)
    {
        echo "daemon off; master_process off; worker_processes 1; pid $directory/pid; error_log $directory/error.log;"
        echo "events { worker_connections 4096; }"
        echo "http { access_log off; sendfile on; keepalive_requests 1000000000; types { video/mp2t ts; }"
        for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $directory/$kind;"; done
        echo "ssl_certificate $logs/tls.crt; ssl_certificate_key $logs/tls.key;"
        echo "server { root $directory/www; listen $nginx_port; listen $nginx_tls_port ssl http2; } }"
    } >"$directory/nginx.conf"
    start nginx "$logs/nginx.log" taskset -c "$service_cpu" nginx -e "$directory/error.log" -p "$directory" \
        -c "$directory/nginx.conf"
    nginx_pid=${pids[-1]}
    until is_listening "$nginx_port"; do
        if ((SECONDS >= deadline)); then fail "nginx does not listen."; fi
        sleep 0.05
    done
}

# complete_load PROTOCOL URL SECONDS: one line of NAME=VALUE. h2load is given a number of requests instead: told a
# time, 1.52 may never end.
complete_load() {
    local output
    if [[ $1 == http/2* ]]; then
        output=$("${away[@]}" taskset -c "$load_cpu" h2load -t 1 -c "$connections" -m 1 -n $(($3 * 500)) "$2")
        sed -nE 's/^finished in ([0-9.]+)s.*/seconds=\1/p; s/^traffic: [^(]*\(([0-9]+)\).*/bytes=\1/p
            s/^requests: .* ([0-9]+) failed.*/errors=\1/p' <<<"$output" | xargs
    else
        output=$("${away[@]}" taskset -c "$load_cpu" wrk -t 1 -c "$connections" -d "${3}s" --timeout 10s \
            -s Tests/Bench/wrk.lua "$2")
        grep '^bytes=' <<<"$output"
    fi
}

# complete_round PROTOCOL SERVER PID URL ROUND
complete_round() {
    local before figures ticks_used
    before=$(cpu_ticks "$3")
    figures=$(complete_load "$1" "$4" "$seconds_complete")
    ticks_used=$(($(cpu_ticks "$3") - before))
    echo "$(calculate %.4f "$ticks_used / $ticks / ($(field bytes "$figures") / 1e9)")" \
        "$(calculate %.2f "$(field bytes "$figures") / 1e9 / $(field seconds "$figures")")" \
        "$(field errors "$figures")" | tee -a "$logs/$2.rounds" | complete_row "$1" "$2" "$5"
}

complete_row() {
    local cpu rate errors
    read -r cpu rate errors
    printf '  %-13s %-7s %-7s %12s %8s %7s\n' "$1" "$2" "$3" "$cpu" "$rate" "$errors"
}

# complete_turns PROTOCOL ORIGIN NGINX: either against the other, in turn, each by the start of its URL.
complete_turns() {
    local round i server
    rm -f "$logs"/*.rounds
    complete_load "$1" "$2$path" 1 >/dev/null
    complete_load "$1" "$3$path" 1 >/dev/null
    for ((round = 1; round <= rounds; round++)); do
        complete_round "$1" nginx "$nginx_pid" "$3$path" $round
        complete_round "$1" origin "$origin_pid" "$2$path" $round
    done
    for server in nginx origin; do
        for i in 1 2 3; do median_of "$server" $i; done | xargs | complete_row "$1" $server median
    done
    echo "  $1: the origin's CPU is" \
        "$(calculate %.2f "$(median_of origin 1) / $(median_of nginx 1)") times nginx's"
}

complete() {
    local path=/bench/object.ts here=127.0.0.1 away=() flags=(--listen 0.0.0.0:0 --threads 1 --unlisted-lifetime 600m)
    need nginx wrk h2load
    head -c $((1 << 20)) /dev/urandom >"$logs/object.ts"
    echo "Complete objects: 1 MiB, $connections connections, nginx (sendfile, 1 worker) and the origin in turn," \
        "$seconds_complete s each; lo: over the loopback interface, else, given root, over a link of 1,500-byte packets"
    printf '  %-13s %-7s %-7s %12s %8s %7s\n' protocol server round "CPU s per GB" "GB/s" errors
    go_first
    start_nginx
    start_origin "$service_cpu" "${flags[@]}"
    curl -fsS -o /dev/null -T "$logs/object.ts" "http://127.0.0.1:$origin_port$path"
    complete_turns "http/1.1 lo" "http://$here:$origin_port" "http://$here:$nginx_port"
    link_up
    if [[ -n $link ]]; then complete_turns http/1.1 "http://$here:$origin_port" "http://$here:$nginx_port"; fi
    if has_tls; then
        start_tls "$service_cpu" "${flags[@]}"
        curl -fsSk -o /dev/null -T "$logs/object.ts" "https://127.0.0.1:$origin_port$path"
        complete_turns http/1.1+tls "https://$here:$origin_port" "https://$here:$nginx_tls_port"
        complete_turns http/2+tls "https://$here:$origin_port" "https://$here:$nginx_tls_port"
    else
        echo "  This origin has no TLS."
    fi
    link_down
    stop_all
    go_along
}

# --- soak

# memory_kib PID: what is resident, and what is in memory files, mapped or not.
memory_kib() {
    local files
    files=$(find "/proc/$1/fd" -lname '/memfd:*' -exec stat -Lc '%i %b' {} + 2>/dev/null | sort -u |
        awk '{ blocks += $2 } END { printf "%d", blocks / 2 }') || true
    awk -v files="$files" '/^VmRSS/ { resident = $2 } /^RssShmem/ { shared = $2 }
        END { printf "%d", resident - shared + files }' "/proc/$1/status"
}

# peak_of_second PID: segments begin and end each second, and memory with them.
peak_of_second() {
    local i
    for ((i = 0; i < 10; i++)); do
        memory_kib "$1"
        echo
        sleep 0.08
    done | sort -n | tail -n 1
}

# soak_lags: over all streams, from their logs.
soak_lags() {
    local log line
    for log in "$logs"/soak-*.log; do
        line=$(<"$log")
        echo "$(field percent "$line") $(field missed "$line") $(field errors "$line") $(field push_errors "$line")" \
            "$(field p50_ms "$line") $(field p99_ms "$line") $(field max_ms "$line")"
    done | awk 'NR == 1 { percent = $1 } { if ($1 < percent) percent = $1; missed += $2; errors += $3; push += $4
            p50 += $5; if ($6 > p99) p99 = $6; if ($7 > max) max = $7 }
        END { printf "frames delivered at least %s %%, 404s %d, errors %d, failed pushes %d; lag p50 %.2f, worst " \
            "p99 %.2f, max %.2f ms\n", percent, missed, errors, push, p50 / NR, p99, max }'
}

soak() {
    local stream begun before at kib from=$((seconds_soak / 5 < 120 ? seconds_soak / 5 : 120)) loads=()
    echo "Soak: $streams streams of 3 Mb/s with a playlist each second and $viewers_of_stream viewers each," \
        "$seconds_soak s"
    start_origin "$service_cpu"
    echo "  before: $(calculate %.1f "$(memory_kib "$origin_pid") / 1024") MiB"
    before=$(cpu_ticks "$origin_pid")
    for ((stream = 1; stream <= streams; stream++)); do
        : >"$logs/soak-$stream.log"
        start "growload $stream" "$logs/soak-$stream.log" taskset -c "$load_cpu" "$tools/growload" \
            -n "$viewers_of_stream" -s "$seconds_soak" -l 6 -P "/soak/$stream/v" "127.0.0.1:$origin_port"
        loads+=("${pids[-1]}")
    done
    begun=$SECONDS
    rm -f "$logs/soak.rounds"
    for ((at = 30; at < seconds_soak; at += 30)); do
        while ((SECONDS - begun < at)); do sleep 0.2; done
        kib=$(peak_of_second "$origin_pid")
        if ((at >= from)); then echo "$kib" >>"$logs/soak.rounds"; fi
        printf '  %5d s %8.1f MiB\n' "$at" "$(calculate %.1f "$kib / 1024")"
    done
    for stream in "${loads[@]}"; do wait "$stream" || (($? == 1)); done
    echo "  from ${from} s on: $(awk 'NR == 1 { low = high = first = $1 }
        { if ($1 < low) low = $1; if ($1 > high) high = $1; last = $1 }
        END { if (!NR) exit; printf "%.1f to %.1f MiB, %.1f %% apart; the last is %+.1f %% off the first", low / 1024,
            high / 1024, 100 * (high - low) / low, 100 * (last - first) / first }' "$logs/soak.rounds")"
    echo "  CPU $(calculate %.3f "($(cpu_ticks "$origin_pid") - $before) / $ticks / $seconds_soak") of a processor"
    echo "  $(soak_lags)"
    stop_all
}

# --- simulation

# The store alone, by its test: the clock is given to it.
simulation() {
    echo "Simulation: $simulated_hours hours of 20 streams; held, resident and in memory files, as time goes by"
    HEADWATER_SIMULATED_HOURS=$simulated_hours swift test -c release --filter OriginStoreTests.SimulationTests \
        2>"$logs/simulation.log" | sed -unE 's/^(hour [0-9]+|[0-9]+ s): .*/  &/p' ||
        wrong "memory did not stay within 5 %, or was held in the end"
}
