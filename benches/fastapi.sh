#!/usr/bin/env bash
# POST /runs of artdag, on disk and to its end when it is answered, beside an app of FastAPI, Celery
# and Redis with the same two routes (benches/fastapi/app.py) that answers before, and syncs nothing.
# Medians of ROUNDS. Needs: wrk, redis-server, python3 with venv; installs pinned PyPI packages
# into target/.
set -eu
cd "$(dirname "$0")/.."
[ -n "${NO_BUILD:-}" ] || cargo build --release --quiet
artdag=$PWD/target/release/artdag
python=$PWD/target/fastapi/bin
app=$PWD/benches/fastapi
if ! cmp -s "$app/requirements.txt" target/fastapi/made-from; then
    rm -rf target/fastapi
    python3 -m venv target/fastapi
    "$python/pip" install --quiet --disable-pip-version-check -r "$app/requirements.txt"
    cp "$app/requirements.txt" target/fastapi/made-from
fi
work=$(mktemp -d)
rounds=${ROUNDS:-3}
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
export ARTDAG_HOME=$work/home NO_COLOR=1

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
rate() { awk '/^Requests\/sec/ { print $2 }' wrk.out; }
p99() { awk '$1 == "99%" { v = $2; if (v ~ /us$/) v = v / 1000; else if (v ~ /ms$/) v = v + 0; else if (v ~ /s$/) v = v * 1000; print v }' wrk.out; }

cat >runs.lua <<'LUA'
local number = 0
function request()
    number = number + 1
    local body = '{"recipe":"identity","inputs":["cat"],"output_name":"r' .. number .. '"}'
    return wrk.format("POST", "/runs", {["Content-Type"] = "application/json"}, body)
end
LUA

"$artdag" render identity cat --sync -q >/dev/null
"$artdag" serve --listen 127.0.0.1:0 2>said &
server=$!
pids+=("$server")
until grep -q 'listening on' said; do kill -0 "$server"; done
ours=$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' said | head -1)

redis_port=$(free_port)
redis-server --port "$redis_port" --save '' --appendonly no --dir "$work" >redis.log 2>&1 &
pids+=($!)
until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do :; done
export REDIS_URL=redis://127.0.0.1:$redis_port/0
theirs_port=$(free_port)
(cd "$app" && exec "$python/uvicorn" app:app --port "$theirs_port" --workers 2 --log-level warning --no-access-log) >uvicorn.log 2>&1 &
pids+=($!)
(cd "$app" && exec "$python/celery" -A app:celery worker --concurrency 2 --loglevel warning) >celery.log 2>&1 &
pids+=($!)
theirs=http://127.0.0.1:$theirs_port
until curl -s -o /dev/null "$theirs/runs/none"; do :; done
until "$python/celery" --workdir "$app" -A app:celery inspect ping >/dev/null 2>&1; do :; done
completed() { redis-cli -p "$redis_port" get completed; }

ours_rates=() ours_p99=() theirs_rates=() theirs_p99=() theirs_ends=()
for _ in $(seq "$rounds"); do
    wrk --latency -t2 -c16 -d5s -s runs.lua "$ours" >wrk.out
    ours_rates+=("$(rate)") ours_p99+=("$(p99)")
    before=$(completed) started=$(date +%s.%N)
    wrk --latency -t2 -c16 -d5s -s runs.lua "$theirs" >wrk.out
    theirs_rates+=("$(rate)") theirs_p99+=("$(p99)")
    # To the end: until its worker has done all that was answered.
    sent=$(awk '/requests in/ { print $1 }' wrk.out)
    until [ "$(($(completed) - ${before:-0}))" -ge "$sent" ]; do sleep 0.05; done
    theirs_ends+=("$(awk -v n="$sent" -v a="$started" -v b="$(date +%s.%N)" 'BEGIN { print n / (b - a) }')")
done
line() { printf '%-58s %8.0f a second, p99 %7.1f ms\n' "$@"; }
a=$(printf '%s\n' "${ours_rates[@]}" | median)
b=$(printf '%s\n' "${theirs_rates[@]}" | median)
c=$(printf '%s\n' "${theirs_ends[@]}" | median)
line 'artdag: POST /runs, durable and to its end, 16 clients' "$a" "$(printf '%s\n' "${ours_p99[@]}" | median)"
line 'FastAPI + Celery + Redis: POST /runs, answered' "$b" "$(printf '%s\n' "${theirs_p99[@]}" | median)"
printf '%-58s %8.0f a second\n' 'FastAPI + Celery + Redis: runs to their end' "$c"
awk -v a="$a" -v b="$b" -v c="$c" 'BEGIN { printf "ratio of answers %.1f, of runs to their end %.1f\n", a / b, a / c }'
