//! The types a key can have: how each is read from a layer, what it says when it cannot, and how it is shown.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use figment::value::{Num, Value};
use tickwheel_core::bounds::{ATTEMPTS_MAX, PARTITIONS_MAX, RATE_MAX};
use tickwheel_core::time::parse_duration;
use tickwheel_core::{Durability, JobName};

/// A value of the configuration.
pub(crate) trait Setting: Sized {
    /// What a right value looks like, for messages and the reference: "must be …".
    const FORM: &'static str;

    /// Reads from text, which is all that the environment and flags have.
    fn from_text(text: &str) -> Option<Self>;

    /// As it is written in a TOML file; secrets are masked.
    fn shown(&self) -> String;

    /// Reads a value of any layer.
    fn read(value: &Value) -> Result<Self, String> {
        let text = text_of(value);
        text.as_deref()
            .and_then(Self::from_text)
            .ok_or_else(|| format!("must be {}, not {}", Self::FORM, given(value)))
    }
}

/// Numbers and truth values may be written with or without quotes.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Num(_, num) => Some(num_text(*num)),
        Value::Bool(_, truth) => Some(truth.to_string()),
        Value::Char(_, c) => Some(c.to_string()),
        Value::Empty(..) | Value::Dict(..) | Value::Array(..) => None,
    }
}

fn num_text(num: Num) -> String {
    match (num.to_u128(), num.to_i128(), num.to_f64()) {
        (Some(n), _, _) => n.to_string(),
        (None, Some(n), _) => n.to_string(),
        (None, None, Some(n)) => n.to_string(),
        (None, None, None) => String::new(),
    }
}

fn given(value: &Value) -> String {
    match value {
        Value::Dict(..) => "a table".to_owned(),
        Value::Array(..) => "a list".to_owned(),
        Value::Empty(..) => "nothing".to_owned(),
        Value::String(..) | Value::Num(..) | Value::Bool(..) | Value::Char(..) => {
            format!("{:?}", text_of(value).unwrap_or_default())
        }
    }
}

impl Setting for String {
    const FORM: &'static str = "text";

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn shown(&self) -> String {
        quoted(self)
    }
}

/// The only small number is that of partitions.
impl Setting for u16 {
    const FORM: &'static str = "a whole number from 1 to 1024";

    fn from_text(text: &str) -> Option<Self> {
        text.parse()
            .ok()
            .filter(|n| (1..=PARTITIONS_MAX).contains(n))
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    const FORM: &'static str = "a whole number from 1 to 65536";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().filter(|n| (1..=65_536).contains(n))
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

/// How often something is tried in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attempts(pub(crate) u32);

impl Attempts {
    pub(crate) const ONE: Self = Self(1);
}

impl Setting for Attempts {
    const FORM: &'static str = "a whole number from 1 to 1000";

    fn from_text(text: &str) -> Option<Self> {
        let number = text.parse().ok();
        number.filter(|n| (1..=ATTEMPTS_MAX).contains(n)).map(Self)
    }

    fn shown(&self) -> String {
        self.0.to_string()
    }
}

/// So many in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PerSecond(pub(crate) u32);

impl Setting for PerSecond {
    const FORM: &'static str = "a whole number up to 1000000000; 0: no limit";

    fn from_text(text: &str) -> Option<Self> {
        let number = text.parse().ok();
        number.filter(|n| *n <= RATE_MAX).map(Self)
    }

    fn shown(&self) -> String {
        self.0.to_string()
    }
}

impl Setting for SocketAddr {
    const FORM: &'static str = "an address with a port, such as 127.0.0.1:7400";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn shown(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for bool {
    const FORM: &'static str = "true or false";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Setting for Durability {
    const FORM: &'static str = "async, replicated(N) or fsynced";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn shown(&self) -> String {
        quoted(&self.to_string())
    }
}

/// Something by namespace, as text: `pay=…, audit=…`.
fn by_namespace<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<BTreeMap<String, T>> {
    let entries = text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    let mut found = BTreeMap::new();
    for entry in entries {
        let (namespace, value) = entry.split_once('=')?;
        let namespace = namespace.trim();
        // A namespace is what stands before the first slash of a job's name.
        let name = JobName::new(format!("{namespace}/any")).ok()?;
        let value = read(value.trim())?;
        let before = found.insert(namespace.to_owned(), value);
        if name.namespace() != namespace || before.is_some() {
            return None;
        }
    }
    Some(found)
}

fn shown_by_namespace<T: fmt::Display>(all: &BTreeMap<String, T>) -> String {
    let entries: Vec<String> = all
        .iter()
        .map(|(namespace, value)| format!("{namespace}={value}"))
        .collect();
    quoted(&entries.join(", "))
}

/// Modes by namespace: `pay=replicated(1), audit=fsynced`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Namespaces(pub(crate) BTreeMap<String, Durability>);

impl Setting for Namespaces {
    const FORM: &'static str = "text such as \"pay=replicated(1), audit=fsynced\"";

