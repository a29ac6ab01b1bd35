//! Puts the layers on top of each other, finds keys nobody knows, and gathers every mistake with its source.

use std::path::{Path, PathBuf};

use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::mistake::{Mistake, source_of};
use super::setting::Secret;
use super::{
    AccessSection, Config, DurabilitySection, HistorySection, HttpHandlerSection, LogSection,
    QuotasSection, RatesSection, RedisSection, TlsSection, TrackerSection, WorkerSection,
    XcronSection,
};
use crate::failure::Failure;

const DEFAULT_FILE: &str = "tickwheel.toml";
const PREFIX: &str = "TICKWHEEL_";

/// The sections and their keys.
const TABLES: [(&str, &[&str]); 12] = [
    (TrackerSection::TABLE, TrackerSection::KEYS),
    (WorkerSection::TABLE, WorkerSection::KEYS),
    (HttpHandlerSection::TABLE, HttpHandlerSection::KEYS),
    (XcronSection::TABLE, XcronSection::KEYS),
    (RedisSection::TABLE, RedisSection::KEYS),
    (AccessSection::TABLE, AccessSection::KEYS),
    (RatesSection::TABLE, RatesSection::KEYS),
    (QuotasSection::TABLE, QuotasSection::KEYS),
    (TlsSection::TABLE, TlsSection::KEYS),
    (DurabilitySection::TABLE, DurabilitySection::KEYS),
    (HistorySection::TABLE, HistorySection::KEYS),
    (LogSection::TABLE, LogSection::KEYS),
];

/// What every long-running command takes for its configuration.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ConfigArgs {
    /// Configuration file [default: ./tickwheel.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Set any key, say --set tracker.turn_limit=100 (repeatable)
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Print the effective configuration and end
    #[arg(long)]
    pub(crate) print_config: bool,
    /// How log lines are written: text or json
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// What is logged, say debug or info,tickwheel_tracker=debug
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
}

impl ConfigArgs {
    /// The flags of this group as the topmost layer.
    fn overrides(&self) -> Result<Vec<Override>, Failure> {
        let mut all = vec![
            Override::flag("--log-format", "log.format", self.log_format.as_ref()),
            Override::flag("--log-level", "log.level", self.log_level.as_ref()),
        ];
        for text in &self.set {
            let (key, value) = text
                .split_once('=')
                .filter(|(key, _)| key.contains('.'))
                .ok_or_else(|| {
                    Failure::usage(format!("--set {text}: must be SECTION.KEY=VALUE"))
                })?;
            all.push(Some(Override {
                source: format!("flag --set {key}"),
                key: key.to_owned(),
                value: value.to_owned(),
            }));
        }
        Ok(all.into_iter().flatten().collect())
    }
}

/// One key set by an environment variable or a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Override {
    pub(crate) source: String,
    pub(crate) key: String,
    pub(crate) value: String,
}

impl Override {
    /// A flag, when it was given.
    pub(crate) fn flag(flag: &str, key: &str, value: Option<&impl ToString>) -> Option<Self> {
        value.map(|value| Self {
            source: format!("flag {flag}"),
            key: key.to_owned(),
            value: value.to_string(),
        })
    }
}

