//! Which table of time zones this process uses: the embedded one, or that of the system.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use tickwheel_core::zone::{self, Edition, ZoneTable};

use crate::failure::Failure;
use crate::output::warn;

/// Where systems keep their table.
const FOLDERS: [&str; 4] = [
    "/usr/share/zoneinfo",
    "/usr/share/lib/zoneinfo",
    "/usr/lib/zoneinfo",
    "/etc/zoneinfo",
];
/// Folders with the same zones once more, by other rules.
const COPIES: [&str; 2] = ["posix", "right"];
/// How deep names are: America/Argentina/Buenos_Aires.
const DEPTH_MAX: usize = 3;

/// The environment variable that chooses the table.
pub(crate) const VARIABLE: &str = "TICKWHEEL_ZONE_TABLE";

/// Which table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Choice {
    /// The one of the later edition
    #[default]
    Newest,
    /// The one this program was built with
    Embedded,
    /// The one of the operating system, from TZDIR or /usr/share/zoneinfo
    System,
}

/// The table of the system: its edition, and where it is.
type Found = (Edition, PathBuf);

/// Puts the chosen table into use.
///
/// # Errors
/// When the system's table was asked for and cannot be read.
pub(crate) fn install(choice: Choice) -> Result<(), Failure> {
    let Some((edition, folder)) = chosen(choice, find())? else {
        return Ok(());
    };
    let source = folder.display().to_string();
    let table = read(&folder).and_then(|files| {
        ZoneTable::read(edition.clone(), source.clone(), files).map_err(|wrong| wrong.to_string())
    });
    match table {
        Ok(table) => zone::install(table).map_err(|wrong| Failure::broken(wrong.to_string())),
        Err(why) if choice == Choice::Newest => {
            warn(&format!(
                "the time zone table {edition} in {source} is not used: {why}"
            ));
            Ok(())
        }
        Err(why) => Err(Failure::usage(format!(
            "the time zone table in {source} cannot be used: {why}"
        ))),
    }
}

/// The version of this program and the table that [`install`] would use, as `tickwheel --version` shows them: flags are not read there, the environment
/// is.
pub(crate) fn version() -> String {
    let choice = std::env::var(VARIABLE).ok();
    let choice = choice.and_then(|word| Choice::from_str(&word, true).ok());
    let table = shown(choice.unwrap_or_default());
    format!("{}\ntime zone table {table}", env!("CARGO_PKG_VERSION"))
}

fn shown(choice: Choice) -> String {
    match chosen(choice, find()) {
        Ok(Some((edition, folder))) => format!("{edition} ({})", folder.display()),
        Ok(None) => ZoneTable::embedded().to_string(),
        Err(failure) => failure.to_string(),
    }
}

/// The system's table if it is to be used, `None`: the embedded one.
fn chosen(choice: Choice, found: Option<Found>) -> Result<Option<Found>, Failure> {
    match choice {
        Choice::Embedded => Ok(None),
        Choice::Newest => {
            Ok(found.filter(|(edition, _)| edition > ZoneTable::embedded().edition()))
        }
        Choice::System => match found {
            Some(found) => Ok(Some(found)),
            None => Err(Failure::usage(
                "this system has no time zone table whose edition is known: a folder with tzdata.zi or +VERSION, named by TZDIR or in \
                 /usr/share/zoneinfo; --zone-table embedded uses the one of this program",
            )),
        },
    }
}

fn find() -> Option<Found> {
    let folders = match std::env::var_os("TZDIR") {
        Some(folder) if !folder.is_empty() => vec![PathBuf::from(folder)],
        Some(_) | None => FOLDERS.iter().map(PathBuf::from).collect(),
    };
    folders
        .into_iter()
        .find_map(|folder| Some((edition_of(&folder)?, folder)))
}

/// The edition that a table says it is: in the first line of `tzdata.zi`, `# version 2026f`, or in `+VERSION`.
fn edition_of(folder: &Path) -> Option<Edition> {
    let first_line = |name: &str| {
        let mut line = String::new();
        let file = File::open(folder.join(name)).ok()?;
        BufReader::new(file).read_line(&mut line).ok()?;
        Some(line)
    };
    let by_source =
        first_line("tzdata.zi").and_then(|line| line.strip_prefix("# version ").map(str::to_owned));
    let edition = by_source.or_else(|| first_line("+VERSION"))?;
    edition.trim().parse().ok()
}

/// Every TZif file of a table, by the name of its zone.
fn read(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![(folder.to_path_buf(), String::new(), 1)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            let name = format!("{prefix}{name}");
            if path.is_dir() {
                if depth < DEPTH_MAX && !COPIES.contains(&name.as_str()) {
                    folders.push((path, format!("{name}/"), depth + 1));
                }
                continue;
            }
            let data = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            if data.starts_with(b"TZif") {
                files.insert(name, data);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(edition: &str) -> Option<Found> {
        Some((edition.parse().unwrap(), PathBuf::from("/zones")))
    }

    #[test]
    fn the_table_of_the_later_edition_is_used_unless_one_is_asked_for() {
        let used = |choice, system| {
            chosen(choice, system).map(|used| used.map(|(edition, _)| edition.to_string()))
        };
        let (old, new) = ("2025b", "2999z");
        assert_eq!(used(Choice::Newest, found(old)), Ok(None));
        assert_eq!(used(Choice::Newest, found(new)), Ok(Some(new.to_owned())));
        assert_eq!(used(Choice::Newest, None), Ok(None));
        assert_eq!(used(Choice::Embedded, found(new)), Ok(None));
        assert_eq!(used(Choice::System, found(old)), Ok(Some(old.to_owned())));
        let failure = used(Choice::System, None).unwrap_err().to_string();
        assert!(failure.contains("--zone-table embedded"), "{failure}");
    }

    #[test]
    fn a_table_says_its_edition_in_either_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(edition_of(folder.path()), None);
        fs::write(folder.path().join("+VERSION"), "2026c\n").unwrap();
        assert_eq!(edition_of(folder.path()).unwrap().as_str(), "2026c");
        fs::write(
            folder.path().join("tzdata.zi"),
            "# version 2026d\nR d 1916 o\n",
        )
        .unwrap();
        assert_eq!(edition_of(folder.path()).unwrap().as_str(), "2026d");
        fs::write(folder.path().join("tzdata.zi"), "# version unknown\n").unwrap();
        assert_eq!(edition_of(folder.path()), None);
    }

    #[test]
    fn zones_are_read_with_the_folders_in_their_names_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, data: &[u8]| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, data).unwrap();
        };
        put("UTC", b"TZif2");
        put("America/Argentina/Salta", b"TZif2");
        put("right/UTC", b"TZif2");
        put("zone.tab", b"# no zone");
        let names: Vec<String> = read(folder.path()).unwrap().into_keys().collect();
        assert_eq!(names, ["America/Argentina/Salta", "UTC"]);
    }
}
