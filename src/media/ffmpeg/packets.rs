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
    /// Samples at the end of the last packet that the encoder put there, and its duration holds.
    pub padding: u64,
    /// How long the last packet lasts.
    lasts: i64,
    /// The widest step back of the clock between one packet and the next as they are decoded: from and to.
    pub back: Option<(i64, i64)>,
    /// The widest step ahead.
    pub ahead: Option<(i64, i64)>,
    /// When the last packet is decoded.
    decoded: Option<i64>,
    /// Of those that do not tell when they are shown: when they are decoded, and how long they last.
    untimed: Vec<(i64, i64)>,
    /// The same of those that tell it.
    timed: Vec<(i64, i64)>,
    /// How long after it is decoded the first of these is shown.
    delay: Option<i64>,
}

impl Packets {
    /// A line `pts,dts,duration,size,flags` of ffprobe, with `,skip_samples,discard_padding` where a packet has
    /// such.
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
            self.timed.push((decoded.unwrap_or(time), lasts));
            self.delay = self.delay.or(decoded.map(|decoded| time.saturating_sub(decoded)));
        }
        let now = decoded.unwrap_or(time);
        if let Some(before) = self.decoded.replace(now) {
            let widest = if now < before { &mut self.back } else { &mut self.ahead };
            if widest.is_none_or(|(from, to)| before.abs_diff(now) > from.abs_diff(to)) {
                *widest = Some((before, now));
            }
        }
        // Ogg takes it off the packet's duration, other containers do not.
        let is_whole = lasts >= self.lasts;
        self.lasts = lasts;
        self.padding = number(6).filter(|_| is_whole).unwrap_or_default().max(0).cast_unsigned();
        if flags.starts_with('K') {
            self.keyframes.push(time);
        }
    }

    fn show(&mut self, time: i64, lasts: i64) {
        self.times.push(time);
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        let end = time.saturating_add(lasts);
        self.end = Some(self.end.map_or(end, |last| last.max(end)));
    }

    /// Brings all into order when the last has come. Where most do not tell when they are shown, all are
    /// shown a while after they are decoded, as the first that tells is. Where a few do not, they are where
    /// the others leave room. MPEG program streams have both.
    pub fn settle(&mut self) {
        let untimed = std::mem::take(&mut self.untimed);
        self.times.sort_unstable();
        if untimed.len() > self.times.len() {
            let delay = self.delay.unwrap_or_default();
            let timed = std::mem::take(&mut self.timed);
            (self.times, self.first, self.end) = (Vec::new(), None, None);
            for (time, lasts) in timed.into_iter().chain(untimed) {
                self.show(time.saturating_add(delay), lasts);
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

    /// Do nine of ten frames follow the one before at 1/rate, but for the rounding of their timestamps, and the
    /// others later? Then frames are missing from a film of this constant rate.
    pub fn are_constant_with_gaps(&self, rate: Rate, tick: (u32, u32)) -> bool {
        let Some(mut start) = self.first else { return false };
        let (num, den) = (i128::from(tick.1) * i128::from(rate.den()), i128::from(tick.0) * i128::from(rate.num()));
        let (mut last, mut follow) = (None, 0);
        for time in &self.times {
            let ticks = i128::from(time - start) * den;
            let index = (2 * ticks + num).div_euclid(2 * num);
            let off = (ticks - index * num).abs();
            let is_there = off * 2 <= 3 * den && off * 3 < num;
            match last {
                Some(last) if is_there && index == last + 1 => follow += 1,
                // Behind a gap, which need not last whole frames, they are counted anew.
                Some(last) if index > last + 1 => start = *time,
                None if is_there => {}
                _ => return false,
            }
            last = Some(if start == *time { 0 } else { index });
        }
        self.times.len() > 1 && follow * 10 >= (self.times.len() - 1) * 9
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
    fn where_most_do_not_tell_it_all_are_shown_as_late_as_the_first_that_tells() {
        // As MPEG program streams of small frames: the first of each pack has a time to show.
        let packets =
            settled(&["50,10,40,1,K_", "N/A,50,40,1,__", "N/A,90,40,1,__", "170,130,40,1,__", "N/A,170,40,1,__"]);
        assert_eq!((packets.times, packets.end), (vec![50, 90, 130, 170, 210], Some(250)));
    }

    #[test]
    fn a_rate_is_constant_but_for_rounding() {
        let rate = Rate::new(30_000, 1001).unwrap();
        let of = |times: &[&str]| settled(times).are_constant(rate, (1, 1000));
        assert!(of(&["0,0,33,1,K_", "33,33,33,1,__", "67,67,33,1,__", "100,100,33,1,__"]));
        assert!(!of(&["0,0,33,1,K_", "33,33,33,1,__", "90,90,33,1,__"]));
    }

    #[test]
    fn frames_that_are_missing_do_not_change_the_rate() {
        let rate = Rate::new(25, 1).unwrap();
        let of = |frames: &[i64]| {
            let lines: Vec<String> = frames.iter().map(|frame| format!("{0},{0},40,1,__", frame * 40)).collect();
            let packets = settled(&lines.iter().map(String::as_str).collect::<Vec<&str>>());
            (packets.are_constant(rate, (1, 1000)), packets.are_constant_with_gaps(rate, (1, 1000)))
        };
        let gap: Vec<i64> = (0..20).chain(50..70).collect();
        assert_eq!(of(&gap), (false, true));
        assert_eq!(of(&(0..40).collect::<Vec<i64>>()), (true, true));
        // Every other frame, or one of three: the rate is another one, or none.
        assert_eq!(of(&(0..40).map(|frame| frame * 2).collect::<Vec<i64>>()), (false, false));
        assert_eq!(of(&(0..40).filter(|frame| frame % 3 > 0).collect::<Vec<i64>>()), (false, false));
        // Behind the gap the clock is another.
        let mut jumps = settled(&["0,0,40,1,K_"]);
        jumps.times = (0..30).map(|frame| frame * 40).chain((0..30).map(|frame| 500_013 + frame * 40)).collect();
        assert!(jumps.are_constant_with_gaps(rate, (1, 1000)));
        let mut uneven = settled(&["0,0,40,1,K_", "40,40,40,1,__"]);
        uneven.times.extend((2..40).map(|frame| frame * 40 + frame % 2 * 15));
        assert!(!uneven.are_constant_with_gaps(rate, (1, 1000)));
    }

    #[test]
    fn the_widest_step_of_the_clock_is_told() {
        let steps = |lines: &[&str]| (settled(lines).back, settled(lines).ahead);
        assert_eq!(steps(&["0,0,40,1,K_", "80,40,40,1,__", "40,80,40,1,__"]), (None, Some((0, 40))));
        let back = steps(&["0,0,40,1,K_", "120,40,40,1,__", "500,500,40,1,K_", "0,0,40,1,K_"]);
        assert_eq!(back, (Some((500, 0)), Some((40, 500))));
    }

    #[test]
    fn the_padding_of_an_encoder_is_that_of_the_last_packet() {
        let packets = settled(&["0,0,20,1,K_,312,0", "", "20,20,20,1,K_,0,504", ""]);
        assert_eq!((packets.count, packets.end, packets.padding), (2, Some(40), 504));
        assert_eq!(settled(&["20,20,20,1,K_,0,504", "40,40,20,1,K_"]).padding, 0);
        assert_eq!(settled(&["0,0,960,1,K_", "960,960,456,1,K_,0,504"]).padding, 0);
    }
}
