//! Random UUIDs, of requests and of tasks.

/// A UUID of version 4 from random bits.
pub(super) fn uuid(random: u128) -> String {
    let number = random & !(0xf << 76) & !(0b11 << 62) | (0x4 << 76) | (0b10 << 62);
    let mut text = format!("{number:032x}");
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_of_version_4_and_has_all_its_other_bits() {
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let (one, other): (u128, u128) = rand::random();
        assert_ne!(uuid(one), uuid(other));
    }
}
