# shellcheck shell=bash
# shellcheck disable=SC2154 # run sets what is not set here
# The blocks of Tests/Bench/run that measure ladders; it reads this file, and what they are stands there.

seconds_transcode=${SECONDS_TRANSCODE:-30}
seconds_cost=${SECONDS_COST:-20}
seconds_overload=${SECONDS_OVERLOAD:-60}
cycles=${CYCLES:-200}
read -ra ladder <<<"${LADDER:-720p 480p}"

hogs=${HOGS:-4}

# What the ingest counts what it left out with: frames before an encoder, packets before the decoder.
dropped_metric=headwater_ingest_frames_dropped_total
skipped_metric=headwater_ingest_access_units_skipped_total

# make_numbered SIZE BITRATE: sets source to twenty seconds of pictures that carry their numbers (picture.h), 30 a
# second, a keyframe every second, as a streaming encoder makes them.
make_numbered() {
    source=$tools/numbered-$1-$2.flv
    if [[ -s $source ]]; then return; fi
    local width=${1%x*} height=${1#*x} number
    number="geq=lum='16+219*mod(floor(N/pow(2\\,X))+Y\\,2)':cb=128:cr=128"
    number+=",scale=$((width / 2)):$((height / 9)):flags=neighbor,format=yuv420p"
    ffmpeg -v error -y -f lavfi -i "testsrc2=size=$1:rate=30,format=yuv420p" \
        -f lavfi -i "nullsrc=size=16x2:rate=30,$number" -f lavfi -i sine=sample_rate=48000 \
        -filter_complex '[0:v][1:v]overlay=(W-w)/2:(H-h)/2[v]' -map '[v]' -map 2:a -t 20 \
        -c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -b:v "$2" -maxrate "$2" -bufsize "$2" \
        -x264-params keyint=30:min-keyint=30:scenecut=0 -c:a aac -b:a 128k -f flv "$source.new"
    mv "$source.new" "$source"
}

# need_setting VARIABLE…: ends where the ingest knows none of these settings.
need_setting() {
    local variable flag
    for variable in "$@"; do
        flag=${variable#HEADWATER_}
        has_setting "$binaries/headwater-ingest" "$variable" ||
            fail "$binaries/headwater-ingest has no --${flag,,}: it cannot transcode."
    done
}

# set_ladder SPEC…: sets flags to one --rendition for each.
set_ladder() {
    local spec
    flags=()
    for spec in "$@"; do flags+=(--rendition "$spec"); done
}

# metric_sum NAME: over all its labels.
metric_sum() {
    curl -fs --max-time 5 "http://127.0.0.1:$admin_port/metrics" |
        awk -v name="$1" 'index($1, name) == 1 { sum += $2 } END { printf "%d", sum }'
}

dropped_text() {
    echo "frames dropped by the ingest $(metric_sum "$dropped_metric"), packets skipped $(metric_sum "$skipped_metric")"
}

# As soon as no publisher is left.
wait_for_no_publisher() {
    local deadline=$((SECONDS + 10))
    until (($(metric_sum headwater_ingest_publishers) == 0 || SECONDS >= deadline)); do sleep 0.1; done
}

# set_picture_load CPUS SECONDS SERIES RENDITION…: sets load. What measures goes first where it is allowed to, so that
# what is measured is the ingest's delay alone.
set_picture_load() {
    local cpus=$1 seconds=$2 series=$3
    shift 3
    load=(taskset -c "$cpus" "$tools/pictureload" -s "$seconds" -o "$series" -r "127.0.0.1:$origin_port" "$source"
        "rtmp://127.0.0.1:$ingest_port/live/bench" "$@")
    if ((EUID == 0)); then load=(nice -n -10 "${load[@]}"); fi
}

rendition_lines() {
    local line name
    while read -r line; do
        name=$(field rendition "$line")
        [[ -n $name ]] || continue
        echo "  $name: $(lag_line "$line"); pictures seen $(field seen "$line"), lost $(field lost "$line")," \
            "repeated $(field repeated "$line"), unreadable $(field unreadable "$line")"
        if [[ $line == *added_p50_ms* ]]; then
            echo "  $name, added to source: p50 $(field added_p50_ms "$line"), p90 $(field added_p90_ms "$line")," \
                "p99 $(field added_p99_ms "$line"), max $(field added_max_ms "$line") ms (goal: 33.3 + 15 ms)"
        fi
    done
}

transcode-latency() {
    local figures
    need_setting HEADWATER_RENDITION
    make_numbered 1280x720 3M
    echo "Latency of a ladder: source and ${ladder[*]}, ultrafast, of 720p30, $seconds_transcode s"
    set_ladder source "${ladder[@]/%/,preset=ultrafast}"
    start_origin "$all_cpus"
    start_ingest "$all_cpus" "${flags[@]}"
    set_picture_load "$all_cpus" "$seconds_transcode" "$logs/series" source "${ladder[@]}"
    figures=$("${load[@]}") || (($? == 1))
    echo "  pictures sent $(field sent "$figures"), $(dropped_text)"
    rendition_lines <<<"$figures"
    stop_all
}

# start_ffmpeg THREADS: the ffmpeg command that makes the same ladder, 0 for as many threads as it likes. Sets
# ingest_pid and ingest_port.
start_ffmpeg() {
    local log=$logs/ffmpeg.log threads=() filter_threads=() text deadline=$((SECONDS + 10))
    if (($1)); then threads=(-threads "$1") filter_threads=(-filter_complex_threads "$1"); fi
    # Any port that is free now.
    ingest_port=$((20000 + RANDOM % 10000))
    while is_listening "$ingest_port"; do ingest_port=$((20000 + RANDOM % 10000)); done
    # Letters as large as the ingest draws; %{localtime} has no milliseconds, a fixed text is as long.
    text="%{localtime\\:%T}.000 %{n}':font='DejaVu Sans Mono':fontcolor=white:box=1:boxcolor=black@0.6"
    : >"$log"
    start ffmpeg "$log" taskset -c "$all_cpus" ffmpeg -hide_banner -nostats -v warning "${filter_threads[@]}" \
        "${threads[@]}" -listen 1 -i "rtmp://127.0.0.1:$ingest_port/live/bench0" \
        -filter_complex "[0:v]split=2[a][b];
            [a]scale=1280:720,drawtext=text='720p $text:fontsize=40:boxborderw=10:x=20:y=20[v0];
            [b]scale=854:480,drawtext=text='480p $text:fontsize=26:boxborderw=6:x=13:y=13[v1]" \
        -map '[v0]' -map 0:a -map '[v1]' -map 0:a -c:a copy \
        -c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -bf 0 -sc_threshold 0 \
        -force_key_frames 'expr:gte(t,n_forced)' "${threads[@]}" \
        -b:v:0 2800k -maxrate:v:0 3360k -bufsize:v:0 3360k -b:v:1 1400k -maxrate:v:1 1680k -bufsize:v:1 1680k \
        -f hls -hls_time 1 -hls_list_size 6 -method PUT -http_persistent 1 \
        -var_stream_map 'v:0,a:0,name:720p v:1,a:1,name:480p' "http://127.0.0.1:$origin_port/live/bench0/%v.m3u8"
    ingest_pid=${pids[-1]}
    until is_listening "$ingest_port"; do
        if ((SECONDS >= deadline)); then fail "ffmpeg does not listen."; fi
        sleep 0.05
    done
}

# listed_segments RENDITION: how many are in its playlist now, which tells that the work is done.
listed_segments() {
    curl -s --max-time 5 "http://127.0.0.1:$origin_port/live/bench0/$1.m3u8" | grep -c '^#EXTINF' || true
}

# cost_round NAME ROUND: starts it, publishes to it, and prints a line of the table.
cost_round() {
    local cpu since elapsed dropped='-'
    start_origin "$all_cpus"
    case $1 in
        headwater)
            set_ladder 720p,preset=ultrafast,video-bitrate=2800k 480p,preset=ultrafast,video-bitrate=1400k
            start_ingest "$all_cpus" "${flags[@]}" --overlay clock
            ;;
        ffmpeg) start_ffmpeg 0 ;;
        ffmpeg-1) start_ffmpeg 1 ;;
    esac
    : >"$logs/rtmpload.log"
    start rtmpload "$logs/rtmpload.log" "$tools/rtmpload" -s $((seconds_cost + 9)) "$source" \
        "rtmp://127.0.0.1:$ingest_port/live/bench0"
    # The steady state, and no more of it: ffmpeg has probed its input, decoders and encoders are open.
    sleep 7
    since=$EPOCHREALTIME cpu=$(cpu_ticks "$ingest_pid")
    sleep "$seconds_cost"
    cpu=$(($(cpu_ticks "$ingest_pid") - cpu)) elapsed=$(calculate %.3f "$EPOCHREALTIME - $since")
    if [[ $1 == headwater ]]; then dropped=$(metric_sum "$dropped_metric"); fi
    echo "$(calculate %.4f "$cpu / $ticks / $elapsed") $(peak_mb "$ingest_pid")" >>"$logs/$1.rounds"
    cost_row "$1" "$2" "$(tail -n 1 "$logs/$1.rounds")" "$dropped" "$(listed_segments 720p)+$(listed_segments 480p)"
    wait "${pids[-1]}" || fail "The publisher to $1 has failed."
    stop_all
}

