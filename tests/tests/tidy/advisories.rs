//! No crate of Cargo.lock has a known advisory, by the table `scripts/advisories.tsv`: where the newest ones cannot be fetched, these are looked at.
//!
//! The table has what a checkout of <https://github.com/rustsec/advisory-db> says: `TICKWHEEL_ADVISORY_DB=<checkout> TICKWHEEL_BLESS=1 cargo nextest run
//! --workspace -E 'binary(tidy) & test(advisory)'` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use semver::{Version, VersionReq};
use toml::{Table, Value};

const TABLE: &str = "scripts/advisories.tsv";
const HEAD: &str = "# Advisories on crates of crates.io: crate, advisory, kind, versions in which it is mended, versions that never had it. Facts of the RustSec database.\n";

/// One advisory.
#[derive(Debug)]
struct Advisory {
    package: String,
    id: String,
    kind: String,
    fine: Vec<VersionReq>,
}

impl Advisory {
    fn parse(line: &str) -> Result<Self> {
        let words: Vec<&str> = line.split('\t').collect();
        let [package, id, kind, patched, unaffected] = words[..] else {
            anyhow::bail!("five columns are in a line: {line}");
        };
        let ranges = patched.split(';').chain(unaffected.split(';'));
        let fine = ranges
            .filter(|range| !range.is_empty())
            .map(|range| VersionReq::parse(range).with_context(|| format!("{id}: {range}")))
            .collect::<Result<_>>()?;
        Ok(Self {
            package: package.to_owned(),
            id: id.to_owned(),
            kind: kind.to_owned(),
            fine,
        })
    }

    fn is_about(&self, package: &str, version: &Version) -> bool {
        self.package == package && !self.fine.iter().any(|range| range.matches(version))
    }
}

/// The line of an advisory; `None` of one that was withdrawn.
fn line(text: &str) -> Result<Option<String>> {
    let head = text.strip_prefix("```toml\n").context("it begins so")?;
    let (head, _) = head.split_once("```").context("the head ends")?;
    let all: Table = head.parse()?;
    let advisory = all.get("advisory").and_then(Value::as_table);
    let advisory = advisory.context("it has a head")?;
    if advisory.contains_key("withdrawn") {
        return Ok(None);
    }
    let word = |key: &str| advisory.get(key).and_then(Value::as_str);
    let ranges = |key: &str| {
        let versions = all.get("versions").and_then(Value::as_table);
        let list = versions.and_then(|versions| versions.get(key)?.as_array());
        let ranges = list.into_iter().flatten().filter_map(Value::as_str);
        ranges.collect::<Vec<_>>().join(";")
    };
    Ok(Some(format!(
        "{}\t{}\t{}\t{}\t{}\n",
        word("package").context("a crate")?,
        word("id").context("a number")?,
        word("informational").unwrap_or("vulnerability"),
        ranges("patched"),
        ranges("unaffected"),
    )))
}

fn written_anew(database: &Path) -> Result<String> {
    let mut lines = Vec::new();
    for folder in std::fs::read_dir(database.join("crates"))? {
        for file in std::fs::read_dir(folder?.path())? {
            let path = file?.path();
            let text = std::fs::read_to_string(&path)?;
            lines.extend(line(&text).with_context(|| path.display().to_string())?);
        }
    }
    lines.sort();
    Ok(format!("{HEAD}{}", lines.concat()))
}

#[test]
fn no_crate_has_a_known_advisory() -> Result<()> {
    let path = super::root().join(TABLE);
    if let Some(database) = std::env::var_os("TICKWHEEL_ADVISORY_DB") {
        let table = written_anew(Path::new(&database))?;
        if std::env::var_os("TICKWHEEL_BLESS").is_some() {
            std::fs::write(&path, &table)?;
        }
        let is_new = std::fs::read_to_string(&path)? == table;
        ensure!(
            is_new,
            "{TABLE} is not what the database says: with TICKWHEEL_BLESS=1 it is written anew"
        );
    }
    let table = std::fs::read_to_string(&path)?;
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let advisories = rows.map(Advisory::parse).collect::<Result<Vec<_>>>()?;
    ensure!(advisories.len() > 1_000, "{} are known", advisories.len());

    let lock: Table = std::fs::read_to_string(super::root().join("Cargo.lock"))?.parse()?;
    let packages = lock.get("package").and_then(Value::as_array);
    let (mut found, mut looked) = (String::new(), 0);
    for package in packages.context("Cargo.lock has packages")? {
        let word = |key: &str| package.get(key).and_then(Value::as_str);
        let (Some(name), Some(version)) = (word("name"), word("version")) else {
            continue;
        };
        let version = Version::parse(version)?;
        looked += 1;
        for advisory in advisories.iter().filter(|one| one.is_about(name, &version)) {
            let Advisory { id, kind, .. } = advisory;
            writeln!(
                found,
                "{name} {version}: {kind}, https://rustsec.org/advisories/{id}"
            )?;
        }
    }
    ensure!(looked > 100, "{looked} packages are in Cargo.lock");
    ensure!(
        found.is_empty(),
        "take versions that are mended (`cargo update -p <crate>`), or other crates:\n{found}"
    );
    Ok(())
}

#[test]
fn an_advisory_is_about_the_versions_that_have_the_fault() {
    let row = "rustls\tRUSTSEC-2024-0399\tvulnerability\t>= 0.23.18\t>= 0.23, < 0.23.13;< 0.23";
    let advisory = Advisory::parse(row).unwrap();
    let is_about = |package: &str, version: &str| {
        advisory.is_about(package, &Version::parse(version).unwrap())
    };
    assert!(is_about("rustls", "0.23.13") && is_about("rustls", "0.23.17"));
    for fine in ["0.22.4", "0.23.12", "0.23.18", "0.24.0"] {
        assert!(!is_about("rustls", fine), "{fine}");
    }
    assert!(!is_about("rustls-webpki", "0.23.13"));
    let never_mended = Advisory::parse("backoff\tRUSTSEC-2025-0012\tunmaintained\t\t").unwrap();
    assert!(never_mended.is_about("backoff", &Version::new(9, 0, 0)));
}
