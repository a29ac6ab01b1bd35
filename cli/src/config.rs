//! Configuration of the long-running commands: TOML file < environment `TICKWHEEL_SECTION__KEY` < flags.
//!
//! Every key has one line in `config/sections.rs`: its type, its default and what it is for. Unknown keys are refused
//! with a suggestion, and all mistakes of all layers are reported together, before anything starts.

mod handlers;
mod layers;
mod mistake;
#[cfg(test)]
mod reference;
mod sections;
mod setting;

pub(crate) use layers::{ConfigArgs, Environment, Override, load, load_with_defaults};
use sections::KeyDoc;
pub(crate) use sections::{
    AccessSection, DurabilitySection, HistorySection, HttpHandlerSection, LogSection,
    QuotasSection, RatesSection, RedisSection, TlsSection, TrackerSection, WorkerSection,
    XcronSection,
};
pub(crate) use setting::{ClientAuth, Listen, LogFormat, Mode, Secret};

/// Everything the long-running commands can be told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Config {
    pub(crate) tracker: TrackerSection,
    pub(crate) worker: WorkerSection,
    pub(crate) http_handler: HttpHandlerSection,
    pub(crate) xcron: XcronSection,
    pub(crate) redis: RedisSection,
    pub(crate) access: AccessSection,
    pub(crate) rates: RatesSection,
    pub(crate) quotas: QuotasSection,
    pub(crate) tls: TlsSection,
    pub(crate) durability: DurabilitySection,
    pub(crate) history: HistorySection,
    pub(crate) log: LogSection,
}

impl Config {
    /// The effective configuration as a TOML file, with secrets masked and each key explained.
    pub(crate) fn to_toml(&self) -> String {
        let sections = [
            section(
                TrackerSection::TABLE,
                TrackerSection::ABOUT,
                self.tracker.shown(),
            ),
            section(
                WorkerSection::TABLE,
                WorkerSection::ABOUT,
                self.worker.shown(),
            ),
            section(
                HttpHandlerSection::TABLE,
                HttpHandlerSection::ABOUT,
                self.http_handler.shown(),
            ),
            section(XcronSection::TABLE, XcronSection::ABOUT, self.xcron.shown()),
            section(RedisSection::TABLE, RedisSection::ABOUT, self.redis.shown()),
            section(
                AccessSection::TABLE,
                AccessSection::ABOUT,
                self.access.shown(),
            ),
            section(RatesSection::TABLE, RatesSection::ABOUT, self.rates.shown()),
            section(
                QuotasSection::TABLE,
                QuotasSection::ABOUT,
                self.quotas.shown(),
            ),
            section(TlsSection::TABLE, TlsSection::ABOUT, self.tls.shown()),
            section(
                DurabilitySection::TABLE,
                DurabilitySection::ABOUT,
                self.durability.shown(),
            ),
            section(
                HistorySection::TABLE,
                HistorySection::ABOUT,
                self.history.shown(),
            ),
            section(LogSection::TABLE, LogSection::ABOUT, self.log.shown()),
        ];
        sections.join("\n")
    }
}

fn section(table: &str, about: &str, keys: Vec<(KeyDoc, String)>) -> String {
    let mut text = format!("#{}\n[{table}]\n", about.trim_end());
    for (doc, value) in keys {
        let KeyDoc {
            name,
            form,
            default,
            text: meaning,
        } = doc;
        text.push_str(&format!(
            "#{meaning} Form: {form}. Default: {default}\n{name} = {value}\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests;
