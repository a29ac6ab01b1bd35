//! Keys read from the layers, and what is wrong with them, with its source.

use figment::{Figment, Source};

use super::setting::Setting;

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) source: String,
}

/// One key from the layers, or its default.
pub(super) fn read_key<T: Setting>(
    layers: &Figment,
    key: &str,
    default: impl FnOnce() -> T,
    mistakes: &mut Vec<Mistake>,
) -> T {
    let Ok(value) = layers.find_value(key) else {
        return default();
    };
    T::read(&value).unwrap_or_else(|text| {
        mistakes.push(Mistake {
            key: key.to_owned(),
            text,
            source: source_of(layers, key),
        });
        default()
    })
}

pub(super) fn source_of(layers: &Figment, key: &str) -> String {
    let Some(metadata) = layers.find_metadata(key) else {
        return "configuration".to_owned();
    };
    match &metadata.source {
        Some(Source::File(path)) => path.display().to_string(),
        _ => metadata.name.to_string(),
    }
}