    fn from_text(text: &str) -> Option<Self> {
        by_namespace(text, |mode| mode.parse().ok()).map(Self)
    }

    fn shown(&self) -> String {
        shown_by_namespace(&self.0)
    }
}

/// Numbers by namespace: `pay=500, free=0`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Amounts(pub(crate) BTreeMap<String, u32>);

impl Setting for Amounts {
    const FORM: &'static str = "text such as \"pay=500, free=0\"";

    fn from_text(text: &str) -> Option<Self> {
        let amount = |text: &str| PerSecond::from_text(text).map(|amount| amount.0);
        by_namespace(text, amount).map(Self)
    }

    fn shown(&self) -> String {
        shown_by_namespace(&self.0)
    }
}

/// An address to listen on, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listen {
    Off,
    At(SocketAddr),
}

impl Setting for Listen {
    const FORM: &'static str = "an address with a port, such as 127.0.0.1:7480, or \"off\"";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "off" => Some(Self::Off),
            address => address.parse().ok().map(Self::At),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Off => quoted("off"),
            Self::At(address) => quoted(&address.to_string()),
        }
    }
}

/// A duration as people write it: `250ms`, `10s`, `2m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl Span {
    pub(crate) const fn from_ms(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }
}

impl Setting for Span {
    const FORM: &'static str = "a duration longer than zero, such as 250ms, 10s or 2m";

    fn from_text(text: &str) -> Option<Self> {
        parse_duration(text).ok().filter(|d| !d.is_zero()).map(Self)
    }

    fn shown(&self) -> String {
        quoted(&self.to_string())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        if ms.is_multiple_of(1_000) {
            write!(f, "{}s", ms / 1_000)
        } else {
            write!(f, "{ms}ms")
        }
    }
}

/// A URL that may carry a password: shown and logged without it.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Secret(pub(crate) String);

impl Secret {
    /// The URL with everything between `:` and `@` of its authority replaced.
    pub(crate) fn masked(&self) -> String {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let authority = match authority.rsplit_once('@') {
            None => authority.to_owned(),
            Some((credentials, host)) => match credentials.split_once(':') {
                Some((user, _)) => format!("{user}:***@{host}"),
                None => format!("***@{host}"),
            },
        };
        let tail = tail.split('?').next().unwrap_or_default();
        if scheme.is_empty() {
            format!("{authority}{tail}")
        } else {
            format!("{scheme}://{authority}{tail}")
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.masked())
    }
}

impl Setting for Secret {
    const FORM: &'static str = "a URL";

    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }

    fn shown(&self) -> String {
        quoted(&self.masked())
    }
}

/// Whether whoever calls a tracker is asked who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Tokens,
    Open,
}

impl Setting for Mode {
    const FORM: &'static str = "\"tokens\" or \"open\"";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "tokens" => Some(Self::Tokens),
            "open" => Some(Self::Open),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        quoted(match self {
            Self::Tokens => "tokens",
            Self::Open => "open",
        })
    }
}

/// Whether whoever connects has to show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// Nothing is said: required, where there are authorities to ask for certificates.
    Unsaid,
    Required,
    Optional,
}

impl Setting for ClientAuth {
    const FORM: &'static str = "\"required\" or \"optional\", or empty";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::Unsaid),
            "required" => Some(Self::Required),
            "optional" => Some(Self::Optional),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        quoted(match self {
            Self::Unsaid => "",
            Self::Required => "required",
            Self::Optional => "optional",
        })
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Setting for LogFormat {
    const FORM: &'static str = "\"text\" or \"json\"";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn shown(&self) -> String {
        quoted(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
