#!/usr/bin/env bash
# Everything that must hold, in one command, from any directory: format, lints, docs, tests, and
# what the dependencies may be. ARTDAG_TESTS=full adds the cases that take long and the fuzz
# targets' build. Needs a Rust toolchain; installs the rest itself where it may.
set -eu

cd "$(dirname "$0")/.."

# Command and Debian package, one a line.
tools='cc gcc
kill procps
prlimit util-linux
mount mount
strace strace
ffmpeg ffmpeg
python3 python3
chromium chromium
node nodejs
npm npm
redis-server redis-server'
if [ "${ARTDAG_TESTS:-}" = full ]; then
    tools="$tools
c++ g++"
fi

started=$SECONDS
step_started=$SECONDS

step() {
    step_started=$SECONDS
    printf '\n== %s\n' "$1"
}

took() {
    printf '   %d s\n' "$((SECONDS - step_started))"
}

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

ensure_tools() {
    local command package missing=()
    while read -r command package; do
        # Not a builtin of this shell: the tests start the program.
        type -P "$command" >/dev/null || missing+=("$package")
    done <<<"$tools"
    if [ "${#missing[@]}" -gt 0 ]; then
        if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
            fail "missing: ${missing[*]}; install with: sudo apt-get install ${missing[*]}"
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq </dev/null
        apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
    fi
    # Debian's python3 comes without what makes virtual environments.
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        if [ "$(id -u)" != 0 ]; then
            fail 'missing: python3-venv; install with: sudo apt-get install python3-venv'
        fi
        apt-get update -qq </dev/null
        apt-get install -y -qq --no-install-recommends python3-venv </dev/null
    fi
    command -v cargo >/dev/null || fail 'missing: cargo; install a Rust toolchain, see https://rustup.rs'
    cargo fmt --version >/dev/null 2>&1 || fail 'missing: rustfmt; install with: rustup component add rustfmt'
    cargo clippy --version >/dev/null 2>&1 || fail 'missing: clippy; install with: rustup component add clippy'
}

# Clients that others wrote, pinned with their hashes; made anew when the list changes.
ensure_python() {
    local list=tests/tools/requirements.txt made=target/python/made-from
    if ! cmp -s "$list" "$made"; then
        rm -rf target/python
        mkdir -p target
        python3 -m venv target/python
        target/python/bin/pip install --quiet --disable-pip-version-check --require-hashes -r "$list" </dev/null
        cp "$list" "$made"
    fi
}

# What is pinned by the lock file in this directory, made in that one; anew when it changes.
ensure_node() {
    local name names='package.json package-lock.json .npmrc' list=$1 made=$2
    for name in $names; do
        cmp -s "$list/$name" "$made/$name" && continue
        rm -rf "$made"
        mkdir -p "$made"
        for name in $names; do cp "$list/$name" "$made/$name"; done
        npm ci --prefix "$made" --ignore-scripts --no-audit --no-fund --silent </dev/null ||
            { rm -rf "$made"; fail "npm could not install what $list asks for"; }
        break
    done
}

step 'what the tests need'
ensure_tools
ensure_python
# What leads the browser; in the full run also what judges pages, and what checks ActivityPub.
ensure_node tests/tools target/node
if [ "${ARTDAG_TESTS:-}" = full ]; then
    ensure_node tests/tools/lighthouse target/lighthouse
    ensure_node tests/tools/activitypub target/activitypub
fi
took

step 'format'
cargo fmt --check
cargo fmt --check --manifest-path fuzz/Cargo.toml
took

step 'lints'
cargo clippy --all-targets --locked -- -D warnings
took

step 'docs'
# Broken links; that a public item's docs name a private one is meant, they are for developers.
RUSTDOCFLAGS='-A warnings -D rustdoc::broken_intra_doc_links' \
    cargo doc --no-deps --document-private-items --lib --locked --quiet
took

step 'tests'
ARTDAG_TESTS_LEFT_OUT=$(mktemp)
export ARTDAG_TESTS_LEFT_OUT
trap 'rm -f "$ARTDAG_TESTS_LEFT_OUT"' EXIT
cargo test --locked
left_out=$(sort -u "$ARTDAG_TESTS_LEFT_OUT" | wc -l)
took

if [ "${ARTDAG_TESTS:-}" = full ]; then
    step 'fuzz targets'
    # The stable compiler builds them, without the sanitizers that only a fuzzing run needs.
    cargo check --manifest-path fuzz/Cargo.toml --bins --examples
    took
fi

step 'dependencies'
if command -v cargo-deny >/dev/null; then
    cargo deny --locked check --hide-inclusion-graph licenses bans sources
else
    echo '   left: cargo-deny is not installed (cargo install cargo-deny --locked)'
fi
took

printf '\nAll of it holds, %d s.' "$((SECONDS - started))"
if [ "$left_out" -gt 0 ]; then
    printf ' Left out: %d long cases; ARTDAG_TESTS=full runs them.' "$left_out"
fi
printf '\n'
