//! The one form of tar header that a bundle has: a regular file, readable by all, of no owner and
//! no time (POSIX ustar).

/// Bytes of a block: headers are one, and files are filled up to whole ones.
pub const BLOCK: usize = 512;

/// Bytes of the two empty blocks at the end.
pub const END: usize = 2 * BLOCK;

/// The header of a file. The name has at most 100 bytes and the size at most 8 GiB - 1.
pub fn header(name: &str, size: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000444");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, "00000000000");
    // While the sum is taken its own place is blank.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// The size in a header that is otherwise the one of this name.
pub fn size_of(block: &[u8; BLOCK], name: &str) -> Option<u64> {
    let digits = std::str::from_utf8(block.get(124..135)?).ok()?;
    let size = u64::from_str_radix(digits, 8).ok()?;
    (header(name, size) == *block).then_some(size)
}

/// Zeros that fill up a file of this size.
pub fn padding(size: u64) -> usize {
    (BLOCK - (size % BLOCK as u64) as usize) % BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_its_size_and_any_other_byte_is_none() {
        let block = header("manifest.json", 1234);
        assert_eq!(size_of(&block, "manifest.json"), Some(1234));
        for at in 0..BLOCK {
            let mut changed = block;
            changed[at] ^= 1;
            assert_eq!(size_of(&changed, "manifest.json"), None, "byte {at}");
        }
        assert_eq!([padding(0), padding(1), padding(512), padding(513)], [0, 511, 0, 511]);
    }
}
