//! What stands in the brackets of a statement: names of columns, and values.

use super::token::{Endless, Token, Tokens};

/// What keeps a statement from being read.
#[derive(Debug)]
pub(super) enum Wrong {
    /// The rest of the dump is one text.
    Endless,
    /// This word was not expected there.
    At {
        why: String,
        /// Whether it ends the statement.
        ended: bool,
    },
}

impl From<Endless> for Wrong {
    fn from(_: Endless) -> Self {
        Self::Endless
    }
}

/// The refusal of a word in the place of another one.
pub(super) fn expected(tokens: &Tokens<'_>, what: &str, token: Option<&Token>) -> Wrong {
    let given = token.map_or_else(|| "the end".to_owned(), shown);
    Wrong::At {
        why: format!("{what} was expected in line {}, not {given}", tokens.line),
        ended: token == Some(&Token::Mark(';')),
    }
}

/// Names with commas between them, behind the bracket.
pub(super) fn names(tokens: &mut Tokens<'_>) -> Result<Vec<String>, Wrong> {
    let mut names = Vec::new();
    loop {
        match tokens.next()? {
            Some(Token::Word(name) | Token::Name(name) | Token::Text(name)) => {
                names.push(name.to_ascii_lowercase());
            }
            other => return Err(expected(tokens, "the name of a column", other.as_ref())),
        }
        match tokens.next()? {
            Some(Token::Mark(',')) => {}
            Some(Token::Mark(')')) => return Ok(names),
            other => return Err(expected(tokens, "a comma or a bracket", other.as_ref())),
        }
    }
}

/// Values with commas between them, behind the bracket.
pub(super) fn values(tokens: &mut Tokens<'_>) -> Result<Vec<Option<String>>, Wrong> {
    let mut values = Vec::new();
    loop {
        let (value, behind) = value(tokens)?;
        values.push(value);
        match behind {
            Some(Token::Mark(',')) => {}
            Some(Token::Mark(')')) => return Ok(values),
            other => return Err(expected(tokens, "a comma or a bracket", other.as_ref())),
        }
    }
}

/// A value and the word behind it. An expression stays as it is written: only columns that say nothing have them.
fn value(tokens: &mut Tokens<'_>) -> Result<(Option<String>, Option<Token>), Wrong> {
    match tokens.next()? {
        Some(Token::Text(text)) => Ok((Some(text), tokens.next()?)),
        Some(Token::Mark('-')) => {
            let number = tokens
                .next()?
                .map_or_else(String::new, |token| shown(&token));
            Ok((Some(format!("-{number}")), tokens.next()?))
        }
        Some(Token::Word(word)) if word.eq_ignore_ascii_case("null") => Ok((None, tokens.next()?)),
        Some(Token::Word(word)) => {
            let mut behind = tokens.next()?;
            // _utf8mb4'…' names the encoding of the text.
            if let (true, Some(Token::Text(text))) = (word.starts_with('_'), &behind) {
                let text = text.clone();
                return Ok((Some(text), tokens.next()?));
            }
            if behind == Some(Token::Mark('(')) {
                brackets(tokens)?;
                behind = tokens.next()?;
                return Ok((Some(format!("{word}(…)")), behind));
            }
            Ok((Some(word), behind))
        }
        other => Err(expected(tokens, "a value", other.as_ref())),
    }
}

/// Goes on behind the bracket that ends what a bracket began.
fn brackets(tokens: &mut Tokens<'_>) -> Result<(), Wrong> {
    let mut depth = 1;
    while depth > 0 {
        match tokens.next()? {
            Some(Token::Mark('(')) => depth += 1,
            Some(Token::Mark(')')) => depth -= 1,
            Some(Token::Mark(_) | Token::Word(_) | Token::Name(_) | Token::Text(_)) => {}
            None => return Err(expected(tokens, "a bracket", None)),
        }
    }
    Ok(())
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(text) | Token::Name(text) => text.clone(),
        Token::Text(_) => "a text".to_owned(),
        Token::Mark(mark) => format!("`{mark}`"),
    }
}
