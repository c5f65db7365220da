#!/bin/sh
# Films beside one hand-written ffmpeg command, in the same run: medians of ROUNDS, and their ratio.
#   cargo build --release && benches/film.sh
set -eu
rounds=${ROUNDS:-5}
artdag=$(realpath "${ARTDAG:-target/release/artdag}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
tags="-colorspace bt709 -color_primaries bt709 -color_trc bt709"
ffmpeg -v error -f lavfi -i testsrc2=s=1920x1080:r=30:d=8 -f lavfi -i sine=d=8 -c:v libx264 -preset fast -crf 16 \
    -pix_fmt yuv420p $tags -g 60 -c:a aac large.mp4
ffmpeg -v error -f lavfi -i testsrc2=s=1280x720:r=25:d=60 -c:v libx264 -preset veryfast -crf 18 -pix_fmt yuv420p $tags minute.mp4
ffmpeg -v error -f lavfi -i testsrc2=s=1280x720:r=25:d=600 -f lavfi -i sine=d=600 -c:v libx264 -preset ultrafast -crf 24 \
    -pix_fmt yuv420p $tags -c:a aac long.mp4
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
# Ten nodes over a minute; the last one's parameter is written in.
ten() {
    echo "name: ten"; echo "dag:"; echo "  nodes:"
    echo "    - {id: clip, type: SOURCE, config: {input: true}}"
    echo "    - {id: n1, type: SEGMENT, config: {duration: 60}, inputs: [clip]}"
    echo "    - {id: n2, type: RESIZE, config: {width: 1280, height: 720}, inputs: [n1]}"
    echo "    - {id: n3, type: TRANSFORM, config: {effects: {blur: 8, sharpen: 1}}, inputs: [n2]}"
    echo "    - {id: n4, type: TRANSFORM, config: {effects: {saturation: 1.2, hue: 20}}, inputs: [n3]}"
    echo "    - {id: n5, type: TRANSFORM, config: {effects: {blur: 5, contrast: 1.1}}, inputs: [n4]}"
    echo "    - {id: n6, type: RESIZE, config: {width: 1920, height: 1080}, inputs: [n5]}"
    echo "    - {id: n7, type: TRANSFORM, config: {effects: {sharpen: 1.5}}, inputs: [n6]}"
    echo "    - {id: n8, type: RESIZE, config: {width: 640, height: 360}, inputs: [n7]}"
    echo "    - {id: n9, type: TRANSFORM, config: {effects: {blur: 2, brightness: 0.02}}, inputs: [n8]}"
    echo "    - {id: n10, type: TRANSFORM, config: {effects: {saturation: $1}}, inputs: [n9]}"
    echo "  output: n10"
}
cat > turned.yaml <<'YAML'
name: turned
dag:
  nodes:
    - {id: clip, type: SOURCE, config: {input: true}}
    - {id: second, type: SEGMENT, config: {offset: 300}, inputs: [clip]}
    - {id: first, type: SEGMENT, config: {duration: 300}, inputs: [clip]}
    - {id: both, type: SEQUENCE, inputs: [second, first]}
  output: both
YAML
# The encoder's own arguments, as artdag gives them.
x264="-c:v libx264 -preset fast -crf 18 -profile:v high -pix_fmt yuv420p -g 60"
sliced="-threads 4 -x264-params sliced-threads=1:threads=4:lookahead-threads=4:cpu-independent=1"
filters="trim=start_frame=30:end_frame=390,setpts=PTS-STARTPTS,scale=1280:720,eq=contrast=1.1:saturation=1.3,boxblur=3:2"
sound="-af atrim=start=1:end=13,asetpts=PTS-STARTPTS -c:a aac -b:a 192k"
seconds() { # runs a command, prints its seconds
    start=$(date +%s.%N)
    "$@" > /dev/null 2>&1
    end=$(date +%s.%N)
    echo "$start $end" | awk '{printf "%.3f\n", $2 - $1}'
}
median() { sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }
fresh() { rm -rf home; ARTDAG_HOME=$dir/home "$artdag" runs > /dev/null; }
run() { env ARTDAG_HOME="$dir/home" "$artdag" run "$@"; }
ours() { fresh; seconds run "$1" -i clip="$2"; }
by_hand() { seconds ffmpeg -v error -y -i clip.mp4 -vf "$filters" $sound $x264 $sliced -movflags +faststart hand.mp4; }
by_hand_threads() { seconds ffmpeg -v error -y -i clip.mp4 -vf "$filters" $sound $x264 -movflags +faststart hand.mp4; }
by_hand_invert() { seconds ffmpeg -v error -y -i large.mp4 -vf "$1" -c:a aac -b:a 192k $x264 $sliced -movflags +faststart hand.mp4; }
# The same work within ffmpeg: the effect is one of colours, and their forms are changed as artdag does.
flags="flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
rgb="scale=in_color_matrix=bt709:in_range=tv:out_range=pc:$flags,format=gbrp,negate"
rgb="$rgb,scale=in_range=pc:out_color_matrix=bt709:out_range=tv:$flags,format=yuv420p"
each() { i=0; while [ $i -lt "$rounds" ]; do "$@"; i=$((i + 1)); done | median; }
a=$(each ours chain.yaml clip.mp4)
b=$(each by_hand)
c=$(each by_hand_threads)
echo "chain of four on 12 s of 720p: artdag $a s, ffmpeg by hand $b s, with x264's own threads $c s"
echo "$a $b $c" | awk '{printf "ratio to the same arguments %.2f, to x264 own threads %.2f\n", $1 / $2, $1 / $3}'
d=$(each ours effect.yaml large.mp4)
e=$(each by_hand_invert "$rgb")
h=$(each by_hand_invert negate)
echo "native effect over 8 s of 1080p: artdag $d s, ffmpeg alone inverting colours $e s, inverting its planes as they are $h s"
echo "$d $e $h" | awk '{printf "rate %.2f of ffmpeg alone with the same work, %.2f with less\n", $2 / $1, $3 / $1}'
fresh
ten 1.2 > ten.yaml
f=$(seconds run ten.yaml -i clip=minute.mp4 --keep n9)
ten 1.4 > ten.yaml
g=$(seconds run ten.yaml -i clip=minute.mp4 --keep n9)
echo "ten nodes over a minute, the ninth kept: $f s; with the tenth changed $g s"
echo "$f $g" | awk '{printf "ratio %.2f\n", $2 / $1}'
fresh
echo "$(ARTDAG_HOME=$dir/home /usr/bin/time -f %M "$artdag" run turned.yaml -i clip=long.mp4 2>&1 > /dev/null | tail -1)" |
    awk '{printf "the second half of ten minutes before the first: the largest process had %.0f MB\n", $1 / 1024}'
