//! The table as CSV: a line with the names of its columns, and a row each.

use super::row::{Row, Rows};

/// Whether a text is CSV with the columns of the table, and no SQL.
pub(super) fn is_csv(text: &str) -> bool {
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let names: Vec<String> = first.split(',').map(column).collect();
    // The list of an INSERT has the same names, and more around them.
    let is_plain = |name: &String| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    names.iter().all(is_plain)
        && ["id", "executor_handler"]
            .iter()
            .all(|wanted| names.iter().any(|name| name == wanted))
}

fn column(text: &str) -> String {
    let plain = text.trim().trim_matches(['"', '\'', '`']);
    plain.to_ascii_lowercase()
}

/// Reads at most `most` rows.
pub(super) fn rows(text: &str, most: usize) -> Rows {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let (mut rows, mut columns) = (Rows::default(), Vec::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                rows.found
                    .push(Row::broken(line, format!("is not CSV: {error}")));
                continue;
            }
        };
        if columns.is_empty() {
            columns = record.iter().map(column).collect();
            continue;
        }
        // What MySQL, and what those who look at tables, write for NULL.
        let value = |text: &str| (!matches!(text, "\\N" | "NULL")).then(|| text.to_owned());
        let line = record.position().map_or(0, csv::Position::line);
        rows.found
            .push(Row::of(line, &columns, record.iter().map(value).collect()));
        if rows.found.len() == most {
            break;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_the_columns_in_its_first_line_is_csv() {
        assert!(is_csv("\n\"id\",\"job_group\",\"executor_handler\"\n"));
        assert!(is_csv("ID,EXECUTOR_HANDLER"));
        assert!(!is_csv(
            "INSERT INTO xxl_job_info (job_group, id, executor_handler, x) VALUES (1, 2);"
        ));
        assert!(!is_csv(""));
    }

    #[test]
    fn quotes_may_hold_commas_and_line_breaks() {
        let rows = rows(
            "id,executor_handler,job_desc\n1,\"a\",\"say \"\"x\"\",\nthen\"\n2,b,NULL\n3\n",
            9,
        );
        let cells = rows.found[0].read.as_ref().unwrap();
        assert_eq!(cells["job_desc"], "say \"x\",\nthen");
        assert_eq!(rows.found[1].read.as_ref().unwrap().get("job_desc"), None);
        assert_eq!(rows.found[1].line, 4);
        assert_eq!(
            rows.found[2].read,
            Err("has 1 values for 3 columns".to_owned())
        );
    }
}
