#!/usr/bin/env bash
# Whole commands beside other programs, in the same run on the same files. Ratios are what to
# look at: a machine's own speed cancels out. Needs: hyperfine, libvips-tools, ninja-build, jq.
set -eu
cd "$(dirname "$0")/.."
cargo build --release --quiet
artdag=$PWD/target/release/artdag
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ARTDAG_HOME=$work/home NO_COLOR=1
cd "$work"
"$artdag" runs >/dev/null

median() { hyperfine --warmup "$1" --runs "$2" --export-json result.json "${@:3}" >/dev/null 2>&1 && jq -r '.results[].median' result.json; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
report() { printf '%-58s %8.3f s, %s %8.3f s: ratio %s\n' "$1" "$2" "$3" "$4" "$(ratio "$2" "$4")"; }

# A photo-like 4000x3000 picture: the cat, enlarged, with grain.
"$artdag" cache get cat --out cat.png >/dev/null
vips resize cat.png large.v 2.5 >/dev/null
vips gaussnoise grain.v 4000 3000 --sigma 6
vips add large.v grain.v noisy.v
vips cast noisy.v photo8.v uchar
vips extract_band photo8.v photo.png 0 --n 3
vips extract_band photo8.v photo.jpg 0 --n 3
for input in photo.png photo.jpg; do
    readarray -t times < <(median 1 7 \
        "$artdag render dog ./$input --sync --no-cache -q --out out.png" \
        "vips canny $input edges.v && vips cast edges.v edges8.v uchar && vips copy edges8.v edges.png")
    report "dog on $input, 4000x3000, decode to encode" "${times[0]}" "vips canny" "${times[1]}"
done
/usr/bin/env time -f '%M' "$artdag" render dog ./photo.png --sync --no-cache -q --out out.png 2>memory >/dev/null || true
printf '%-58s %8d kB, decoded picture %d kB: ratio %s\n' 'peak memory of that' "$(tail -1 memory)" 46875 "$(ratio "$(tail -1 memory)" 46875)"

# 10,000 identity nodes: cold with every result committed, then known.
{
    printf 'name: chain\ndag:\n  nodes:\n    - {id: n0, type: SOURCE, config: {asset: cat}}\n'
    for i in $(seq 1 10000); do printf '    - {id: n%d, type: EFFECT, config: {effect: identity}, inputs: [n%d]}\n' "$i" "$((i - 1))"; done
    printf '  output: n10000\n'
} >chain.yaml
cold=$(median 0 5 --prepare "rm -rf $ARTDAG_HOME; $artdag runs" "$artdag run chain.yaml -q")
printf '%-58s %8.3f s: %.0f nodes a second, the whole command\n' 'cold chain of 10,000 identity nodes' "$cold" "$(awk -v t="$cold" 'BEGIN { print 10000 / t }')"
{
    printf 'rule copy\n  command = cp $in $out\n'
    for i in $(seq 1 10000); do printf 'build o%d: copy o%d\n' "$i" "$((i - 1))"; done
} >build.ninja
touch o0 && for i in $(seq 1 10000); do : >"o$i"; done
ninja -t restat >/dev/null 2>&1 || true
ninja >/dev/null
readarray -t times < <(median 2 15 "$artdag run chain.yaml -q" "ninja")
report 'known chain of 10,000 nodes, the whole command' "${times[0]}" "ninja, nothing to do" "${times[1]}"

# 10,000 sizes of one picture, joined by one LAYER.
vips resize cat.png tiny.v 0.01 && vips gravity tiny.v tiny.png centre 16 16 >/dev/null
{
    printf 'name: sizes\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {input: true}}\n'
    ids=
    for w in $(seq 1 100); do for h in $(seq 1 100); do
        printf '    - {id: r%dx%d, type: RESIZE, config: {width: %d, height: %d, mode: stretch}, inputs: [s]}\n' "$w" "$h" "$w" "$h"
        ids="$ids${ids:+, }r${w}x$h"
    done; done
    printf '    - {id: all, type: LAYER, inputs: [%s]}\n  output: all\n' "$ids"
} >sizes.yaml
cold=$(median 0 5 --prepare "rm -rf $ARTDAG_HOME; $artdag runs" "$artdag run sizes.yaml -i s=./tiny.png -q")
printf '%-58s %8.3f s: %.0f nodes a second, the whole command\n' 'cold fan-in of 10,000 RESIZE nodes into one LAYER' "$cold" "$(awk -v t="$cold" 'BEGIN { print 10000 / t }')"
