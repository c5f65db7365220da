#!/usr/bin/env bash
# The server beside other programs, in the same run under the same load. Ratios are what to look
# at. Needs: wrk, nginx, b3sum, jq, curl. SIZE_MB sets the size of the upload (default 4096);
# FILL=1 makes a home of a million results and a hundred thousand runs to start on.
set -eu
cd "$(dirname "$0")/.."
[ -n "${NO_BUILD:-}" ] || cargo build --release --quiet
artdag=$PWD/target/release/artdag
work=$(mktemp -d)
export ARTDAG_HOME=$work/home NO_COLOR=1
size_mb=${SIZE_MB:-4096}
rounds=${ROUNDS:-3}
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0) ? a / b : 0 }'; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { print b - a }'; }

# Starts the server on $ARTDAG_HOME; sets `url` and `server`.
serve() {
    rm -f said
    "$artdag" serve --listen 127.0.0.1:0 "$@" 2>said &
    server=$!
    pids+=("$server")
    until grep -q 'listening on' said; do kill -0 "$server"; done
    url=$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' said | head -1)
}
stop() { kill -TERM "$server" && wait "$server" || true; }
resident_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$server/status"; }
# wrk's requests a second, and the 99th percentile in milliseconds.
load() { wrk --latency "$@" >wrk.out 2>&1; awk '/^Requests\/sec/ { print $2 }' wrk.out; }
p99() { awk '$1 == "99%" { v = $2; if (v ~ /us$/) v = v / 1000; else if (v ~ /ms$/) v = v + 0; else if (v ~ /s$/) v = v * 1000; print v }' wrk.out; }
p50() { awk '$1 == "50%" { v = $2; if (v ~ /us$/) v = v / 1000; else if (v ~ /ms$/) v = v + 0; else if (v ~ /s$/) v = v * 1000; print v }' wrk.out; }

"$artdag" runs >/dev/null
serve
printf '%-62s %8d kB\n' 'idle memory (resident)' "$(resident_kb)"

# Durable POST /runs of a run that is new each time, 16 clients. Baseline: nginx that answers a
# POST with 201 and stores nothing.
cat >runs.lua <<'EOF'
local number = 0
local thread_id = 0
local threads = 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
function init(args) thread_id = id end
function request()
    number = number + 1
    local body = '{"recipe":"' .. recipe .. '","inputs":["cat"],"output_name":"r' .. thread_id .. '-' .. number .. '"}'
    return wrk.format("POST", "/runs", {["Content-Type"] = "application/json"}, body)
end
function response(status) if status ~= 201 then failed = (failed or 0) + 1 end end
EOF
mkdir -p nginx
cat >nginx.conf <<EOF
daemon off; worker_processes 2; pid $work/nginx/pid; error_log $work/nginx/error.log;
events { worker_connections 512; }
http {
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
    client_body_temp_path $work/nginx/b; proxy_temp_path $work/nginx/p; fastcgi_temp_path $work/nginx/f;
    uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
    server {
        listen 127.0.0.1:NGINX_PORT reuseport; root $work/nginx;
        location = /runs { return 201 '{}'; }
    }
}
EOF
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo 18181)
sed -i "s/NGINX_PORT/$port/" nginx.conf
chmod 755 "$work"
nginx -c "$work/nginx.conf" 2>nginx/start.log &
pids+=($!)
until curl -sf -o /dev/null "http://127.0.0.1:$port/" || [ $? = 22 ]; do :; done
for recipe in identity dog; do
    "$artdag" render "$recipe" cat --sync -q >/dev/null 2>&1
    { printf 'recipe = "%s"\n' "$recipe"; cat runs.lua; } >"$recipe.lua"
    rate=$(load -t2 -c16 -d8s -s "$recipe.lua" "$url")
    slow=$(p99)
    base=$(load -t2 -c16 -d4s -s "$recipe.lua" "http://127.0.0.1:$port")
    printf '%-62s %8.0f a second, p99 %.1f ms; nginx storing nothing %.0f: ratio %s\n' \
        "durable POST /runs ($recipe, known), 16 clients, to its end" "$rate" "$slow" "$base" "$(ratio "$rate" "$base")"
done
rate=$(load -t1 -c1 -d4s -s dog.lua "$url")
printf '%-62s %8.2f ms\n' 'submit to completed of a known run, one connection, median' "$(p50)"

# Downloads beside nginx with sendfile.
for size in 65536 209715200; do
    head -c "$size" /dev/urandom >"nginx/$size"
    hash=$("$artdag" cache add "nginx/$size" -q)
    ours=() theirs=()
    for _ in $(seq "$rounds"); do
        ours+=("$(load -t2 -c8 -d4s "$url/cache/$hash")")
        theirs+=("$(load -t2 -c8 -d4s "http://127.0.0.1:$port/$size")")
    done
    a=$(printf '%s\n' "${ours[@]}" | median)
    b=$(printf '%s\n' "${theirs[@]}" | median)
    printf '%-62s %8.1f a second, nginx %8.1f: ratio %s\n' "GET /cache/{hash} of $size bytes, 8 connections" "$a" "$b" "$(ratio "$a" "$b")"
done

# Upload of a large file beside a plain copy that is synced and hashed.
head -c "${size_mb}M" /dev/urandom >large
idle=$(resident_kb)
started=$(now)
curl -sf -T large -X POST -H 'Content-Type: application/octet-stream' "$url/cache/upload" -o answer.json
ours=$(since "$started")
peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$server/status")
started=$(now)
cp large copy && sync copy && b3sum copy >sum
theirs=$(since "$started")
[ "$(jq -r .content_hash answer.json)" = "$(cut -d' ' -f1 sum)" ]
rm -f copy large
printf '%-62s %8.2f s, cp + sync + b3sum %.2f s: rate ratio %s\n' "upload of $size_mb MiB" "$ours" "$theirs" "$(ratio "$theirs" "$ours")"
printf '%-62s %8d kB over idle\n' 'peak memory since the start, that upload included' "$((peak - idle))"
stop

# Start with many rows: a million results known (chains of `identity` over different pictures) and
# a hundred thousand runs with their records. FILL=1, as it takes minutes to make them.
if [ -n "${FILL:-}" ]; then
    {
        printf 'name: chain\ndag:\n  nodes:\n    - {id: n0, type: SOURCE, config: {input: true}}\n'
        for i in $(seq 1 10000); do printf '    - {id: n%d, type: EFFECT, config: {effect: identity}, inputs: [n%d]}\n' "$i" "$((i - 1))"; done
        printf '  output: n10000\n'
    } >chain.yaml
    for i in $(seq 1 100); do
        # A bitmap of one pixel.
        printf 'BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0\0\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'"\\x$(printf %02x "$i")"'\1\2\0' >pixel.bmp
        "$artdag" run chain.yaml -i n0=./pixel.bmp -q >/dev/null
    done
    serve
    made=0
    while [ "$made" -lt 100000 ]; do
        wrk -t2 -c16 -d10s -s identity.lua "$url" >wrk.out 2>&1
        made=$((made + $(awk '/requests in/ { print $1 }' wrk.out)))
    done
    stop
    printf '%-62s %8d, of runs %d\n' 'results that this home knows, at least' 1000000 "$made"
fi
starts=()
for _ in 1 2 3 4 5; do
    started=$(now)
    serve
    starts+=("$(awk -v s="$(since "$started")" 'BEGIN { print s * 1000 }')")
    idle=$(resident_kb)
    stop
done
printf '%-62s %8.0f ms, resident %d kB\n' 'start to listening, this home, median of five' "$(printf '%s\n' "${starts[@]}" | median)" "$idle"
