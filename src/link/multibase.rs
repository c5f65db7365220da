//! Bytes as text that says how it is written: `z` and base58 with Bitcoin's alphabet (Multibase),
//! the form of keys and signatures in `did:key` and Data Integrity proofs.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Characters of a text that is read: more than any key or signature has.
const LONGEST: usize = 1024;

/// Bytes as `z…`.
pub fn encode(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    // Digits of base 58, the lowest first.
    let mut digits: Vec<u8> = Vec::with_capacity(bytes.len() * 138 / 100 + 1);
    for byte in &bytes[zeros..] {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let zeros = std::iter::repeat_n('1', zeros);
    let digits = digits.iter().rev().map(|digit| char::from(ALPHABET[usize::from(*digit)]));
    std::iter::once('z').chain(zeros).chain(digits).collect()
}

/// The bytes of `z…`; `None` for a text of another form.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix('z').filter(|text| text.len() <= LONGEST)?;
    let zeros = text.bytes().take_while(|byte| *byte == b'1').count();
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    for character in text.bytes().skip(zeros) {
        let mut carry = ALPHABET.iter().position(|known| *known == character)? as u32;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push(carry as u8);
            carry >>= 8;
        }
    }
    bytes.extend(std::iter::repeat_n(0, zeros));
    bytes.reverse();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_the_drafts_and_round_trip() {
        // Test vectors of draft-msporny-base58.
        assert_eq!(encode(b"Hello World!"), "z2NEpo7TZRRrLZSi2U");
        assert_eq!(encode(&[0, 0, 0x28, 0x7f, 0xb4, 0xcd]), "z11233QC4");
        for bytes in [&[][..], &[0], &[0, 0, 1], &[255; 64], b"\x00\xffkey"] {
            assert_eq!(decode(&encode(bytes)).as_deref(), Some(bytes));
        }
        for wrong in ["", "2NEpo7", "z0", "zl", "zé", &format!("z{}", "2".repeat(LONGEST + 1))] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
