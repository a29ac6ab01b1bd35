//! What targets have in common: how an input is read, and what is asked of a refusal.

use tickwheel_core::Violations;

/// Bytes of one violation, with whatever it repeats of what was given.
const VIOLATION_BYTES_MAX: usize = 4_096;

/// What is refused says why, in words that are bounded and that a terminal can show.
pub(crate) fn told(wrong: &Violations) {
    assert!(!wrong.is_empty());
    for one in wrong.iter() {
        assert!(!one.rule.is_empty());
        let bytes = one.field.len() + one.rule.len() + one.given.len();
        assert!(bytes <= VIOLATION_BYTES_MAX, "{bytes} bytes: {one}");
    }
}

/// The text that an input is, cut where it is none.
pub(crate) fn text_of(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let (good, _) = bytes.split_at(error.valid_up_to());
            std::str::from_utf8(good).unwrap_or_default()
        }
    }
}
