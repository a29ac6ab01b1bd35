//! What a command prints on standard output: a table for people, JSON or YAML for programs.
//!
//! Programs get every field under its name, instants both as `*_ms` and as text; tables show what a person needs.

use std::io::{ErrorKind, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::Failure;
use crate::printable::printable;

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
    Yaml,
}

/// Something that is shown as one row of a list.
pub(crate) trait Row: Serialize {
    const HEADERS: &'static [&'static str];

    fn cells(&self) -> Vec<String>;
}

/// Something that is shown alone, as lines of name and value.
pub(crate) trait Detail: Serialize {
    fn lines(&self) -> Vec<(&'static str, String)>;
}

impl Format {
    /// Prints a list.
    pub(crate) fn list<T: Row>(self, rows: &[T]) -> Result<(), Failure> {
        put(&self.render_list(rows)?)
    }

    /// Prints one thing.
    pub(crate) fn detail<T: Detail>(self, thing: &T) -> Result<(), Failure> {
        put(&self.render_detail(thing)?)
    }

    /// Prints one of many that come one after the other: JSON is an object on a line, YAML a document.
    pub(crate) fn line<T: Serialize>(
        self,
        thing: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        put(&match self {
            Self::Table => text(thing) + "\n",
            Self::Json => serde_json::to_string(thing)
                .map(|text| text + "\n")
                .map_err(|e| Failure::broken(format!("cannot write the result as JSON: {e}")))?,
            Self::Yaml => format!("---\n{}", yaml(thing)?),
        })
    }

    /// Prints something whose text for people is its own.
    pub(crate) fn thing<T: Serialize>(
        self,
        thing: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        put(&match self {
            Self::Table => printable(&text()).into_owned(),
            Self::Json => json(thing)?,
            Self::Yaml => yaml(thing)?,
        })
    }

    /// Prints documents that can be applied again: also where people look at them, they are YAML, and JSON for who asks for it.
    pub(crate) fn documents<T: Serialize>(self, documents: &[T]) -> Result<(), Failure> {
        put(&match (self, documents) {
            (Self::Json, [one]) => json(one)?,
            (Self::Json, several) => json(&several)?,
            (Self::Table | Self::Yaml, several) => {
                let texts: Result<Vec<String>, Failure> = several.iter().map(yaml).collect();
                texts?.join("---\n")
            }
        })
    }

    fn render_list<T: Row>(self, rows: &[T]) -> Result<String, Failure> {
        match self {
            Self::Table => Ok(table(rows, screen())),
            Self::Json => json(&rows),
            Self::Yaml => yaml(&rows),
        }
    }

    fn render_detail<T: Detail>(self, thing: &T) -> Result<String, Failure> {
        match self {
            Self::Table => Ok(lines(&thing.lines())),
            Self::Json => json(thing),
            Self::Yaml => yaml(thing),
        }
    }
}

/// How many columns a line of the terminal has; `None` where there is none, as in a pipe: nothing is cut there.
pub(crate) fn screen() -> Option<usize> {
    Table::new().width().map(usize::from)
}

/// A row is one line of at most `width` columns: what is longer is whole in JSON, and in what shows one thing alone.
pub(crate) fn table<T: Row>(rows: &[T], width: Option<usize>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(T::HEADERS.iter().map(|header| header.to_uppercase()));
    for row in rows {
        let one_line = |cell: String| cell.lines().map(printable).collect::<Vec<_>>().join(" ");
        table.add_row(row.cells().into_iter().map(one_line));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text: Vec<String> = table.lines().map(|l| cut(l.trim_end(), width)).collect();
    text.join("\n") + "\n"
}

/// The beginning of a line, as far as it fits into so many columns.
pub(crate) fn shortened(line: &str, width: usize) -> String {
    cut(line, Some(width))
}

/// The beginning of a line that is longer than `width` columns, with a mark at its end.
fn cut(line: &str, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| columns(line) > *width) else {
        return line.to_owned();
    };
    let mut left = width.saturating_sub(1);
    let fits = |letter: &char| {
        let wide = columns_of(*letter);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    };
    let kept: String = line.chars().take_while(fits).collect();
    kept + "…"
}

fn columns(line: &str) -> usize {
    line.chars().map(columns_of).sum()
}

/// Letters of East Asian scripts and pictures are twice as wide as others.
fn columns_of(letter: char) -> usize {
    let wide = matches!(letter,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}');
    if wide { 2 } else { 1 }
}

fn lines(lines: &[(&'static str, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            let value = printable(value)
                .trim_end()
                .replace('\n', &format!("\n{:width$}  ", ""));
            format!("{name:width$}  {value}\n")
        })
        .collect()
}

fn json<T: Serialize>(thing: &T) -> Result<String, Failure> {
    serde_json::to_string_pretty(thing)
        .map(|text| text + "\n")
        .map_err(|e| Failure::broken(format!("cannot write the result as JSON: {e}")))
}

fn yaml<T: Serialize>(thing: &T) -> Result<String, Failure> {
    serde_saphyr::to_string(thing)
        .map_err(|e| Failure::broken(format!("cannot write the result as YAML: {e}")))
}

/// Says on standard error that a list is not whole. Programs that read standard output are not disturbed.
pub(crate) fn tell_unreadable(records: u64) {
    if records > 0 {
        let words = if records == 1 { "record" } else { "records" };
        drop(writeln!(
            std::io::stderr(),
            "{records} {words} could not be read: see `tickwheel store check`"
        ));
    }
}

/// Writes to standard output. A reader that has gone, as in `tickwheel job list | head -1`, is no failure.
pub(crate) fn put(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::broken(format!("cannot write the result: {e}")))
        }
        _ => Ok(()),
    }
}

