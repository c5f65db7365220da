#!/usr/bin/env bash
# Graphs of runs in a real browser: how soon a large one is drawn, folded and all open, and how many
# frames a second it is moved and zoomed with. Medians of ROUNDS.
#   ./tests/run.sh, or npm ci as it does; cargo build --release && benches/pages.sh
set -eu
cd "$(dirname "$0")/.."
artdag=$(realpath "${ARTDAG:-target/release/artdag}")
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
export ARTDAG_HOME=$work/home NO_COLOR=1
"$artdag" runs >/dev/null
"$artdag" serve --listen 127.0.0.1:0 2>"$work/said" &
server=$!
until grep -q 'listening on' "$work/said"; do kill -0 "$server"; done
url=$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' "$work/said" | head -1)
ARTDAG_NODE=$PWD/target/node/node_modules ARTDAG_URL=$url ARTDAG_TOKEN=$(cat "$ARTDAG_HOME/token") ROUNDS=${ROUNDS:-5} \
    node benches/pages.mjs
