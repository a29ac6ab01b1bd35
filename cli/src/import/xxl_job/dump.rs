//! A dump in SQL: the rows of INSERT statements, with the columns that these list, that the table of the dump has, or that are assumed.

use super::lists::{Wrong, expected, names, values};
use super::row::{COLUMNS, Row, Rows};
use super::token::{Endless, Token, Tokens};

const TABLE: &str = "xxl_job_info";
/// The executors: their names by their numbers.
const GROUPS: &str = "xxl_job_group";

/// What a statement about a table of ours is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Jobs,
    Groups,
}

struct Dump<'a> {
    tokens: Tokens<'a>,
    rows: Rows,
    /// Of the table in the dump.
    columns: Vec<String>,
    most: usize,
}

/// Reads at most `most` rows.
pub(super) fn rows(text: &str, most: usize) -> Rows {
    let mut dump = Dump {
        tokens: Tokens::new(text),
        rows: Rows::default(),
        columns: Vec::new(),
        most,
    };
    loop {
        match dump.statement() {
            Ok(true) if dump.rows.found.len() < most => {}
            Ok(_) => return dump.rows,
            Err(Wrong::At { why, ended }) => {
                let line = dump.tokens.line;
                let why = format!("{why}; the rest of this statement was not read");
                dump.rows.found.push(Row::broken(line, why));
                if !ended && dump.skip().is_err() {
                    dump.endless();
                    return dump.rows;
                }
            }
            Err(Wrong::Endless) => {
                dump.endless();
                return dump.rows;
            }
        }
    }
}

