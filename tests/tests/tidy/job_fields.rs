//! The table of the fields of files is made of their published schema.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

const BEGIN: &str = "<!-- fields: made of docs/tickwheel.schema.json -->\n";

fn page() -> PathBuf {
    crate::root().join("docs/guides/fields.md")
}

fn schema() -> Result<Value> {
    let text = fs::read_to_string(crate::root().join("docs/tickwheel.schema.json"))?;
    Ok(serde_json::from_str(&text)?)
}

/// The form with the most to say of one that may be written in several.
fn forms(field: &Value) -> Vec<&Value> {
    field["anyOf"]
        .as_array()
        .map_or_else(|| vec![field], |forms| forms.iter().collect())
}

/// Each once.
fn words(values: &Value) -> String {
    let mut shown: Vec<String> = Vec::new();
    for value in values.as_array().into_iter().flatten() {
        let word = value.as_str().map_or(value.to_string(), ToOwned::to_owned);
        let word = format!("`{word}`");
        if !shown.contains(&word) {
            shown.push(word);
        }
    }
    shown.join(", ")
}

/// What may be written.
fn values(field: &Value) -> String {
    let mut all: Vec<String> = Vec::new();
    for form in forms(field) {
        let bound = |name: &str| form[name].as_u64();
        let range = match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) => format!(" {least} to {most}"),
            (Some(least), None) => format!(" from {least}"),
            (None, Some(most)) => format!(" up to {most}"),
            (None, None) => String::new(),
        };
        let written = if let Some(value) = form.get("const") {
            format!("`{}`", value.as_str().unwrap_or_default())
        } else if form.get("enum").is_some() {
            words(&form["enum"])
        } else if form.get("examples").is_some() {
            format!("like {}", words(&form["examples"]))
        } else {
            match form["type"].as_str() {
                Some("object") if form.get("properties").is_none() => {
                    "names with values".to_owned()
                }
                Some("object") => "fields below".to_owned(),
                Some("array") => "a list".to_owned(),
                Some("string") => bound("maxLength")
                    .map_or_else(|| "text".to_owned(), |most| format!("text up to {most}")),
                Some(kind) => format!("{kind}{range}"),
                None => "any JSON".to_owned(),
            }
        };
        if !all.contains(&written) {
            all.push(written);
        }
    }
    all.join("; ")
}

fn default(field: &Value) -> String {
    match field.get("default") {
        Some(Value::String(text)) => format!("`{text}`"),
        Some(Value::Object(_)) | None => String::new(),
        Some(other) => format!("`{other}`"),
    }
}

fn rows(into: &mut String, object: &Value, before: &str, required: &[&str]) -> Result<()> {
    let fields = object["properties"].as_object();
    for (name, field) in fields.into_iter().flatten() {
        let place = format!("{before}{name}");
        let meaning = forms(field)
            .into_iter()
            .find_map(|form| form["description"].as_str());
        let meaning = field["description"].as_str().or(meaning);
        let meaning = meaning.with_context(|| format!("`{place}` has no description"))?;
        let own = if required.contains(&name.as_str()) {
            "required".to_owned()
        } else {
            default(field)
        };
        writeln!(
            into,
            "| `{place}` | {} | {own} | {} |",
            values(field).replace('|', "\\|"),
            meaning.replace('|', "\\|")
        )?;
        for form in forms(field) {
            rows(into, form, &format!("{place}."), &[])?;
        }
    }
    Ok(())
}

fn table() -> Result<String> {
    let schema = schema()?;
    let mut text = String::new();
    for kind in ["Job", "Limits"] {
        let object = schema.pointer(&format!("/definitions/{kind}"));
        let object = object.context("the kind")?;
        let required: Vec<&str> = object["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        writeln!(
            text,
            "\n## {kind}\n\n{}\n",
            object["description"].as_str().context("what it is")?
        )?;
        writeln!(
            text,
            "| field | values | default | meaning |\n|---|---|---|---|"
        )?;
        rows(&mut text, object, "", &required)?;
    }
    Ok(text)
}

#[test]
fn the_table_of_fields_is_that_of_the_schema() -> Result<()> {
    let (page, table) = (page(), table()?);
    let text = fs::read_to_string(&page)?;
    let (head, written) = text.split_once(BEGIN).context("the mark of the table")?;
    if std::env::var_os("TICKWHEEL_BLESS").is_some() {
        fs::write(&page, format!("{head}{BEGIN}{table}"))?;
        return Ok(());
    }
    ensure!(table.lines().count() > 60, "{table}");
    ensure!(
        written == table,
        "docs/guides/fields.md is older than docs/tickwheel.schema.json: TICKWHEEL_BLESS=1 writes it anew"
    );
    Ok(())
}
