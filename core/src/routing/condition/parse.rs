//! Reads a condition: `||` of `&&` of comparisons, brackets and `!`.

use super::expression::{Expression, Literal, Order};
use super::token::{Token, WrongAt, tokens};
use crate::bounds::{CONDITION_CHARS_MAX, CONDITION_DEPTH_MAX, CONDITION_LIST_MAX};
use crate::error::Violation;

/// The expression of a text.
///
/// # Errors
/// A violation that names the character.
pub(super) fn parse(text: &str) -> Result<Expression, Violation> {
    let refuse = |rule: String| Violation::new("", rule, text);
    if text.trim().is_empty() {
        return Err(refuse(
            "is a condition, like region == \"eu\" && gpu".to_owned(),
        ));
    }
    if text.chars().nth(CONDITION_CHARS_MAX).is_some() {
        return Err(refuse(format!(
            "has at most {CONDITION_CHARS_MAX} characters"
        )));
    }
    let located = |wrong: WrongAt| refuse(format!("{} at character {}", wrong.rule, wrong.at));
    let tokens = tokens(text).map_err(located)?;
    let mut reader = Reader {
        tokens: &tokens,
        end: text.chars().count() + 1,
        depth: 0,
    };
    let expression = reader.any().map_err(located)?;
    match reader.tokens.first() {
        None => Ok(expression),
        Some((at, _)) => Err(located(WrongAt::new(*at, "needs `&&`, `||` or the end"))),
    }
}

struct Reader<'a> {
    tokens: &'a [(usize, Token)],
    /// Behind the last character.
    end: usize,
    depth: usize,
}

impl Reader<'_> {
    fn at(&self) -> usize {
        self.tokens.first().map_or(self.end, |(at, _)| *at)
    }

    fn wrong<T>(&self, rule: &str) -> Result<T, WrongAt> {
        Err(WrongAt::new(self.at(), rule))
    }

    fn take(&mut self) -> Option<Token> {
        let ((_, token), rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(token.clone())
    }

    /// Takes this sign if it comes next.
    fn sign(&mut self, sign: &str) -> bool {
        let next = matches!(self.tokens.first(), Some((_, Token::Sign(found))) if *found == sign);
        if next {
            self.take();
        }
        next
    }

    fn word(&mut self, word: &str) -> bool {
        let next = matches!(self.tokens.first(), Some((_, Token::Name(found))) if found == word);
        if next {
            self.take();
        }
        next
    }

    fn any(&mut self) -> Result<Expression, WrongAt> {
        let mut left = self.all()?;
        while self.sign("||") {
            left = Expression::Or(Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<Expression, WrongAt> {
        let mut left = self.one()?;
        while self.sign("&&") {
            left = Expression::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    /// A `!`, a bracket or a comparison. Its depth is bounded, as it calls itself.
    fn one(&mut self) -> Result<Expression, WrongAt> {
        self.depth += 1;
        if self.depth > CONDITION_DEPTH_MAX {
            return self.wrong("is nested too deep");
        }
        let read = if self.sign("!") {
            self.one().map(negated)
        } else if self.sign("(") {
            let inner = self.any()?;
            if !self.sign(")") {
                return self.wrong("needs a closing bracket");
            }
            Ok(inner)
        } else {
            self.comparison()
        };
        self.depth -= 1;
        read
    }

    fn comparison(&mut self) -> Result<Expression, WrongAt> {
        let name = match self.tokens.first() {
            Some((_, Token::Name(name))) if !matches!(name.as_str(), "in" | "not") => name.clone(),
            Some(_) | None => return self.wrong("needs the name of a tag"),
        };
        self.take();
        if self.sign("==") {
            return Ok(Expression::In(name, vec![self.literal()?]));
        }
        if self.sign("!=") {
            return Ok(negated(Expression::In(name, vec![self.literal()?])));
        }
        if self.word("in") {
            return Ok(Expression::In(name, self.list()?));
        }
        if self.word("not") {
            if !self.word("in") {
                return self.wrong("needs `in`");
            }
            return Ok(negated(Expression::In(name, self.list()?)));
        }
        let orders = [
            ("<=", Order::LessOrEqual),
            ("<", Order::Less),
            (">=", Order::GreaterOrEqual),
            (">", Order::Greater),
        ];
        for (sign, order) in orders {
            if self.sign(sign) {
                let Some((_, Token::Number(bound))) = self.tokens.first() else {
                    return self.wrong("needs a number");
                };
                let bound = *bound;
                self.take();
                return Ok(Expression::Order(name, order, bound));
            }
        }
        Ok(Expression::Has(name))
    }

    fn literal(&mut self) -> Result<Literal, WrongAt> {
        let literal = match self.tokens.first() {
            Some((_, Token::Text(text))) => Literal::Text(text.clone()),
            Some((_, Token::Number(number))) => Literal::Number(*number),
            Some((_, Token::Name(_))) => return self.wrong("needs a text in quotes"),
            Some((_, Token::Sign(_))) | None => return self.wrong("needs a text or a number"),
        };
        self.take();
        Ok(literal)
    }

    fn list(&mut self) -> Result<Vec<Literal>, WrongAt> {
        let close = if self.sign("[") {
            "]"
        } else if self.sign("(") {
            ")"
        } else {
            return self.wrong("needs a list, like [\"eu\", \"us\"]");
        };
        let mut list = vec![self.literal()?];
        while self.sign(",") {
            if list.len() == CONDITION_LIST_MAX {
                return self.wrong("has too many values");
            }
            list.push(self.literal()?);
        }
        if self.sign(close) {
            Ok(list)
        } else {
            self.wrong("needs a comma or the end of the list")
        }
    }
}

fn negated(expression: Expression) -> Expression {
    Expression::Not(Box::new(expression))
}
