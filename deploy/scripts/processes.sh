# shellcheck shell=bash
# Starts processes and stops these, and no others, when the script that reads this file ends.

pids=()
names=()

# start NAME LOG COMMAND…: LOG is a file, or - for the terminal. Each runs in a session of its own, so that Ctrl-C
# reaches the script alone, which then stops them in order.
start() {
    local name=$1 log=$2
    shift 2
    if [[ $log == - ]]; then
        setsid "$@" </dev/null &
    else
        setsid "$@" </dev/null >>"$log" 2>&1 &
    fi
    pids+=($!)
    names+=("$name")
}

# The name of the first process that is no longer there; fails where all are.
first_ended() {
    local i
    for i in "${!pids[@]}"; do
        if ! kill -0 "${pids[i]}" 2>/dev/null; then
            echo "${names[i]}"
            return 0
        fi
    done
    return 1
}

# The last first. A process has as long as the services give themselves, and a little.
stop_all() {
    local i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        kill -TERM "${pids[i]}" 2>/dev/null || continue
        ended_within 14 "${pids[i]}" || kill -KILL "${pids[i]}" 2>/dev/null || true
    done
    wait
    pids=()
    names=()
}

# ended_within SECONDS PID
ended_within() {
    local deadline=$((SECONDS + $1))
    while kill -0 "$2" 2>/dev/null; do
        if ((SECONDS >= deadline)); then return 1; fi
        sleep 0.1
    done
}

# Whether any program listens on a TCP port of this host. Asks the kernel, so that no listener sees a connection.
is_listening() {
    local port
    port=$(printf '%04X' "$1")
    grep -qsE "^ *[0-9]+: [0-9A-F]+:$port [0-9A-F]+:0000 0A" /proc/net/tcp /proc/net/tcp6
}

# Where the services were built; the tests say so themselves.
service_directory() {
    echo "${HEADWATER_BIN:-$(swift build -c release --show-bin-path)}"
}

# start_service NAME OTHER BIN LOG FLAG…: one of the two services of a folder. Its admin port is a free one, unless
# HEADWATER_ADMIN_LISTEN is set.
start_service() {
    local name=$1 other=$2 bin=$3 log=$4 variable others=(-u HEADWATER_BIN)
    shift 4
    # Of a variable that sets the other service alone this one would warn as of one misspelt.
    for variable in "${!HEADWATER_@}"; do
        if has_setting "$bin/$other" "$variable" && ! has_setting "$bin/$name" "$variable"; then
            others+=(-u "$variable")
        fi
    done
    start "$name" "$log" env "${others[@]}" "$bin/$name" --admin-listen "${HEADWATER_ADMIN_LISTEN:-127.0.0.1:0}" \
        "$@"
}

# has_setting PROGRAM VARIABLE: whether the service's help names the flag that the variable stands for.
has_setting() {
    local flag=${2#HEADWATER_}
    flag=${flag,,}
    [[ $("$1" --help) == *" --${flag//_/-}"[\ /]* ]]
}
