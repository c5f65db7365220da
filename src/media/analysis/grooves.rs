//! Where in a bar drums are usually played.
//!
//! These are rules of how popular music is played, no statistics. Bass drum
//! and snare drum tell strong and weak beats, as the bass drum begins the bar
//! and its second half and the snare drum has the backbeat (M. Goto, *An
//! Audio-based Real-time Beat Tracking System for Music With or Without
//! Drum-sounds*, Journal of New Music Research 30(2), 2001). A blow between
//! beats rather leads to the next than follows the last.

/// How likely a drum is played at each place of a bar.
pub struct Part {
    /// On each beat.
    pub beats: &'static [f64],
    /// Half a beat after each.
    halves: &'static [f64],
    /// A quarter of a beat after one, and a quarter before one.
    quarters: [f64; 2],
    /// A third of a beat after one, and a third before one.
    thirds: [f64; 2],
    /// Anywhere else.
    other: f64,
    /// How usual the part is.
    usual: f64,
}

/// Parts of bars with one number of beats.
struct Groove {
    bass: &'static [Part],
    snare: &'static [Part],
    /// How usual this number of beats in a bar is.
    usual: f64,
}

impl Part {
    /// The likelihood at a tatum of the bar where a beat has some tatums.
    pub fn at(&self, place: usize, division: usize) -> f64 {
        let beat = place / division % self.beats.len();
        let within = place % division;
        if within == 0 {
            self.beats[beat]
        } else if 2 * within == division {
            self.halves[beat]
        } else if 4 * within == division {
            self.quarters[0]
        } else if 4 * within == 3 * division {
            self.quarters[1]
        } else if 3 * within == division {
            self.thirds[0]
        } else if 3 * within == 2 * division {
            self.thirds[1]
        } else {
            self.other
        }
    }

    const fn new(
        beats: &'static [f64],
        halves: &'static [f64],
        quarters: [f64; 2],
        thirds: [f64; 2],
        other: f64,
        usual: f64,
    ) -> Self {
        Self { beats, halves, quarters, thirds, other, usual }
    }

    /// No drum.
    const fn silent(places: &'static [f64], usual: f64) -> Self {
        Self::new(places, places, [0.03; 2], [0.03; 2], 0.02, usual)
    }
}

/// Four beats in a bar, and three.
const GROOVES: [Groove; 2] = [
    Groove { bass: &BASS_OF_FOUR, snare: &SNARE_OF_FOUR, usual: 1.0 },
    Groove { bass: &BASS_OF_THREE, snare: &SNARE_OF_THREE, usual: 0.3 },
];

/// Onsets of any kind.
pub const ANY: Part = Part::new(&[0.95; 4], &[0.65; 4], [0.3, 0.4], [0.3, 0.6], 0.1, 1.0);

const BASS_OF_FOUR: [Part; 4] = [
    // On the first and third beat, with syncopations.
    Part::new(&[0.95, 0.25, 0.65, 0.25], &[0.3, 0.4, 0.4, 0.25], [0.06, 0.2], [0.05, 0.25], 0.02, 1.0),
    // Four on the floor.
    Part::new(&[0.95; 4], &[0.05; 4], [0.03, 0.1], [0.03, 0.05], 0.02, 0.7),
    // Anywhere, rather on beats.
    Part::new(&[0.6; 4], &[0.25; 4], [0.1, 0.2], [0.1, 0.2], 0.05, 0.3),
    Part::silent(&[0.03; 4], 0.5),
];

const SNARE_OF_FOUR: [Part; 5] = [
    // The backbeat.
    Part::new(&[0.06, 0.9, 0.06, 0.9], &[0.07, 0.1, 0.12, 0.12], [0.1, 0.15], [0.05, 0.12], 0.03, 1.0),
    // On every beat.
    Part::new(&[0.9; 4], &[0.1; 4], [0.05, 0.1], [0.05, 0.1], 0.03, 0.8),
    // Anywhere.
    Part::new(&[0.35; 4], &[0.35; 4], [0.25, 0.35], [0.2, 0.3], 0.1, 0.05),
    // Nearly everywhere.
    Part::new(&[0.75, 0.85, 0.75, 0.85], &[0.7; 4], [0.2, 0.7], [0.2, 0.7], 0.1, 0.03),
    Part::silent(&[0.03; 4], 0.5),
];

const BASS_OF_THREE: [Part; 2] = [
    // On the first beat.
    Part::new(&[0.95, 0.15, 0.2], &[0.15, 0.2, 0.2], [0.04, 0.08], [0.05, 0.1], 0.02, 1.0),
    Part::silent(&[0.03; 3], 0.3),
];

const SNARE_OF_THREE: [Part; 2] = [
    // On the second and third beat.
    Part::new(&[0.05, 0.85, 0.85], &[0.06, 0.1, 0.1], [0.04, 0.08], [0.05, 0.1], 0.02, 1.0),
    Part::silent(&[0.03; 3], 0.5),
];

/// A bass drum's part and a snare drum's that fit together, all of them, and
/// how usual the two are.
pub fn pairs() -> impl Iterator<Item = (&'static Part, &'static Part, f64)> {
    GROOVES.iter().flat_map(|groove| {
        groove.bass.iter().flat_map(move |bass| {
            groove.snare.iter().map(move |snare| (bass, snare, groove.usual * bass.usual * snare.usual))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_chances_of_every_place() {
        for part in pairs().flat_map(|(bass, snare, _)| [bass, snare]) {
            assert_eq!(part.beats.len(), part.halves.len());
            for division in 1..=16 {
                for place in 0..division * part.beats.len() {
                    let chance = part.at(place, division);
                    assert!(chance > 0.0 && chance < 1.0);
                }
            }
        }
    }

    #[test]
    fn places_are_parts_of_beats() {
        let part = &BASS_OF_FOUR[0];
        let at = |place, division| (part.at(place, division) * 100.0).round() as i32;
        assert_eq!([at(0, 4), at(1, 4), at(2, 4), at(3, 4), at(4, 4)], [95, 6, 30, 20, 25]);
        assert_eq!([at(6, 3), at(7, 3), at(8, 3)], [65, 5, 25]);
        assert_eq!([at(3, 8), at(4, 8)], [2, 30]);
    }
}