# cost_row NAME ROUND 'CPU PEAK' DROPPED LISTED
cost_row() {
    local cpu peak
    read -r cpu peak <<<"$3"
    printf '  %-9s %-7s %14s %8s %8s %8s\n' "$1" "$2" "$cpu" "$peak" "$4" "$5"
}

transcode-cost() {
    local round side
    need_setting HEADWATER_RENDITION HEADWATER_OVERLAY
    make_numbered 1280x720 3M
    echo "Cost of a ladder: 720p at 2800k and 480p at 1400k, ultrafast, clock, of 720p30, $seconds_cost s"
    echo "  ffmpeg: one command, its own choice of threads; ffmpeg-1: with one thread for each codec and filter"
    cost_row side round 'CPU-s/media-s peak-MB' dropped listed
    rm -f "$logs"/*.rounds
    for ((round = 1; round <= rounds; round++)); do
        for side in headwater ffmpeg ffmpeg-1; do cost_round $side $round; done
    done
    for side in headwater ffmpeg ffmpeg-1; do
        cost_row $side median "$(median_of $side 1) $(median_of $side 2)" - -
    done
    for side in ffmpeg ffmpeg-1; do
        echo "  headwater's CPU is $(calculate %.2f "$(median_of headwater 1) / $(median_of $side 1)")" \
            "times that of $side (limit 1.00)"
    done
}

# series_lines SERIES SECONDS: of each stretch of so many seconds in which pictures came, over all renditions.
series_lines() {
    awk '{ printf "%.3f %s\n", $3 + $4 / 1000, $4 }' "$1" | sort -n | awk -v stretch="$2" '
        # In order first: a stretch is short enough for the plainest way.
        function report(i, j, value) {
            for (i = 2; i <= held; i++) {
                value = lag[i]
                for (j = i - 1; j >= 1 && lag[j] > value; j--) lag[j + 1] = lag[j]
                lag[j + 1] = value
            }
            printf "  after %3d s: pictures %5d, lag p50 %8.1f, max %8.1f ms\n", from, held, lag[int((held + 1) / 2)],
                lag[held]
        }
        NR == 1 { begin = $1; from = 0 }
        {
            if ($1 - begin >= from + stretch) {
                report()
                held = 0
                while ($1 - begin >= from + stretch) from += stretch
            }
            lag[++held] = $2
        }
        END { if (held) report() }'
}

largest_lag() { sort -n -k 4 "$1" | tail -n 1 | cut -d ' ' -f 4; }

# recovery SERIES BEGIN END RENDITIONS: how long after the load's end the lags are again what they were before it began.
# They are from where, for a second, a tenth of the pictures at most are missing or later than nearly all were.
recovery() {
    awk -v begin="$2" '{ came = $3 + $4 / 1000 } came < begin { print $4 }' "$1" | sort -n |
        awk '{ lag[NR] = $1 } END { print lag[int(NR * 0.99)] + 34 }' >"$logs/normal"
    awk -v normal="$(<"$logs/normal")" -v end="$3" -v wanted="$((30 * $4))" '
        { came = $3 + $4 / 1000 }
        came >= end { if ($4 <= normal) good[int((came - end) * 10)]++; last = came - end }
        END {
            for (step = 0; step <= (last - 1) * 10; step++) {
                sum = 0
                for (i = step; i < step + 10; i++) sum += good[i]
                if (sum >= wanted * 0.9) {
                    printf "%.1f s (lags under %.0f ms are as before)", step / 10, normal
                    exit
                }
            }
            printf "more than %.0f s", last
        }' "$1"
}

# A ladder that is too heavy by itself.
overload_by_ladder() {
    local figures line series=$logs/overload.series name=name,size=1920x1080,video-bitrate=5000k,preset=slow
    make_numbered 1920x1080 6M
    echo "Overload: three renditions of 1080p, slow, of 1080p30, $seconds_overload s"
    set_ladder "${name/name/name=a}" "${name/name/name=b}" "${name/name/name=c}"
    start_origin "$all_cpus"
    start_ingest "$all_cpus" "${flags[@]}"
    set_picture_load "$all_cpus" "$seconds_overload" "$series" a b c
    figures=$("${load[@]}") || (($? == 1))
    echo "  pictures sent $(field sent "$figures"), $(dropped_text)"
    while read -r line; do
        if [[ $line == rendition=* ]]; then
            echo "  $(field rendition "$line"): seen $(field seen "$line"), lost $(field lost "$line")," \
                "$(lag_line "$line")"
        fi
    done <<<"$figures"
    series_lines "$series" 10
    echo "  largest lag $(largest_lag "$series") ms (limit 2000), peak $(peak_mb "$ingest_pid") MB (limit 600)"
    stop_all
}

# stop_last COUNT: of what was started.
stop_last() {
    local i
    for ((i = 0; i < $1; i++)); do
        kill -KILL "${pids[-1]}" 2>/dev/null || true
        wait "${pids[-1]}" 2>/dev/null || true
        unset 'pids[-1]' 'names[-1]'
    done
}

# A ladder that fits, until others take its processor away. The ingest and they share the first processor, what measures
# has the second.
overload_from_outside() {
    local i begin end series=$logs/outside.series log=$logs/pictureload.log measuring
    make_numbered 1280x720 3M
    echo "Load from outside: 720p and 480p, ultrafast, of 720p30; $hogs busy programs from the 10th to the 40th second"
    set_ladder 720p,preset=ultrafast 480p,preset=ultrafast
    start_origin "$load_cpu"
    start_ingest "$service_cpu" "${flags[@]}"
    set_picture_load "$load_cpu" 60 "$series" 720p 480p
    : >"$log"
    start pictureload "$log" "${load[@]}"
    measuring=${pids[-1]}
    sleep 10
    begin=$EPOCHREALTIME
    for ((i = 0; i < hogs; i++)); do start hog /dev/null taskset -c "$service_cpu" yes; done
    sleep 30
    stop_last "$hogs"
    end=$EPOCHREALTIME
    wait "$measuring" || (($? == 1))
    rendition_lines <"$log"
    series_lines "$series" 5
    echo "  $(dropped_text), largest lag $(largest_lag "$series") ms" \
        "(limit 2000), peak $(peak_mb "$ingest_pid") MB (limit 600)"
    echo "  back to normal after the load's end: $(recovery "$series" "$begin" "$end" 2); limit 5 s"
    stop_all
}

overload() {
    need_setting HEADWATER_RENDITION
    overload_by_ladder
    overload_from_outside
}

resident_mb() { awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$1/status"; }

cycles() {
    local done_cycles=0 group=4 failed=0 told=(20 50 100 150 200)
    need_setting HEADWATER_RENDITION
    make_numbered 640x360 1M
    echo "Cycles: $cycles publishes of 1.5 s into source, 360p and 240p, $group at a time"
    set_ladder source 360p,preset=ultrafast 240p,preset=ultrafast
    start_origin "$load_cpu"
    start_ingest "$all_cpus" "${flags[@]}" --resume-window 500ms
    while ((done_cycles < cycles)); do
        "$tools/rtmpload" -n $group -s 1.5 "$source" "rtmp://127.0.0.1:$ingest_port/live/$done_cycles-%d" >/dev/null ||
            failed=$((failed + 1))
        done_cycles=$((done_cycles + group))
        if ((${#told[@]} && done_cycles >= told[0])); then
            told=("${told[@]:1}")
            wait_for_no_publisher
            # The broadcasts end with the resume window.
            sleep 1.5
            echo "  after $done_cycles: $(resident_mb "$ingest_pid") MB"
        fi
    done
    echo "  peak $(peak_mb "$ingest_pid") MB; groups with a publisher that failed $failed; broadcasts ended" \
        "$(grep -c 'broadcast ended' "$logs/ingest.log")"
    stop_all
}
