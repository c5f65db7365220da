"""Beats found by `artdag` (ANALYZE) and by librosa's beat_track on the same sounds, judged by mir_eval.

    cargo build --release
    python3 -m venv target/mir && target/mir/bin/pip install mir_eval==0.8.2 librosa==0.11.0 soundfile==0.14.0
    target/mir/bin/python benches/beats.py

Sounds are made here, from a fixed seed: clicks at 60 to 180 beats a minute, and drum patterns with a kick, a
snare and hats. F-measure within 70 ms; tempo as the ratio to the true one. Grooves are played as people play: blows
are some 4 ms early or late and of unlike strength. The tracker was made with PATTERNS and GROOVES. HELD_OUT was held
out, but for UPBEAT of the tracker, which came of its hats with nothing else. Sounds with two pulses, as the half-time
pattern with its snare on the third beat of four, are judged by the quarter notes, and stand outside of the worst.
"""

import json
import os
import subprocess
import tempfile

import librosa
import mir_eval
import numpy as np
import soundfile

RATE = 44_100
SECONDS = 30
ARTDAG = os.path.abspath(os.environ.get("ARTDAG", "target/release/artdag"))
CONFIG = """
name: beats
dag:
  nodes:
    - {id: sound, type: SOURCE, config: {input: true}}
    - {id: beats, type: ANALYZE, config: {feature: beats}, inputs: [sound]}
  output: beats
"""


def hit(sound, at, shape):
    begin = int(at * RATE)
    end = min(begin + len(shape), len(sound))
    sound[begin:end] += shape[: end - begin]


def clicks(random):
    def make(tempo):
        sound = np.zeros(SECONDS * RATE)
        time = np.arange(int(0.02 * RATE)) / RATE
        shape = 0.8 * np.sin(2 * np.pi * 2000 * time) * np.exp(-time * 200)
        beats = np.arange(0.3, SECONDS - 0.1, 60 / tempo)
        for beat in beats:
            hit(sound, beat, shape)
        return sound + random.normal(0, 0.001, len(sound)), beats

    return make


