//! Tokens that stand where something else belongs: whoever shows a text to people shows it without their secrets.

use std::borrow::Cow;

/// What every token begins with.
pub(super) const MARK: &str = "tw_";
/// Letters of a secret that are hidden; fewer are no part of one that matters.
const LETTERS_MIN: usize = 16;

/// The text with the secrets of tokens taken out: `tw_<id>_…`.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    if !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(MARK) {
        masked.push_str(before);
        masked.push_str(MARK);
        rest = behind;
        let id = behind.find(|letter: char| !letter.is_ascii_alphanumeric());
        let Some((id, secret)) = id.and_then(|end| behind.split_at_checked(end)) else {
            continue;
        };
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        let end = secret.find(|letter| !is_letter(letter));
        let (secret, behind) = secret.split_at(end.unwrap_or(secret.len()));
        masked.push_str(id);
        if secret.len() > LETTERS_MIN {
            masked.push_str("_…");
        } else {
            masked.push_str(secret);
        }
        rest = behind;
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}