/// Says on standard error what is valid and was perhaps not meant.
pub(crate) fn warn(text: &str) {
    // Nobody is left to tell when standard error is gone.
    drop(writeln!(std::io::stderr(), "warning: {text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing {
        name: &'static str,
        count: u64,
    }

    impl Row for Thing {
        const HEADERS: &'static [&'static str] = &["name", "count"];

        fn cells(&self) -> Vec<String> {
            vec![self.name.to_owned(), self.count.to_string()]
        }
    }

    impl Detail for Thing {
        fn lines(&self) -> Vec<(&'static str, String)> {
            vec![
                ("name", self.name.to_owned()),
                ("note", String::new()),
                ("count", self.count.to_string()),
            ]
        }
    }

    const THINGS: [Thing; 2] = [
        Thing {
            name: "a",
            count: 1,
        },
        Thing {
            name: "longer",
            count: 9_007_199_254_740_993,
        },
    ];

    #[test]
    fn a_list_is_a_table_a_json_array_or_a_yaml_list() {
        assert_eq!(
            Format::Table.render_list(&THINGS).unwrap(),
            "NAME    COUNT\na       1\nlonger  9007199254740993\n"
        );
        let json = Format::Json.render_list(&THINGS).unwrap();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value[1]["count"], 9_007_199_254_740_993_u64);
        assert_eq!(
            Format::Yaml.render_list(&THINGS).unwrap(),
            "- name: a\n  count: 1\n- name: longer\n  count: 9007199254740993\n"
        );
    }

    #[test]
    fn one_thing_is_lines_without_the_empty_ones() {
        assert_eq!(
            Format::Table.render_detail(&THINGS[0]).unwrap(),
            "name   a\ncount  1\n"
        );
        assert!(
            Format::Json
                .render_detail(&THINGS[0])
                .unwrap()
                .starts_with("{\n")
        );
    }

    #[test]
    fn a_row_is_one_line_no_wider_than_the_terminal() {
        let error = "broken ".repeat(150) + "\nsecond line";
        assert!(error.len() > 1_024);
        let things = [Thing {
            name: error.leak(),
            count: 1,
        }];
        let text = table(&things, Some(40));
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 2, "{text}");
        assert!(rows.iter().all(|row| columns(row) <= 40), "{text}");
        assert!(rows[1].starts_with("broken broken ") && rows[1].ends_with('…'));
        // Whole where no terminal is, and for programs.
        let whole = table(&things, None);
        assert!(whole.lines().count() == 2 && whole.contains("second line"));
        let json = Format::Json.render_list(&things).unwrap();
        assert!(json.contains("second line"));
        // A wide letter is not cut in half.
        assert_eq!(cut("一二三四", Some(4)), "一…");
        assert_eq!(cut("一二", Some(4)), "一二");
    }

    #[test]
    fn an_empty_list_is_a_header_or_an_empty_array() {
        let none: [Thing; 0] = [];
        assert_eq!(Format::Table.render_list(&none).unwrap(), "NAME  COUNT\n");
        assert_eq!(Format::Json.render_list(&none).unwrap(), "[]\n");
    }
}
