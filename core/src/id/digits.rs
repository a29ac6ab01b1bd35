//! Numbers and bytes as the letters of ids.

use std::fmt::Write as _;

/// `number` in base 36, lower case, zero-padded to `digits`.
pub(crate) fn base36(mut number: u64, digits: usize) -> String {
    let mut text = Vec::with_capacity(13);
    while number > 0 || text.len() < digits {
        let digit = u32::try_from(number % 36).unwrap_or_default();
        text.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
    }
    text.iter().rev().collect()
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            write!(text, "{byte:02x}").ok();
            text
        })
}
