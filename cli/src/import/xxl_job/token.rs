//! The words of a dump: names, texts, numbers and marks, without comments.

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword, a name without quotes, a number.
    Word(String),
    /// A name in backquotes.
    Name(String),
    Text(String),
    Mark(char),
}

/// Reads words one by one.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// Where the last word began.
    pub(super) line: u64,
}

/// A text that has no end.
#[derive(Debug)]
pub(super) struct Endless;

impl<'a> Tokens<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            line: 1,
        }
    }

    /// The next word, `None` at the end.
    ///
    /// # Errors
    /// When a text, a name or a comment has no end.
    pub(super) fn next(&mut self) -> Result<Option<Token>, Endless> {
        self.skip_space()?;
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let token = match first {
            '\'' | '"' => Token::Text(self.quoted(first, true)?),
            '`' => Token::Name(self.quoted(first, false)?),
            _ if is_of_word(first) => {
                let end = self
                    .rest
                    .find(|letter| !is_of_word(letter))
                    .unwrap_or(self.rest.len());
                Token::Word(self.take(end).to_owned())
            }
            mark => {
                self.take(mark.len_utf8());
                Token::Mark(mark)
            }
        };
        Ok(Some(token))
    }

    /// The first bytes of the rest, which are gone then.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn take_counted(&mut self, bytes: usize) {
        let taken = self.take(bytes);
        let lines = taken.bytes().filter(|byte| *byte == b'\n').count();
        self.line += u64::try_from(lines).unwrap_or(0);
    }

    fn skip_space(&mut self) -> Result<(), Endless> {
        loop {
            let trimmed = self.rest.trim_start();
            self.take_counted(self.rest.len() - trimmed.len());
            let is_line = self.rest.starts_with('#')
                || self
                    .rest
                    .strip_prefix("--")
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
            let length = if is_line {
                self.rest.find('\n').unwrap_or(self.rest.len())
            } else if let Some(inner) = self.rest.strip_prefix("/*") {
                inner.find("*/").ok_or(Endless)? + "/**/".len()
            } else {
                return Ok(());
            };
            self.take_counted(length);
        }
    }

    /// What stands between two marks: a doubled mark is one of the text, and so is what a backslash says.
    fn quoted(&mut self, mark: char, escapes: bool) -> Result<String, Endless> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1).peekable();
        while let Some((at, letter)) = letters.next() {
            if letter == mark {
                if letters.next_if(|(_, next)| *next == mark).is_none() {
                    self.take_counted(at + mark.len_utf8());
                    return Ok(text);
                }
                text.push(mark);
            } else if letter == '\\' && escapes {
                let (_, escaped) = letters.next().ok_or(Endless)?;
                match escaped {
                    '0' => text.push('\0'),
                    'b' => text.push('\u{8}'),
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    'Z' => text.push('\u{1a}'),
                    // These mean themselves, and their backslash, outside of patterns.
                    '%' | '_' => text.extend(['\\', escaped]),
                    other => text.push(other),
                }
            } else {
                text.push(letter);
            }
        }
        Err(Endless)
    }
}

/// A letter of a keyword or a number; other scripts count, as in names.
fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '$' | '.' | '@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Token> {
        let mut tokens = Tokens::new(text);
        std::iter::from_fn(|| tokens.next().unwrap()).collect()
    }

    #[test]
    fn texts_have_the_escapes_of_mysql() {
        let text = r#"'it''s' 'a\'b' "say \"x\"" 'l1\nl2\t\\' '\%\_\q' 'x""y' '日本'"#;
        let texts = [
            "it's",
            "a'b",
            "say \"x\"",
            "l1\nl2\t\\",
            "\\%\\_q",
            "x\"\"y",
            "日本",
        ];
        assert_eq!(all(text), texts.map(|text| Token::Text(text.to_owned())));
    }

    #[test]
    fn comments_are_no_words_and_lines_are_counted() {
        let mut tokens = Tokens::new("-- one; 'x\n# two\n/*!40000 SET\n x */ 5--1 `a``b`");
        assert_eq!(tokens.next().unwrap(), Some(Token::Word("5".to_owned())));
        assert_eq!(tokens.line, 4);
        for token in [
            Token::Mark('-'),
            Token::Mark('-'),
            Token::Word("1".to_owned()),
            Token::Name("a`b".to_owned()),
        ] {
            assert_eq!(tokens.next().unwrap(), Some(token));
        }
        assert_eq!(tokens.next().unwrap(), None);
        for text in ["'x", "`x", "/* x", "'x\\", "'x\\'"] {
            assert!(Tokens::new(text).next().is_err(), "{text}");
        }
    }
}
