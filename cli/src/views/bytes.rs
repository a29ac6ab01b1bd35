//! Bodies and results for a person.

/// Text as it is, of other bytes their number.
pub(super) fn bytes_text(text: Option<&str>, base64: Option<&str>) -> String {
    match (text, base64) {
        (Some(text), _) => text.to_owned(),
        // Four letters are three bytes, but for what fills up the last ones.
        (None, Some(encoded)) => {
            let filling = encoded.bytes().rev().take_while(|byte| *byte == b'=');
            let bytes = encoded.len() / 4 * 3 - filling.count().min(2);
            format!("{bytes} bytes")
        }
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_api::answers::exact;

    use super::*;

    #[test]
    fn other_bytes_than_text_are_counted() {
        for (bytes, shown) in [
            (&b"text"[..], "text"),
            (b"", ""),
            (b"\xff", "1 bytes"),
            (b"\xff\xff", "2 bytes"),
            (b"\xff\xff\xff", "3 bytes"),
        ] {
            let (text, base64) = exact(bytes);
            assert_eq!(bytes_text(text.as_deref(), base64.as_deref()), shown);
        }
    }
}
