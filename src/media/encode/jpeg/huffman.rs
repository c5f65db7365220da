//! Entropy coding (ITU-T T.81, F.1.2) with the codes of annex K.3.

/// A code as a file has it: how many code words have each length, and their symbols in order.
pub(super) struct Code {
    pub(super) counts: [u8; 16],
    pub(super) symbols: &'static [u8],
}

/// Class and number in a file, and the code: first those of luma (differences, coefficients),
/// then those of chroma.
pub(super) const CODES: [(u8, Code); 4] = [
    (0x00, Code { counts: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], symbols: &DIFFERENCES }),
    (0x10, Code { counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125], symbols: &LUMA_COEFFICIENTS }),
    (0x01, Code { counts: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], symbols: &DIFFERENCES }),
    (0x11, Code { counts: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119], symbols: &CHROMA_COEFFICIENTS }),
];

const DIFFERENCES: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

const LUMA_COEFFICIENTS: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71, 0x14,
    0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09,
    0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a,
    0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65,
    0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88,
    0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9,
    0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca,
    0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea,
    0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
];

const CHROMA_COEFFICIENTS: [u8; 162] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22, 0x32,
    0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16,
    0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39,
    0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64,
    0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86,
    0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
    0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8,
    0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9,
    0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
];

/// (code word, its bits) by symbol.
type Words = [(u16, u8); 256];

fn words(code: &Code) -> Words {
    let mut words = [(0, 0); 256];
    let (mut next, mut symbols) = (0_u16, code.symbols.iter());
    for (length, count) in (1_u8..).zip(code.counts) {
        for symbol in symbols.by_ref().take(usize::from(count)) {
            words[usize::from(*symbol)] = (next, length);
            next += 1;
        }
        next <<= 1;
    }
    words
}

/// The codes of one kind of plane.
pub(super) struct PlaneTables {
    differences: Words,
    coefficients: Words,
}

/// The codes of both kinds of planes.
pub(super) struct EntropyTables {
    pub(super) luma: PlaneTables,
    pub(super) chroma: PlaneTables,
}

impl EntropyTables {
    pub(super) fn new() -> Self {
        let plane = |n: usize| PlaneTables { differences: words(&CODES[n].1), coefficients: words(&CODES[n + 1].1) };
        Self { luma: plane(0), chroma: plane(2) }
    }
}

impl PlaneTables {
    /// Writes the coefficients of a block; `before` is the first one of the block before.
    #[inline]
    pub(super) fn block(&self, bits: &mut BitWriter, coefficients: &[i16; 64], before: &mut i16) {
        let first = coefficients[0];
        bits.value(&self.differences, 0, i32::from(first) - i32::from(*before));
        *before = first;
        let mut present = 0_u64;
        for (n, value) in coefficients.iter().enumerate().skip(1) {
            present |= u64::from(*value != 0) << n;
        }
        let mut last = 0;
        while present != 0 {
            let place = present.trailing_zeros();
            present &= present - 1;
            let mut zeros = place - last - 1;
            while zeros > 15 {
                bits.word(self.coefficients[0xf0]);
                zeros -= 16;
            }
            bits.value(&self.coefficients, zeros << 4, i32::from(coefficients[place as usize]));
            last = place;
        }
        if last < 63 {
            bits.word(self.coefficients[0]);
        }
    }
}

/// Bits from the highest down, with a zero byte after each that could be taken for a marker.
#[derive(Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl BitWriter {
    /// The code word of a run of zeros and a magnitude, then the value within that magnitude.
    #[inline]
    fn value(&mut self, words: &Words, run: u32, value: i32) {
        let magnitude = 32 - value.unsigned_abs().leading_zeros();
        let (word, length) = words[(run | magnitude) as usize];
        // Negative values are written less one, without their sign.
        let rest = (value + (value >> 31)) as u32 & ((1 << magnitude) - 1);
        self.put(u64::from(word) << magnitude | u64::from(rest), u32::from(length) + magnitude);
    }

    #[inline]
    fn word(&mut self, (word, length): (u16, u8)) {
        self.put(u64::from(word), u32::from(length));
    }

    /// At most 32 bits; fewer than 32 are pending before.
    #[inline]
    fn put(&mut self, bits: u64, count: u32) {
        self.pending = self.pending << count | bits;
        self.count += count;
        if self.count >= 32 {
            self.count -= 32;
            let ready = ((self.pending >> self.count) as u32).to_be_bytes();
            if ready.contains(&0xff) {
                for byte in ready {
                    self.byte(byte);
                }
            } else {
                self.bytes.extend_from_slice(&ready);
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
        if byte == 0xff {
            self.bytes.push(0);
        }
    }

    /// The bytes, the last one filled with ones.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let missing = (8 - self.count % 8) % 8;
        self.pending = self.pending << missing | ((1 << missing) - 1);
        self.count += missing;
        while self.count > 0 {
            self.count -= 8;
            self.byte((self.pending >> self.count) as u8);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        for (_, code) in &CODES {
            assert_eq!(code.counts.iter().map(|count| usize::from(*count)).sum::<usize>(), code.symbols.len());
        }
        let tables = EntropyTables::new();
        // Tables K.3 to K.6.
        assert_eq!(tables.luma.differences[0], (0b00, 2));
        assert_eq!(tables.luma.differences[11], (0b1_1111_1110, 9));
        assert_eq!(tables.chroma.differences[11], (0b111_1111_1110, 11));
        assert_eq!(tables.luma.coefficients[0x00], (0b1010, 4));
        assert_eq!(tables.luma.coefficients[0xf0], (0b111_1111_1001, 11));
        assert_eq!(tables.chroma.coefficients[0xf0], (0b11_1111_1010, 10));
        assert_eq!(tables.luma.coefficients[0xfa], (0b1111_1111_1111_1110, 16));
    }

    #[test]
    fn bits_are_packed_and_stuffed() {
        let mut bits = BitWriter::default();
        bits.put(0b101, 3);
        assert_eq!(BitWriter { bytes: vec![], ..bits }.finish(), [0b1011_1111]);
        let mut bits = BitWriter::default();
        bits.put(0xffff_00ff, 32);
        bits.put(0xff, 8);
        assert_eq!(bits.finish(), [0xff, 0, 0xff, 0, 0, 0xff, 0, 0xff, 0]);
        assert!(BitWriter::default().finish().is_empty());
    }

    #[test]
    fn runs_of_zeros_are_counted() {
        let tables = EntropyTables::new();
        let mut coefficients = [0; 64];
        coefficients[0] = 3;
        coefficients[20] = -1;
        let (mut bits, mut before) = (BitWriter::default(), 1);
        tables.luma.block(&mut bits, &coefficients, &mut before);
        // A difference of 2 (011 10), sixteen zeros, three zeros and -1 (111010 0), the end (1010).
        assert_eq!(bits.finish(), 0b0111_0111_1111_1001_1110_1001_0101_1111_u32.to_be_bytes());
        assert_eq!(before, 3);
    }
}