impl Provider for Override {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = figment::util::nest(&self.key, Value::from(self.value.as_str()));
        let dict = nested.into_dict().unwrap_or_default();
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

/// The environment variables that matter, taken as a value so that tests need no process environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment(Vec<(String, String)>);

impl Environment {
    /// Of this process.
    pub(crate) fn of_process() -> Self {
        Self::from_vars(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    pub(crate) fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut vars: Vec<_> = vars
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        vars.sort();
        Self(vars)
    }

    /// `TICKWHEEL_TRACKER__GRPC_LISTEN` sets `tracker.grpc_listen`. A single underscore after a section is a slip, and
    /// would otherwise be ignored in silence; other names, such as `TICKWHEEL_SERVER`, belong to other commands.
    fn overrides(&self, mistakes: &mut Vec<Mistake>) -> Vec<Override> {
        let mut all = Vec::new();
        for (name, value) in &self.0 {
            let rest = name.trim_start_matches(PREFIX).to_lowercase();
            if let Some((table, key)) = rest.split_once("__") {
                all.push(Override {
                    source: format!("environment variable {name}"),
                    key: format!("{table}.{key}"),
                    value: value.clone(),
                });
            } else if let Some((table, key)) = TABLES.iter().find_map(|(table, _)| {
                let key = rest.strip_prefix(table)?.strip_prefix('_')?;
                Some((*table, key))
            }) {
                mistakes.push(Mistake {
                    key: name.clone(),
                    text: format!(
                        "a section and its key are joined by two underscores: {PREFIX}{}__{}",
                        table.to_uppercase(),
                        key.to_uppercase()
                    ),
                    source: "environment".to_owned(),
                });
            }
        }
        all
    }
}

/// Reads all layers; `flags` are those of the command, on top of everything.
///
/// # Errors
/// A usage failure that lists every mistake of every layer.
pub(crate) fn load(
    args: &ConfigArgs,
    environment: &Environment,
    flags: Vec<Override>,
) -> Result<Config, Failure> {
    load_over(Figment::new(), args, environment, flags)
}

/// As [`load`], for a command whose defaults differ from the documented ones: they lie beneath the file.
pub(crate) fn load_with_defaults(
    defaults: impl IntoIterator<Item = Override>,
    args: &ConfigArgs,
    environment: &Environment,
    flags: Vec<Override>,
) -> Result<Config, Failure> {
    let beneath = defaults.into_iter().fold(Figment::new(), Figment::merge);
    load_over(beneath, args, environment, flags)
}

fn load_over(
    beneath: Figment,
    args: &ConfigArgs,
    environment: &Environment,
    flags: Vec<Override>,
) -> Result<Config, Failure> {
    let mut mistakes = Vec::new();
    let mut layers = match config_file(args.config.as_deref())? {
        Some(path) => beneath.merge(Toml::file_exact(path)),
        None => beneath,
    };
    for layer in environment
        .overrides(&mut mistakes)
        .into_iter()
        .chain(flags)
        .chain(args.overrides()?)
    {
        layers = layers.merge(layer);
    }
    unknown_keys(&layers, &mut mistakes);
    let mut config = Config {
        tracker: TrackerSection::read(&layers, &mut mistakes),
        worker: WorkerSection::read(&layers, &mut mistakes),
        http_handler: HttpHandlerSection::read(&layers, &mut mistakes),
        xcron: XcronSection::read(&layers, &mut mistakes),
        redis: RedisSection::read(&layers, &mut mistakes),
        access: AccessSection::read(&layers, &mut mistakes),
        rates: RatesSection::read(&layers, &mut mistakes),
        quotas: QuotasSection::read(&layers, &mut mistakes),
        tls: TlsSection::read(&layers, &mut mistakes),
        durability: DurabilitySection::read(&layers, &mut mistakes),
        history: HistorySection::read(&layers, &mut mistakes),
        log: LogSection::read(&layers, &mut mistakes),
    };
    read_url_file(&mut config.redis, &mut mistakes);
    if mistakes.is_empty() {
        Ok(config)
    } else {
        Err(Failure::usage(report(&mistakes)))
    }
}

/// The file to read, checked to be readable TOML, so that a slip in its syntax is reported once and with its place.
fn config_file(given: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    let path = match given {
        Some(path) => path.to_owned(),
        None if Path::new(DEFAULT_FILE).exists() => PathBuf::from(DEFAULT_FILE),
        None => return Ok(None),
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|e| Failure::usage(format!("cannot read {}: {e}", path.display())))?;
    toml::from_str::<toml::Table>(&text)
        .map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
    Ok(Some(path))
}

fn unknown_keys(layers: &Figment, mistakes: &mut Vec<Mistake>) {
    let all = layers.extract::<Dict>().unwrap_or_default();
    for (table, value) in &all {
        let Some((_, keys)) = TABLES.iter().find(|(known, _)| known == table) else {
            let tables = TABLES.iter().map(|(known, _)| *known);
            mistakes.push(unknown(layers, table, table, tables, "section"));
            continue;
        };
        let Value::Dict(_, dict) = value else {
            mistakes.push(Mistake {
                key: table.clone(),
                text: format!("is a section: write [{table}]"),
                source: source_of(layers, table),
            });
            continue;
        };
        for key in dict.keys().filter(|key| !keys.contains(&key.as_str())) {
            let path = format!("{table}.{key}");
            mistakes.push(unknown(layers, &path, key, keys.iter().copied(), "key"));
        }
    }
}

fn unknown<'a>(
    layers: &Figment,
    path: &str,
    given: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    what: &str,
) -> Mistake {
    let hint = match nearest(given, known.clone()) {
        Some(best) => format!("did you mean \"{best}\"?"),
        None => format!("known: {}", known.collect::<Vec<_>>().join(", ")),
    };
    Mistake {
        key: path.to_owned(),
        text: format!("unknown {what}; {hint}"),
        source: source_of(layers, path),
    }
}

/// The known word that `given` most likely meant.
fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| (strsim::jaro_winkler(given, word), word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

fn read_url_file(redis: &mut RedisSection, mistakes: &mut Vec<Mistake>) {
    if redis.url_file.is_empty() {
        return;
    }
    match std::fs::read_to_string(&redis.url_file) {
        Ok(text) => redis.url = Secret(text.trim().to_owned()),
        Err(e) => mistakes.push(Mistake {
            key: "redis.url_file".to_owned(),
            text: format!("cannot read {:?}: {e}", redis.url_file),
            source: "configuration".to_owned(),
        }),
    }
}

fn report(mistakes: &[Mistake]) -> String {
    let lines: Vec<_> = mistakes
        .iter()
        .map(|m| format!("  {}: {} (from {})", m.key, m.text, m.source))
        .collect();
    format!("the configuration is wrong:\n{}", lines.join("\n"))
}
