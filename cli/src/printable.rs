//! Texts of others on the way to a terminal.
//!
//! Names of hosts, errors, log lines and bodies are what workers and callers made of them. A terminal obeys some characters: it sets titles,
//! fills the clipboard, moves the cursor over what was printed before. Such characters are shown by their numbers instead.

use std::borrow::Cow;

/// The text with every character shown that a terminal would obey or hide; line breaks and tabs stay.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_obeyed(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Control characters, and those that turn the direction of writing or cannot be seen.
pub(crate) fn is_obeyed(character: char) -> bool {
    let harmless = matches!(character, '\n' | '\t');
    let hidden = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    (character.is_control() && !harmless) || hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_by_its_number() {
        let payloads = [
            "\u{1b}]0;owned\u{7}",
            "\u{1b}]52;c;cm0gLXJm\u{1b}\\",
            "\u{1b}[2J\u{1b}[H",
            "\u{1b}[31mred\u{1b}[0m",
            "\u{1b}[6n",
            "\u{1b}P+q544e\u{1b}\\",
            "\u{1b}]8;;http://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\",
            "\u{9b}31m",
            "\u{9d}0;title\u{9c}",
            "\u{202e}gpj.exe",
            "\u{2066}isolated\u{2069}",
            "\u{200b}zero width",
            "\u{feff}bom",
            "over\rwritten",
            "nul\0byte",
            "bell\u{7}",
            "back\u{8}space",
            "del\u{7f}",
        ];
        for payload in payloads {
            let shown = printable(payload);
            assert!(shown.contains("\\u{"), "{payload:?}");
            assert!(
                shown.chars().all(|character| !is_obeyed(character)),
                "{shown:?}"
            );
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in ["", "line\nline\ttab", "日本 é 🦀", "a\\u{1b}b"] {
            assert!(matches!(printable(text), Cow::Borrowed(shown) if shown == text));
        }
    }
}
