//! What the packets of a stream tell of its frames: how many, and when.

use crate::media::time::Rate;

/// The packets of a stream, in ticks of its time base.
#[derive(Debug, Default)]
pub struct Packets {
    /// When each is shown, rising.
    pub times: Vec<i64>,
    /// When those are shown that stand alone, rising.
    pub keyframes: Vec<i64>,
    /// The earliest of the times.
    pub first: Option<i64>,
    /// The end of the last packet.
    pub end: Option<i64>,
    /// Packets that are shown.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of those that do not tell when they are shown: when they are decoded, and how long they last.
    untimed: Vec<(i64, i64)>,
}

impl Packets {
    /// A line `pts,dts,duration,size,flags` of ffprobe.
    pub fn add(&mut self, line: &str) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |at: usize| fields.get(at).and_then(|text| text.parse::<i64>().ok());
        let (shown, decoded) = (number(0), number(1));
        let Some(time) = shown.or(decoded) else { return };
        let flags = fields.get(4).copied().unwrap_or_default();
        // Told to the decoder, and not shown.
        if flags.contains('D') {
            return;
        }
        self.count += 1;
        self.bytes += number(3).unwrap_or_default().max(0).cast_unsigned();
        let lasts = number(2).unwrap_or_default().max(0);
        if shown.is_none() {
            self.untimed.push((time, lasts));
        } else {
            self.show(time, lasts);
        }
        if flags.starts_with('K') {
            self.keyframes.push(time);
        }
    }

    fn show(&mut self, time: i64, lasts: i64) {
        self.times.push(time);
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        let end = time + lasts;
        self.end = Some(self.end.map_or(end, |last| last.max(end)));
    }

    /// Brings all into order when the last has come. Containers without times to show tell those of
    /// decoding. Where a few lack, as in MPEG program streams, they are where the others leave room.
    pub fn settle(&mut self) {
        let untimed = std::mem::take(&mut self.untimed);
        self.times.sort_unstable();
        if untimed.len() > self.times.len() {
            for (time, lasts) in untimed {
                self.show(time, lasts);
            }
        } else if let Some(step) = untimed.iter().map(|(_, lasts)| *lasts).max() {
            let known = std::mem::take(&mut self.times);
            let mut left = untimed.len();
            for (index, time) in known.iter().copied().enumerate() {
                self.times.push(time);
                let mut at = time + step;
                while step > 0 && left > 0 && known.get(index + 1).is_none_or(|next| at + step / 2 < *next) {
                    self.show(at, step);
                    (at, left) = (at + step, left - 1);
                }
            }
        }
        self.times.sort_unstable();
        self.keyframes.sort_unstable();
    }

    /// Is frame n at n/rate, but for the rounding of its timestamps?
    pub fn are_constant(&self, rate: Rate, tick: (u32, u32)) -> bool {
        let Some(first) = self.first else { return false };
        let (num, den) = (i128::from(tick.1) * i128::from(rate.den()), i128::from(tick.0) * i128::from(rate.num()));
        self.times.iter().enumerate().all(|(index, time)| {
            // Ticks from where the frame should be, times `den`.
            let off = i128::from(time - first) * den - index as i128 * num;
            off.abs() * 2 <= 3 * den && off.abs() * 3 < num
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(lines: &[&str]) -> Packets {
        let mut packets = Packets::default();
        for line in lines {
            packets.add(line);
        }
        packets.settle();
        packets
    }

    #[test]
    fn frames_without_a_time_are_where_the_others_leave_room() {
        // In the middle, in the order of decoding, and at the end.
        let packets = settled(&["0,-10,10,1,K_", "30,0,10,1,__", "10,10,10,1,__", "N/A,20,10,1,__", "N/A,30,10,1,__"]);
        assert_eq!((packets.times, packets.first, packets.end), (vec![0, 10, 20, 30, 40], Some(0), Some(50)));
        assert_eq!((packets.count, packets.bytes, packets.keyframes), (5, 5, vec![0]));
        // A real gap stays where no frame is missing.
        assert_eq!(settled(&["0,0,10,1,K_", "50,50,10,1,__"]).times, [0, 50]);
    }

    #[test]
    fn where_none_tells_when_it_is_shown_they_are_shown_when_they_are_decoded() {
        let packets = settled(&["N/A,20,10,1,__", "N/A,10,10,1,K_", "N/A,0,10,1,KD"]);
        assert_eq!((packets.times, packets.first, packets.end), (vec![10, 20], Some(10), Some(30)));
    }

    #[test]
    fn a_rate_is_constant_but_for_rounding() {
        let rate = Rate::new(30_000, 1001).unwrap();
        let of = |times: &[&str]| settled(times).are_constant(rate, (1, 1000));
        assert!(of(&["0,0,33,1,K_", "33,33,33,1,__", "67,67,33,1,__", "100,100,33,1,__"]));
        assert!(!of(&["0,0,33,1,K_", "33,33,33,1,__", "90,90,33,1,__"]));
    }
}
