"""Beats found by `artdag` (ANALYZE) and by librosa's beat_track on the same sounds, judged by mir_eval.

    cargo build --release
    python3 -m venv target/mir && target/mir/bin/pip install mir_eval==0.8.2 librosa==0.11.0 soundfile==0.14.0
    target/mir/bin/python benches/beats.py

Sounds are made here, from a fixed seed: clicks at 60 to 180 beats a minute, and drum patterns with a kick, a
snare and hats. F-measure within 70 ms; tempo as the ratio to the true one. The half-time pattern, with its snare
on the third beat of four, has two pulses; it is judged by the quarter notes, and stands outside of the worst.
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


def clicks(tempo, random):
    sound = np.zeros(SECONDS * RATE)
    time = np.arange(int(0.02 * RATE)) / RATE
    shape = 0.8 * np.sin(2 * np.pi * 2000 * time) * np.exp(-time * 200)
    beats = np.arange(0.3, SECONDS - 0.1, 60 / tempo)
    for beat in beats:
        hit(sound, beat, shape)
    return sound + random.normal(0, 0.001, len(sound)), beats


# What is played in four beats, on a grid of sixteenths: kick, snare, hat.
PATTERNS = {
    "eighths": ("x.......x.......", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "sixteenths": ("x.......x.......", "....x.......x...", "xxxxxxxxxxxxxxxx"),
    "rock": ("x.......x.x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "syncopated": ("x.....x.x.......", "....x.......x..x", "x.x.x.x.x.x.x.x."),
    "four on the floor": ("x...x...x...x...", "....x.......x...", "..x...x...x...x."),
    "half-time": ("x...............", "........x.......", "x.x.x.x.x.x.x.x."),
}


def drums(name):
    def make(tempo, random):
        sound = np.zeros(SECONDS * RATE)
        time = np.arange(int(0.15 * RATE)) / RATE
        kick = 0.9 * np.sin(2 * np.pi * (50 * time + 8 * (1 - np.exp(-time * 40)))) * np.exp(-time * 25)
        snare = 0.5 * random.normal(0, 1, len(time)) * np.exp(-time * 30)
        hat = 0.15 * random.normal(0, 1, len(time)) * np.exp(-time * 120)
        shapes = [kick, snare, hat]
        for count, at in enumerate(np.arange(0.3, SECONDS - 0.2, 15 / tempo)):
            for part, shape in zip(PATTERNS[name], shapes):
                if part[count % 16] == "x":
                    hit(sound, at, shape)
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
    print("| sound | artdag F | artdag tempo | librosa F | librosa tempo |")
    print("|---|---|---|---|---|")
    worst = [1.0, 1.0]
    farthest = [0.0, 0.0]
    sounds = [("clicks", clicks)] + [(name, drums(name)) for name in PATTERNS]
    with tempfile.TemporaryDirectory() as home:
        for name, make in sounds:
            for tempo in [60, 75, 90, 105, 120, 140, 150, 160, 180]:
                sound, beats = make(tempo, random)
                path = os.path.join(home, f"{name}{tempo}.wav")
                soundfile.write(path, sound.astype(np.float32), RATE)
                row = []
                for index, (found, told) in enumerate([by_artdag(path, home), by_librosa(path)]):
                    score = mir_eval.beat.f_measure(mir_eval.beat.trim_beats(beats), mir_eval.beat.trim_beats(found))
                    if name != "half-time":
                        worst[index] = min(worst[index], score)
                        farthest[index] = max(farthest[index], abs(told / tempo - 1))
                    row += [f"{score:.3f}", f"{told / tempo:.3f}"]
                print(f"| {name}, {tempo} a minute | " + " | ".join(row) + " |", flush=True)
    print(f"\nworst F: artdag {worst[0]:.3f}, librosa {worst[1]:.3f}")
    print(f"farthest tempo: artdag {farthest[0]:.1%}, librosa {farthest[1]:.1%}")


if __name__ == "__main__":
    main()
