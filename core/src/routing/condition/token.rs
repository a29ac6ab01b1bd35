//! The words of a condition, each with its place.

/// A rule that is broken at a place.
#[derive(Debug)]
pub(super) struct WrongAt {
    pub(super) at: usize,
    pub(super) rule: String,
}

impl WrongAt {
    pub(super) fn new(at: usize, rule: impl Into<String>) -> Self {
        Self {
            at,
            rule: rule.into(),
        }
    }
}

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Number(f64),
    /// An operator, a bracket or a comma.
    Sign(&'static str),
}

/// The longer ones first.
const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ",",
];

/// Cuts a text into words, each with the number of its first character, from 1.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, WrongAt> {
    let mut tokens = Vec::new();
    let (mut rest, mut at) = (text, 1);
    loop {
        let blank = rest.len() - rest.trim_start().len();
        at += rest.chars().take_while(|c| c.is_whitespace()).count();
        rest = rest.split_at(blank).1;
        let Some(first) = rest.chars().next() else {
            return Ok(tokens);
        };
        let (token, length) = if first == '"' || first == '\'' {
            quoted(rest, first)
                .ok_or_else(|| WrongAt::new(at, format!("has no closing {first}")))?
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else if first.is_ascii_digit() || first == '-' || first == '+' {
            number(rest).ok_or_else(|| WrongAt::new(at, "is no number"))?
        } else if first.is_ascii_alphabetic() || first == '_' {
            let name: String = rest.chars().take_while(|c| is_in_name(*c)).collect();
            let length = name.len();
            (Token::Name(name), length)
        } else {
            let rule = match first {
                '=' => "is `==` to compare".to_owned(),
                '&' => "is `&&` for both".to_owned(),
                '|' => "is `||` for either".to_owned(),
                _ => format!("has no meaning: `{first}`"),
            };
            return Err(WrongAt::new(at, rule));
        };
        tokens.push((at, token));
        let (word, behind) = rest.split_at(length);
        at += word.chars().count();
        rest = behind;
    }
}

fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-')
}

/// The text between two marks; there is no way to write the mark itself, as no tag can have it.
fn quoted(rest: &str, mark: char) -> Option<(Token, usize)> {
    let inner = rest.strip_prefix(mark)?;
    let end = inner.find(mark)?;
    Some((Token::Text(inner.split_at(end).0.to_owned()), end + 2))
}

fn number(rest: &str) -> Option<(Token, usize)> {
    let end = rest
        .char_indices()
        .skip(1)
        .find(|(_, c)| !(is_in_name(*c) || *c == '+'))
        .map_or(rest.len(), |(end, _)| end);
    let number: f64 = rest.split_at(end).0.parse().ok()?;
    number.is_finite().then_some((Token::Number(number), end))
}
