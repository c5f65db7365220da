//! Metre: which of the tatums are beats.
//!
//! A beat is a few tatums. How many, and which, is decided over the whole
//! sound at once with a bar pointer, a hidden Markov model whose state is the
//! place in the bar (N. Whiteley, A. T. Cemgil and S. Godsill, *Bayesian
//! Modelling of Temporal Structure in Musical Audio*, `ISMIR` 2006). It expects
//! bass drum and snare drum where players of usual grooves have them (F.
//! Krebs, S. Böck and G. Widmer, *Rhythmic Pattern Modeling for Beat and
//! Downbeat Tracking in Musical Audio*, `ISMIR` 2013); here these places are
//! written down in `grooves`, not learnt from recordings. As a beat is a whole
//! number of tatums, and the grooves of a bar return, a period that is no
//! metrical level is never a beat.

use super::grooves::{ANY, Part, pairs};
use super::onset::{Envelope, STEP, strongest};
use super::periodicity::{FASTEST, SLACK, SLOWEST, prior};

/// Tatums that a beat may have.
const DIVISIONS: [usize; 9] = [1, 2, 3, 4, 5, 6, 8, 12, 16];
/// How usual five tatums in a beat are.
const FIVE: f64 = 0.1;
/// How likely the place in the bar changes suddenly, as a logarithm.
const JUMP: f64 = -12.0;
/// Seconds of sound that weigh as much as what is likely before anything was
/// heard: bars are much alike, so a sound does not tell more by being longer.
const EVIDENCE: f64 = 3.0;
/// How likely a sound begins elsewhere than with a beat, as a logarithm.
const UPBEAT: f64 = -0.5;
/// Weight of onsets of any kind against blows of bass or snare drum.
const ONSETS: f64 = 0.3;

/// What is heard at a tatum, each 0 to 1: bass drum, snare drum and any onset.
type Heard = [f64; 3];

/// The tatums, each a value of the envelope, that are beats.
pub fn beats(envelope: &Envelope, tatums: &[usize], tatum: f64) -> Vec<usize> {
    let silent = tatums.iter().take_while(|&&n| strongest(&envelope.values, n, 6, 6) < 0.1).count();
    let tatums = &tatums[silent..];
    let heard = hear(envelope, tatums, tatum);
    let seconds = heard.len() as f64 * tatum * STEP;
    let upbeat = UPBEAT * seconds / EVIDENCE;
    let tempos = SLOWEST / SLACK..=FASTEST * SLACK;
    let mut best = f64::NEG_INFINITY;
    let mut beats = Vec::new();
    for division in DIVISIONS {
        let bpm = 60.0 / (tatum * division as f64 * STEP);
        if heard.is_empty() || !tempos.contains(&bpm) {
            continue;
        }
        let usual = prior(bpm) * if division == 5 { FIVE } else { 1.0 };
        for (bass, snare, together) in pairs() {
            let (likelihood, places) = point(&heard, division, bass, snare, upbeat);
            let score = libm::log(usual * together) + EVIDENCE * likelihood / seconds;
            if score > best {
                best = score;
                let on_beat = tatums.iter().zip(&places).filter(|(_, place)| *place % division == 0);
                beats = on_beat.map(|(&n, _)| n).collect();
            }
        }
    }
    beats
}

fn hear(envelope: &Envelope, tatums: &[usize], tatum: f64) -> Vec<Heard> {
    let reach = ((tatum / 3.0) as usize).min(6);
    // A bass drum that falls in pitch is deep only after its beginning.
    let late = ((tatum * 0.6) as usize).min(12);
    let at = |&n: &usize| {
        [
            strongest(&envelope.bass, n, reach.min(4), late),
            strongest(&envelope.snare, n, reach, reach),
            strongest(&envelope.values, n, reach, reach),
        ]
    };
    tatums.iter().map(at).collect()
}

/// The likeliest places of the tatums in the bar (by the Viterbi algorithm) and
/// the logarithm of how likely what is heard is there. `upbeat` is the logarithm of
/// how likely the first is no beat.
fn point(heard: &[Heard], division: usize, bass: &Part, snare: &Part, upbeat: f64) -> (f64, Vec<usize>) {
    let places = division * bass.beats.len();
    let chances: Vec<[(f64, f64); 3]> = (0..places)
        .map(|place| [bass, snare, &ANY].map(|part| part.at(place, division)))
        .map(|chances| chances.map(|chance| (libm::log(chance), libm::log(1.0 - chance))))
        .collect();
    let mut scores: Vec<f64> =
        (0..places).map(|before| if (before + 1) % division == 0 { 0.0 } else { upbeat }).collect();
    let mut next = vec![0.0; places];
    // A bar has at most 64 places.
    let mut links: Vec<u8> = Vec::with_capacity(heard.len() * places);
    for now in heard {
        let top = largest(&scores);
        let jump = scores[top] + JUMP;
        for (place, (slot, chances)) in next.iter_mut().zip(&chances).enumerate() {
            let before = (place + places - 1) % places;
            let (from, score) = if jump > scores[before] { (top, jump) } else { (before, scores[before]) };
            links.push(from as u8);
            let [bass, snare, any]: [f64; 3] = std::array::from_fn(|part| {
                let (yes, no) = chances[part];
                now[part] * yes + (1.0 - now[part]) * no
            });
            *slot = score + bass + snare + ONSETS * any;
        }
        std::mem::swap(&mut scores, &mut next);
    }
    let mut at = largest(&scores);
    let likelihood = scores[at];
    let mut path = vec![0; heard.len()];
    for (place, from) in path.iter_mut().zip(links.chunks_exact(places)).rev() {
        *place = at;
        at = usize::from(from[at]);
    }
    (likelihood, path)
}

/// Where the largest of some values is, the first if there are several.
fn largest(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(bass: &str, snare: &str, bars: usize) -> Vec<Heard> {
        let level = |part: &str, n: usize| if part.as_bytes()[n % part.len()] == b'x' { 1.0 } else { 0.0 };
        (0..bars * bass.len()).map(|n| [level(bass, n), level(snare, n), 1.0]).collect()
    }

    #[test]
    fn the_bass_drum_begins_the_bar() {
        let (bass, snare, _) = pairs().next().unwrap();
        let (_, places) = point(&heard("..x...x.", "x...x...", 8), 2, bass, snare, -0.5);
        assert_eq!(places[2] % 4, 0);
        assert!(places.windows(2).all(|w| (w[0] + 1) % 8 == w[1]));
    }

    /// After a bar that is too short the next begins early.
    #[test]
    fn the_pointer_jumps_where_a_bar_breaks_off() {
        let (bass, snare, _) = pairs().next().unwrap();
        let mut tatums = heard("x...x...", "..x...x.", 8);
        tatums.truncate(tatums.len() - 1);
        tatums.extend(heard("x...x...", "..x...x.", 8));
        let (_, places) = point(&tatums, 2, bass, snare, -0.5);
        assert_eq!(places[0] % 4, 0);
        assert_eq!(places[63] % 4, 0);
        let jumps = places.windows(2).filter(|w| (w[0] + 1) % 8 != w[1]).count();
        assert_eq!(jumps, 1);
    }
}
