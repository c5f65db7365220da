"""Beats found by `artdag` (ANALYZE) and by librosa's beat_track on the same sounds, judged by mir_eval.

    cargo build --release
    python3 -m venv target/mir && target/mir/bin/pip install mir_eval==0.8.2 librosa==0.11.0 soundfile==0.14.0
    target/mir/bin/python benches/beats.py

Sounds are made here, from a fixed seed: clicks at 60 to 180 beats a minute, and drum patterns with a kick, a
snare and hats. F-measure within 70 ms; tempo as the ratio to the true one.
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


def drums(tempo, random):
    sound = np.zeros(SECONDS * RATE)
    time = np.arange(int(0.15 * RATE)) / RATE
    kick = 0.9 * np.sin(2 * np.pi * (50 * time + 8 * (1 - np.exp(-time * 40)))) * np.exp(-time * 25)
    snare = 0.5 * random.normal(0, 1, len(time)) * np.exp(-time * 30)
    hat = 0.15 * random.normal(0, 1, len(time)) * np.exp(-time * 120)
    beats = np.arange(0.3, SECONDS - 0.2, 60 / tempo)
    for count, beat in enumerate(beats):
        hit(sound, beat, kick if count % 2 == 0 else snare)
        hit(sound, beat, hat)
        hit(sound, beat + 30 / tempo, hat)
    return sound / np.abs(sound).max() * 0.9, beats


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
    with tempfile.TemporaryDirectory() as home:
        for name, make in [("clicks", clicks), ("drums", drums)]:
            for tempo in [60, 75, 90, 105, 120, 140, 160, 180]:
                sound, beats = make(tempo, random)
                path = os.path.join(home, f"{name}{tempo}.wav")
                soundfile.write(path, sound.astype(np.float32), RATE)
                row = []
                for index, (found, told) in enumerate([by_artdag(path, home), by_librosa(path)]):
                    score = mir_eval.beat.f_measure(beats, found, f_measure_threshold=0.07)
                    worst[index] = min(worst[index], score)
                    row += [f"{score:.3f}", f"{told / tempo:.3f}"]
                print(f"| {name}, {tempo} a minute | " + " | ".join(row) + " |", flush=True)
    print(f"\nworst F: artdag {worst[0]:.3f}, librosa {worst[1]:.3f}")


if __name__ == "__main__":
    main()
