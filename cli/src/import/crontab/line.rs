//! What a line of a crontab is.

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Blank,
    /// With its `#`.
    Comment(&'a str),
    Variable {
        name: &'a str,
        value: &'a str,
    },
    /// Times and a command, or what is meant to be that.
    Entry(&'a str),
}

impl<'a> Line<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let text = text
            .trim_start_matches([' ', '\t'])
            .trim_end_matches(['\r']);
        if text.trim().is_empty() {
            return Self::Blank;
        }
        if text.starts_with('#') {
            return Self::Comment(text);
        }
        match variable(text) {
            Some((name, value)) => Self::Variable { name, value },
            None => Self::Entry(text),
        }
    }
}

/// `NAME = value`, either of them perhaps in quotes.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = match text.chars().next()? {
        mark @ ('"' | '\'') => text.get(1..)?.split_once(mark)?,
        _ => text.split_at_checked(text.find(['=', ' ', '\t'])?)?,
    };
    let value = rest
        .trim_start_matches([' ', '\t'])
        .strip_prefix('=')?
        .trim();
    let plain = ['"', '\''].iter().find_map(|mark| {
        let inner = value.strip_prefix(*mark)?.strip_suffix(*mark)?;
        (!inner.contains(*mark)).then_some(inner)
    });
    Some((name, plain.unwrap_or(value)))
}

/// When an entry is due, as it stands there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum When<'a> {
    /// A word with its `@`.
    Word(&'a str),
    /// Minute, hour, day of month, month, day of week.
    Fields([&'a str; 5]),
}

/// The times of an entry, and what stands behind them. `None` for a text that does not begin with times.
pub(super) fn split_times(text: &str) -> Option<(When<'_>, &str)> {
    if text.starts_with('@') {
        let (word, rest) = field(text);
        return Some((When::Word(word), rest));
    }
    let mut rest = text;
    let mut fields = [""; 5];
    for place in &mut fields {
        (*place, rest) = field(rest);
    }
    // A sentence has five words as well: times begin with what only times begin with.
    let is_time = |field: &str| {
        field.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '*' | '~' | '?'))
    };
    let begins = fields.iter().take(3).all(|field| is_time(field));
    let is_whole = fields.iter().all(|field| !field.is_empty());
    (begins && is_whole).then_some((When::Fields(fields), rest))
}

/// The first word, and what stands behind it.
pub(super) fn field(text: &str) -> (&str, &str) {
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    let (field, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (field, rest.trim_start_matches([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_comment_a_variable_or_an_entry() {
        let variable = |name, value| Line::Variable { name, value };
        for (text, line) in [
            ("", Line::Blank),
            (" \t", Line::Blank),
            ("  # daily", Line::Comment("# daily")),
            ("SHELL=/bin/bash", variable("SHELL", "/bin/bash")),
            ("MAILTO = \"\"", variable("MAILTO", "")),
            ("'A B' = ' x '", variable("A B", " x ")),
            ("X='a' 'b'", variable("X", "'a' 'b'")),
            ("X=a=b # no comment", variable("X", "a=b # no comment")),
            ("* * * * * A=1 x", Line::Entry("* * * * * A=1 x")),
            ("@daily A=1 x", Line::Entry("@daily A=1 x")),
            ("nonsense", Line::Entry("nonsense")),
        ] {
            assert_eq!(Line::of(text), line, "{text:?}");
        }
    }

    #[test]
    fn times_are_five_fields_or_a_word() {
        let fields = When::Fields(["0", "3", "*", "jan", "mon"]);
        assert_eq!(split_times("0\t3  * jan mon  a b"), Some((fields, "a b")));
        assert_eq!(split_times("@daily  x"), Some((When::Word("@daily"), "x")));
        for text in [
            "0 3 * *",
            "m h dom mon dow command",
            "runs at 3 each day",
            "",
        ] {
            assert_eq!(split_times(text), None, "{text}");
        }
    }
}
