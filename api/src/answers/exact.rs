//! Bytes in JSON, so that who reads them has the same bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The bytes as text, or in base64 when they are none; neither of both where there are no bytes.
#[must_use]
pub fn exact(bytes: &[u8]) -> (Option<String>, Option<String>) {
    if bytes.is_empty() {
        return (None, None);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(STANDARD.encode(bytes))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_and_other_bytes_are_encoded() {
        let text = r#"{"n": 9007199254740993, "n": 1e400}"#;
        assert_eq!(exact(text.as_bytes()), (Some(text.to_owned()), None));
        assert_eq!(exact(b"\xff"), (None, Some("/w==".to_owned())));
        assert_eq!(exact(b""), (None, None));
    }
}