# What is played, over and over: steps in a beat, kick, snare, hat.
PATTERNS = {
    "eighths": (4, "x.......x.......", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "sixteenths": (4, "x.......x.......", "....x.......x...", "xxxxxxxxxxxxxxxx"),
    "rock": (4, "x.......x.x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "syncopated": (4, "x.....x.x.......", "....x.......x..x", "x.x.x.x.x.x.x.x."),
    "four on the floor": (4, "x...x...x...x...", "....x.......x...", "..x...x...x...x."),
    "half-time": (4, "x...............", "........x.......", "x.x.x.x.x.x.x.x."),
}
GROOVES = {
    "pop": (4, "x.......x.......", "....x.......x...", "x.x.x.x.x.x.xxx."),
    "heavy rock": (4, "x..x......xx....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "funky drummer": (4, "x.x...x...x..x..", "....x..x.x.xx..x", "xxxxxxxxxxxxxxxx"),
    "second line": (4, "x..x..x...x.x...", "....x..x.x..x.x.", "x.x.x.x.x.x.x.x."),
    "two bars": (4, "x..x....x.x.....x.x....x..x.....", "....x.......x.......x.......x..x", "x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x."),
    "house no snare": (4, "x...x...x...x...", "................", "..x...x...x...x."),
    "techno": (4, "x...x...x...x...", "................", "xxxxxxxxxxxxxxxx"),
    "ska": (4, "x.......x.......", "....x.......x...", "..x...x...x...x."),
    "samba": (4, "x..xx..xx..xx..x", "..x.x..x.x..x.x.", "xxxxxxxxxxxxxxxx"),
    "bossa rim": (4, "x..xx..xx..xx..x", "x..x..x.....x..x....x..x..x.x...", "xxxxxxxxxxxxxxxx"),
    "dembow": (4, "x...x...x...x...", "...x..x....x..x.", "................"),
    "reggae steppers": (4, "x...x...x...x...", "........x.......", "x.x.x.x.x.x.x.x."),
    "waltz light": (4, "x...........", "....x...x...", "x...x...x..."),
    "waltz kick": (2, "x....x", "..x.x.", "xxxxxx"),
    "shuffle rock": (3, "x....xx.....", "...x.....x..", "x.xx.xx.xx.x"),
    "six-eight": (3, "x.....", "...x..", "xxxxxx"),
    "twelve-eight": (3, "x....xx..x..", "...x.....x..", "xxxxxxxxxxxx"),
    "train brush": (4, "x.......x.......", "x.xxx.xxx.xxx.xx", "................"),
    "dnb two-step": (4, "x.........x.....", "....x.......x...", "x.xxx.x.x.xxx.x."),
    "breakbeat": (4, "x.x.......x..x..", "....x..x.x..x...", "x.x.x.x.x.x.x.x."),
    "kicks and snares on beats": (4, "x.x.....x.x.....", "x...x...x...x...", "x.x.x.x.x.x.x.x."),
    "rock with no hats": (4, "x.....x.x.x.....", "....x.......x...", "................"),
    "d-beat": (2, "x..xx..x", "..x...x.", "x.x.x.x."),
    "ballad": (4, "x......xx.......", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "kick only": (4, "x...x...x...x...", "................", "................"),
}
HELD_OUT = {
    "waltz": (4, "x...........", "....x...x...", "x.x.x.x.x.x."),
    "shuffle": (3, "x.....x.....", "...x.....x..", "x.xx.xx.xx.x"),
    "bossa": (4, "x..xx..xx..xx..x", "x..x..x...x..x..", "x.x.x.x.x.x.x.x."),
    "amen": (4, "x.x.......xx....", "....x..x.x..x..x", "x.x.x.x.x.x.x.x."),
    "kick snare": (4, "x.......x.......", "....x.......x...", "................"),
    "disco": (4, "x...x...x...x...", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "reggaeton": (4, "x...x...x...x...", "...x..x....x..x.", "x.x.x.x.x.x.x.x."),
    "motown": (4, "x.......x.......", "x...x...x...x...", "x.x.x.x.x.x.x.x."),
    "boom bap": (4, "x..x......x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "dnb": (4, "x.........x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "quarters hat": (4, "x.......x.......", "....x.......x...", "x...x...x...x..."),
    "funk": (4, "x.x...x...x..x..", "....x..x.x..x..x", "xxxxxxxxxxxxxxxx"),
    "rock2": (4, "x.....x.x.x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "hats only": (4, "................", "................", "x.x.x.x.x.x.x.x."),
    "train": (4, "x...x...x...x...", "x.xxx.xxx.xxx.xx", "................"),
    "apache": (4, "x.....x.x.......", "....x..x....x.x.", "x.x.x.x.x.x.x.x."),
    "impeach": (4, "x......xx.x....x", "....x.......x...", "x.xxx.x.x.xxx.x."),
    "ashley": (4, "x.x...x.x.......", "....x..x....x...", "x.x.x.x.x.x.x.x."),
    "soul eighths": (4, "x.....x...x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "tango": (4, "x.....x.x...x...", "x...x...x...x.x.", "................"),
    "trap": (4, "x.....x....x....", "........x.......", "xxxxxxxxxxxxxxxx"),
    "one-drop": (4, "........x.......", "........x.......", "x.x.x.x.x.x.x.x."),
    "waltz rock": (4, "x.....x.....", "....x...x...", "xxxxxxxxxxxx"),
    "jazz ride": (3, "x..x..x..x..", "............", "x..x.xx..x.x"),
    "blues 12-8": (3, "x.....x.x...", "...x.....x..", "xxxxxxxxxxxx"),
    "garage 2-step": (4, "x.........x..x..", "....x.......x...", "..x...x...x...x."),
    "disco sixteenths": (4, "x...x...x...x...", "....x.......x...", "xxxxxxxxxxxxxxxx"),
    "polka": (4, "x...x...x...x...", "..x...x...x...x.", "................"),
    "afro": (4, "x..x..x...x.x...", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "punk": (2, "x.x.x.x.", "..x...x.", "xxxxxxxx"),
    "rock no hats": (4, "x.....x.x.......", "....x.......x...", "................"),
    "breakbeat no hats": (4, "x.x.......xx....", "....x..x.x..x...", "................"),
    "gospel": (3, "x....xx..x.x", "...x.....x..", "x.xx.xx.xx.x"),
}
# Half or double the tempo is right as well.
TWO_PULSES = {"half-time", "hats only", "trap", "one-drop", "jazz ride", "polka"}


def drums(pattern, human, random):
    steps, *parts = pattern

    def make(tempo):
        sound = np.zeros(SECONDS * RATE)
        time = np.arange(int(0.15 * RATE)) / RATE
        kick = 0.9 * np.sin(2 * np.pi * (50 * time + 8 * (1 - np.exp(-time * 40)))) * np.exp(-time * 25)
        snare = 0.5 * random.normal(0, 1, len(time)) * np.exp(-time * 30)
        hat = 0.15 * random.normal(0, 1, len(time)) * np.exp(-time * 120)
        for count, at in enumerate(np.arange(0.3, SECONDS - 0.2, 60 / tempo / steps)):
            for part, shape in zip(parts, [kick, snare, hat]):
                if part[count % len(part)] == "x":
                    late = human * random.normal(0, 0.004)
                    hit(sound, at + late, shape * (1 + human * random.uniform(-0.3, 0.3)))
        return sound / np.abs(sound).max() * 0.9, np.arange(0.3, SECONDS - 0.2, 60 / tempo)

    return make


def by_artdag(path, home):
    config = os.path.join(home, "beats.yaml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG)
    words = [ARTDAG, "--home", os.path.join(home, "home"), "run", config, "-i", f"sound={path}"]
    output = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1]
    with open(output, encoding="utf-8") as file:
        found = json.load(file)
    return np.array(found["beat_times"]), found["tempo"]


def by_librosa(path):
    sound, rate = librosa.load(path, sr=None)
    tempo, beats = librosa.beat.beat_track(y=sound, sr=rate, units="time")
    return np.array(beats), float(np.atleast_1d(tempo)[0])


def main():
    random = np.random.default_rng(20261125)
    sounds = [("clicks", "", clicks(random))]
    for patterns, human, held_out in [(PATTERNS, 0, ""), (GROOVES, 1, ""), (HELD_OUT, 1, "yes")]:
        sounds += [(name, held_out, drums(pattern, human, random)) for name, pattern in patterns.items()]
    print("| sound | held out | artdag F | artdag tempo | librosa F | librosa tempo |")
    print("|---|---|---|---|---|---|")
    worst = [1.0, 1.0]
    farthest = [0.0, 0.0]
    missed = {"": [0, 0, 0], "yes": [0, 0, 0]}
    with tempfile.TemporaryDirectory() as home:
        for name, held_out, make in sounds:
            for tempo in [60, 75, 90, 105, 120, 140, 150, 160, 180]:
                sound, beats = make(tempo)
                path = os.path.join(home, f"{name.replace(' ', '-')}{tempo}.wav")
                soundfile.write(path, sound.astype(np.float32), RATE)
                row = []
                for index, (found, told) in enumerate([by_artdag(path, home), by_librosa(path)]):
                    score = mir_eval.beat.f_measure(mir_eval.beat.trim_beats(beats), mir_eval.beat.trim_beats(found))
                    if name not in TWO_PULSES:
                        worst[index] = min(worst[index], score)
                        farthest[index] = max(farthest[index], abs(told / tempo - 1))
                        missed[held_out][index] += score < 0.95 or abs(told / tempo - 1) > 0.02
                    row += [f"{score:.3f}", f"{told / tempo:.3f}"]
                missed[held_out][2] += name not in TWO_PULSES
                print(f"| {name}, {tempo} a minute | {held_out} | " + " | ".join(row) + " |", flush=True)
    print(f"\nworst F: artdag {worst[0]:.3f}, librosa {worst[1]:.3f}")
    print(f"farthest tempo: artdag {farthest[0]:.1%}, librosa {farthest[1]:.1%}")
    for held_out, (artdag, librosa_missed, count) in missed.items():
        kind = "held out" if held_out else "the others"
        print(f"F below 0.95 or tempo off by over 2 %, {kind}: artdag {artdag}, librosa {librosa_missed} of {count}")


if __name__ == "__main__":
    main()
