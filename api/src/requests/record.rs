//! Reads a record out of a request: every mistake at once, unknown names with what may have been meant.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::shape::{Reader, Record, Visitor, check_fields, read_fields};

use super::tree;

/// Names behind the `?` of a path.
const PARAMETERS_MAX: usize = 100;

/// The record that a map has, and everything that is wrong with it.
pub(crate) fn of_map<R: Record>(
    map: &Map<String, Value>,
    mut found: Violations,
) -> Result<R, Violations> {
    let mut record = R::blank();
    let mut reader = Reader::new(map, &mut found);
    read_fields(&mut reader, &mut record);
    reader.finish();
    found.merge(check_fields(&record));
    found.merge(record.check());
    found.into_result().map(|()| record)
}

/// The record of a request's JSON; of no JSON at all, when everything in it may be missing.
pub(crate) fn of_json<R: Record>(body: &[u8]) -> Result<R, Violations> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return of_map(&Map::new(), Violations::new());
    }
    of_text(tree::checked(body)?)
}

/// The record of an object whose text is known to be JSON.
pub(crate) fn of_text<R: Record>(text: &str) -> Result<R, Violations> {
    let mut found = Violations::new();
    match tree::object(text, &mut found) {
        Some(map) => of_map(&map, found),
        None => Err(found),
    }
}

/// The record of what stands behind the `?`; those of `repeated` may be given more than once.
pub(crate) fn of_query<R: Record>(query: &str, repeated: &[&str]) -> Result<R, Violations> {
    let mut found = Violations::new();
    let mut map = Map::new();
    each_pair(query, &mut found, |name, value, found| {
        if repeated.contains(&name.as_str()) {
            let list = map.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            if let Some(list) = list.as_array_mut() {
                list.push(Value::from(value));
            }
        } else if map.contains_key(&name) {
            found.add(name, "is given once", "");
        } else {
            map.insert(name, Value::from(value));
        }
    });
    of_map(&map, found).map_err(|wrong| {
        let in_words = |one: Violation| match one.field.split_once('[') {
            // It stands there as often as it was given: its place in a list is nothing that its caller wrote.
            Some((name, _)) if repeated.contains(&name) => {
                let name = name.to_owned();
                one.at(name)
            }
            Some(_) | None => one,
        };
        wrong.into_iter().map(in_words).collect()
    })
}

/// What stands behind the `?`, each parameter once.
///
/// # Errors
/// One that is given twice, or is no UTF-8, and more than 100.
pub fn parameters(query: &str) -> Result<BTreeMap<String, String>, Violations> {
    let mut found = Violations::new();
    let mut map = BTreeMap::new();
    each_pair(query, &mut found, |name, value, found| {
        if map.insert(name.clone(), value).is_some() {
            found.add(name, "is given once", "");
        }
    });
    found.into_result().map(|()| map)
}

/// Names and values of a query, as far as they can be read.
fn each_pair(
    query: &str,
    found: &mut Violations,
    mut take: impl FnMut(String, String, &mut Violations),
) {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    for (at, pair) in pairs.enumerate() {
        if at == PARAMETERS_MAX {
            let rule = format!("has at most {PARAMETERS_MAX} parameters");
            found.add("", rule, "more");
            break;
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let (Some(name), Some(value)) = (
            found.keep(decoded(name, name)),
            found.keep(decoded(name, value)),
        ) {
            take(name, value, found);
        }
    }
}

/// The text behind percent signs.
fn decoded(name: &str, given: &str) -> Result<String, Violation> {
    let spaced = given.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    let wrong = |_| Violation::new(name, "is UTF-8 behind its percent signs", given);
    decoded.map(std::borrow::Cow::into_owned).map_err(wrong)
}

/// Nothing is asked for beside the path.
pub(crate) struct Nothing;

impl Record for Nothing {
    fn blank() -> Self {
        Self
    }

    fn fields(_visit: &mut impl Visitor<Self>) {}
}

#[cfg(test)]
mod tests {
    use tickwheel_core::shape::{List, TEXT, optional, place};

    use super::*;
    use crate::requests::forms::Number;

    struct Page {
        size: u32,
        label: Vec<String>,
    }

    impl Record for Page {
        fn blank() -> Self {
            Self {
                size: 5,
                label: Vec::new(),
            }
        }

        fn fields(visit: &mut impl Visitor<Self>) {
            let size = Number { least: 1, most: 9 };
            visit.field(optional("size", "How many."), size, place!(Self: size));
            let labels = List {
                form: TEXT,
                rule: "is a list",
                least: 0,
                most: 2,
            };
            visit.field(optional("label", "Which."), labels, place!(Self: label));
        }
    }

    fn read(query: &str) -> Result<(u32, Vec<String>), String> {
        let page = of_query::<Page>(query, &["label"]);
        let page = page.map_err(|wrong| wrong.to_string())?;
        Ok((page.size, page.label))
    }

    #[test]
    fn parameters_are_read_and_all_mistakes_told() {
        assert_eq!(read(""), Ok((5, vec![])));
        let labels = vec!["a=b c".to_owned(), "ä".to_owned()];
        assert_eq!(read("size=9&label=a%3Db+c&label=%C3%A4"), Ok((9, labels)));
        let wrong = read("sise=1&size=10&size=2&label=%FF").unwrap_err();
        let lines: Vec<&str> = wrong.lines().collect();
        assert_eq!(
            lines,
            [
                "size: is given once",
                "label: is UTF-8 behind its percent signs (given: %FF)",
                "size: is a whole number, 1..=9 (given: 10)",
                "sise: is not a known key; did you mean `size`?",
            ]
        );
        assert!(read("label=1&label=2&label=3").is_err());
        assert!(read("size=%2B1").is_err() && read("size=").is_err());
    }

    #[test]
    fn parameters_alone_are_read_once_each() {
        let read = parameters("a=1%2B&b=&c").unwrap();
        let pairs: Vec<_> = read
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(pairs, [("a", "1+"), ("b", ""), ("c", "")]);
        assert_eq!(
            parameters("a=1&a=2&b=%FF").unwrap_err().to_string(),
            "a: is given once\nb: is UTF-8 behind its percent signs (given: %FF)"
        );
        assert!(parameters(&"a&".repeat(101)).is_err());
    }
}
