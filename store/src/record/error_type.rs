//! The class of an error in the message of a record: `\x1f<class>\x1f`, where its text begins. Scripts cut messages and put words in front of
//! them, and know nothing of it.

/// Stands on both sides of a class. No text has it that came from outside: [`message`] takes it out.
const MARK: char = '\u{1f}';
/// Bytes of a class; more are cut.
pub const ERROR_TYPE_BYTES_MAX: usize = 128;

/// A message for records, of at most `most` bytes with its class. The class is what a worker said: letters that cannot be shown are taken out.
#[must_use]
pub fn message(class: &str, text: &str, most: usize) -> String {
    let class = class
        .get(..class.floor_char_boundary(ERROR_TYPE_BYTES_MAX))
        .unwrap_or_default();
    let mut all = String::new();
    if !class.is_empty() {
        all.push(MARK);
        all.extend(class.chars().filter(|letter| !letter.is_control()));
        all.push(MARK);
    }
    all.extend(
        text.chars()
            .map(|letter| if letter == MARK { ' ' } else { letter }),
    );
    all.truncate(all.floor_char_boundary(most));
    all
}

/// The class, empty when there is none, and the text.
#[must_use]
pub fn split(message: &str) -> (String, String) {
    let mut parts = message.splitn(3, MARK);
    let before = parts.next().unwrap_or_default();
    match (parts.next(), parts.next()) {
        (Some(class), Some(text)) => (class.to_owned(), format!("{before}{text}")),
        // One that was cut within its class.
        (Some(class), None) => (class.to_owned(), before.to_owned()),
        (None, _) => (String::new(), before.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(class: &str, text: &str) -> (String, String) {
        split(&message(class, text, 1_024))
    }

    fn pair(class: &str, text: &str) -> (String, String) {
        (class.to_owned(), text.to_owned())
    }

    #[test]
    fn a_class_goes_with_its_text_and_comes_back() {
        assert_eq!(told("io::Error", "no"), pair("io::Error", "no"));
        assert_eq!(told("", "no"), pair("", "no"));
        assert_eq!(told("E", ""), pair("E", ""));
        assert_eq!(message("", "no", 1_024), "no");
        // Words that a script puts in front of it, and where it cuts.
        let whole = message("E", "no", 1_024);
        assert_eq!(split(&format!("late: {whole}")), pair("E", "late: no"));
        assert_eq!(split(&whole[..2]), pair("E", ""));
    }

    #[test]
    fn nobody_can_say_a_class_within_a_text_or_break_a_record() {
        assert_eq!(told("", "\u{1f}E\u{1f}no"), pair("", " E no"));
        assert_eq!(told("a\tb\u{1f}\n\u{1b}c", "no"), pair("abc", "no"));
        let long = message(&"é".repeat(100), &"x".repeat(2_000), 1_024);
        assert_eq!(long.len(), 1_024);
        assert_eq!(split(&long).0, "é".repeat(64));
    }
}
