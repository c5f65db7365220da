#!/bin/sh
# Films beside one hand-written ffmpeg command, in the same run: medians of ROUNDS, and their ratio.
#   cargo build --release && benches/film.sh
set -eu
rounds=${ROUNDS:-5}
artdag=$(realpath "${ARTDAG:-target/release/artdag}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
ffmpeg -v error -f lavfi -i testsrc2=s=1280x720:r=30:d=14 -f lavfi -i sine=d=14 -c:v libx264 -preset fast -crf 16 \
    -pix_fmt yuv420p -colorspace bt709 -color_primaries bt709 -color_trc bt709 -g 60 -c:a aac clip.mp4
cat > chain.yaml <<'YAML'
name: chain
dag:
  nodes:
    - {id: clip, type: SOURCE, config: {input: true}}
    - {id: cut, type: SEGMENT, config: {offset: 1, duration: 12}, inputs: [clip]}
    - {id: small, type: RESIZE, config: {width: 1280, height: 720}, inputs: [cut]}
    - {id: colour, type: TRANSFORM, config: {effects: {saturation: 1.3, contrast: 1.1}}, inputs: [small]}
    - {id: soft, type: TRANSFORM, config: {effects: {blur: 3}}, inputs: [colour]}
  output: soft
YAML
cat > effect.yaml <<'YAML'
name: effect
dag:
  nodes:
    - {id: clip, type: SOURCE, config: {input: true}}
    - {id: x, type: EFFECT, config: {effect: invert}, inputs: [clip]}
  output: x
YAML
# The encoder's own arguments, as artdag gives them.
x264="-c:v libx264 -preset fast -crf 18 -profile:v high -pix_fmt yuv420p -g 60"
sliced="-threads 4 -x264-params sliced-threads=1:threads=4:lookahead-threads=1:cpu-independent=1"
filters="trim=start_frame=30:end_frame=390,setpts=PTS-STARTPTS,scale=1280:720,eq=contrast=1.1:saturation=1.3,boxblur=3:2"
sound="-af atrim=start=1:end=13,asetpts=PTS-STARTPTS -c:a aac -b:a 192k"
seconds() { # runs a command, prints its seconds
    start=$(date +%s.%N)
    "$@" > /dev/null 2>&1
    end=$(date +%s.%N)
    echo "$start $end" | awk '{printf "%.3f\n", $2 - $1}'
}
median() { sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }
ours() { rm -rf home; ARTDAG_HOME=$dir/home "$artdag" runs > /dev/null; seconds env ARTDAG_HOME="$dir/home" "$artdag" run "$1" -i clip=clip.mp4; }
by_hand() { seconds ffmpeg -v error -y -i clip.mp4 -vf "$filters" $sound $x264 $sliced -movflags +faststart hand.mp4; }
by_hand_threads() { seconds ffmpeg -v error -y -i clip.mp4 -vf "$filters" $sound $x264 -movflags +faststart hand.mp4; }
by_hand_invert() { seconds ffmpeg -v error -y -i clip.mp4 -vf negate -c:a aac -b:a 192k $x264 $sliced -movflags +faststart hand.mp4; }
each() { i=0; while [ $i -lt "$rounds" ]; do "$@"; i=$((i + 1)); done | median; }
a=$(each ours chain.yaml)
b=$(each by_hand)
c=$(each by_hand_threads)
echo "chain of four on 12 s of 720p: artdag $a s, ffmpeg by hand $b s, with x264's own threads $c s"
echo "$a $b $c" | awk '{printf "ratio to the same arguments %.2f, to x264 own threads %.2f\n", $1 / $2, $1 / $3}'
d=$(each ours effect.yaml)
e=$(each by_hand_invert)
echo "native effect over 14 s of 720p: artdag $d s, ffmpeg with a filter of like cost $e s"
echo "$d $e" | awk '{printf "rate %.2f of ffmpeg alone\n", $2 / $1}'
