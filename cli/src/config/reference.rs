//! The reference page `docs/config.md`, made from the sections; a test holds the file equal to it.

use super::sections::KeyDoc;
use super::{
    AccessSection, DurabilitySection, HistorySection, HttpHandlerSection, LogSection,
    QuotasSection, RatesSection, RedisSection, TlsSection, TrackerSection, WorkerSection,
    XcronSection,
};

const INTRO: &str = "# Configuration

`tickwheel tracker`, `tickwheel worker` and `tickwheel dev` read, each layer over the one before:

1. the defaults below,
2. a TOML file: `--config FILE`, or `./tickwheel.toml` if there is one,
3. environment variables `TICKWHEEL_SECTION__KEY` (two underscores), say `TICKWHEEL_TRACKER__GRPC_LISTEN`,
4. flags; any key can be set by `--set section.key=value`.

An unknown key or a value of the wrong form stops the start; all mistakes are listed together, each with the layer it
came from. `--print-config` prints the effective configuration as TOML, with secrets masked.

This page is made from the sections in `cli/src/config/sections.rs`: `TICKWHEEL_BLESS=1 cargo test -p tickwheel-cli reference`.
";

/// Each section with its name, what it is about and its keys.
macro_rules! sections {
    ($($section:ident)+) => {
        [$(($section::TABLE, $section::ABOUT, $section::default().shown()),)+]
    };
}

/// The whole page.
pub(crate) fn page() -> String {
    let mut page = INTRO.to_owned();
    for (table, about, keys) in sections![
        TrackerSection WorkerSection HttpHandlerSection XcronSection RedisSection AccessSection
        RatesSection QuotasSection TlsSection DurabilitySection HistorySection LogSection
    ] {
        page.push_str(&format!(
            "\n## [{table}]\n\n{}\n\n| key | default | meaning | form |\n|---|---|---|---|\n",
            about.trim()
        ));
        keys.iter().for_each(|(key, _)| page.push_str(&row(key)));
    }
    page
}

fn row(key: &KeyDoc) -> String {
    format!(
        "| `{}` | `{}` | {} | {} |\n",
        key.name,
        key.default,
        key.text.trim(),
        key.form
    )
}