impl Dump<'_> {
    fn endless(&mut self) {
        let why =
            "a text, a name or a comment that begins here has no end; nothing behind it was read";
        self.rows.found.push(Row::broken(self.tokens.line, why));
    }

    /// Reads one statement; false at the end of the dump.
    fn statement(&mut self) -> Result<bool, Wrong> {
        let Some(first) = self.tokens.next()? else {
            return Ok(false);
        };
        let is =
            |word: &str| matches!(&first, Token::Word(given) if given.eq_ignore_ascii_case(word));
        if is("insert") || is("replace") {
            self.insert()?;
        } else if is("create") {
            self.create()?;
        } else if first != Token::Mark(';') {
            self.skip()?;
        }
        Ok(true)
    }

    /// Goes on behind the end of the statement.
    fn skip(&mut self) -> Result<(), Endless> {
        while let Some(token) = self.tokens.next()? {
            if token == Token::Mark(';') {
                break;
            }
        }
        Ok(())
    }

    /// Behind INSERT or REPLACE.
    fn insert(&mut self) -> Result<(), Wrong> {
        let mut name = self.tokens.next()?;
        let fillers = ["into", "ignore", "low_priority", "high_priority", "delayed"];
        while matches!(&name, Some(Token::Word(word)) if fillers.iter().any(|filler| word.eq_ignore_ascii_case(filler)))
        {
            name = self.tokens.next()?;
        }
        let (table, mut token) = self.table(name)?;
        let Some(of) = table else {
            return Ok(self.skip_from(token.as_ref())?);
        };
        let mut columns = Vec::new();
        if token == Some(Token::Mark('(')) {
            columns = names(&mut self.tokens)?;
            token = self.tokens.next()?;
        }
        match token {
            Some(Token::Word(word))
                if ["values", "value"]
                    .iter()
                    .any(|known| word.eq_ignore_ascii_case(known)) => {}
            other => return Err(expected(&self.tokens, "VALUES", other.as_ref())),
        }
        loop {
            match self.tokens.next()? {
                Some(Token::Mark('(')) => {
                    let line = self.tokens.line;
                    let values = values(&mut self.tokens)?;
                    self.keep(of, line, &columns, values);
                }
                other => return Err(expected(&self.tokens, "a row in brackets", other.as_ref())),
            }
            match self.tokens.next()? {
                Some(Token::Mark(',')) if self.rows.found.len() < self.most => {}
                Some(Token::Mark(';' | ',')) | None => return Ok(()),
                // ON DUPLICATE KEY, AS new: nothing about the rows.
                Some(Token::Word(_)) => return Ok(self.skip()?),
                other => {
                    return Err(expected(
                        &self.tokens,
                        "a comma or the end of the statement",
                        other.as_ref(),
                    ));
                }
            }
        }
    }

    /// Which table of ours a name stands for, perhaps behind that of a database; and the word behind it.
    fn table(&mut self, name: Option<Token>) -> Result<(Option<Of>, Option<Token>), Wrong> {
        let mut name = name;
        let mut behind = self.tokens.next()?;
        // A dot between words belongs to them, between names it is one of its own.
        while let Some(Token::Word(word)) = &behind {
            if word != "." {
                break;
            }
            name = self.tokens.next()?;
            behind = self.tokens.next()?;
        }
        let text = match &name {
            Some(Token::Word(text) | Token::Name(text) | Token::Text(text)) => text.as_str(),
            Some(Token::Mark(_)) | None => "",
        };
        let text = text.rsplit('.').next().unwrap_or_default();
        let of = if text.eq_ignore_ascii_case(TABLE) {
            Some(Of::Jobs)
        } else if text.eq_ignore_ascii_case(GROUPS) {
            Some(Of::Groups)
        } else {
            None
        };
        Ok((of, behind))
    }

    fn skip_from(&mut self, token: Option<&Token>) -> Result<(), Endless> {
        match token {
            Some(Token::Mark(';')) | None => Ok(()),
            Some(Token::Mark(_) | Token::Word(_) | Token::Name(_) | Token::Text(_)) => self.skip(),
        }
    }

    fn keep(&mut self, of: Of, line: u64, listed: &[String], values: Vec<Option<String>>) {
        if of == Of::Groups {
            // The first two columns of every version, or those of the list.
            let place =
                |name: &str, usual| listed.iter().position(|one| one == name).unwrap_or(usual);
            let at = |place: usize| values.get(place).cloned().flatten();
            if let (Some(id), Some(name)) = (at(place("id", 0)), at(place("app_name", 1))) {
                self.rows.groups.insert(id, name);
            }
            return;
        }
        let assumed: Vec<String> = COLUMNS.iter().map(|&name| name.to_owned()).collect();
        let (columns, is_assumed) = match (listed.is_empty(), self.columns.is_empty()) {
            (false, _) => (listed, false),
            (true, false) => (self.columns.as_slice(), false),
            (true, true) => (assumed.as_slice(), true),
        };
        let mut row = Row::of(line, columns, values);
        row.assumed = is_assumed;
        self.rows.found.push(row);
    }

    /// Behind CREATE: the columns of the table of jobs.
    fn create(&mut self) -> Result<(), Wrong> {
        let mut token = self.tokens.next()?;
        if !matches!(&token, Some(Token::Word(word)) if word.eq_ignore_ascii_case("table")) {
            return Ok(self.skip_from(token.as_ref())?);
        }
        token = self.tokens.next()?;
        while matches!(&token, Some(Token::Word(word)) if ["if", "not", "exists"].iter().any(|known| word.eq_ignore_ascii_case(known)))
        {
            token = self.tokens.next()?;
        }
        let (of, mut behind) = self.table(token)?;
        if of != Some(Of::Jobs) || behind != Some(Token::Mark('(')) {
            return Ok(self.skip_from(behind.as_ref())?);
        }
        let mut columns = Vec::new();
        let (mut depth, mut begins) = (1, true);
        while depth > 0 {
            behind = self.tokens.next()?;
            match &behind {
                None => return Ok(()),
                // Keys are words, columns of a dump are names.
                Some(Token::Name(name)) if begins && depth == 1 => {
                    columns.push(name.to_ascii_lowercase());
                }
                Some(Token::Mark('(')) => depth += 1,
                Some(Token::Mark(')')) => depth -= 1,
                Some(Token::Mark(_) | Token::Word(_) | Token::Name(_) | Token::Text(_)) => {}
            }
            begins = depth == 1 && behind == Some(Token::Mark(','));
        }
        self.columns = columns;
        Ok(self.skip()?)
    }
}
