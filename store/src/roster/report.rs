//! A worker's report: the fields of its hash, written and read here and nowhere else.

use std::collections::HashMap;
use std::sync::Arc;

/// What a worker said of itself, as its tracker believed it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkerReport {
    /// The handlers it offers.
    pub handlers: Arc<[String]>,
    /// Contexts it may run.
    pub permits: u32,
    /// Its tags, `<name>=<value>`.
    pub tags: Vec<String>,
    /// Where it runs.
    pub host: String,
    /// Its SDK.
    pub version: String,
    /// Contexts it runs.
    pub running: u32,
    /// Share of its CPUs in use, 0 to 1.
    pub cpu_load: Option<f32>,
    /// Bytes of its memory in use.
    pub memory_used: u64,
    /// Bytes of its memory; 0: not known.
    pub memory_total: u64,
    /// CPUs it may use; 0: not known.
    pub cpus: u32,
    /// Runnable processes of its machine.
    pub load: Option<f32>,
    /// Its resources.
    pub resources: Vec<ReportedResource>,
}

/// A resource of a worker, in thousandths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportedResource {
    /// Its name.
    pub name: String,
    /// What is in use.
    pub used: u64,
    /// All of it.
    pub total: u64,
    /// What contexts that run have asked for.
    pub reserved: u64,
}

impl WorkerReport {
    /// The fields of the hash.
    pub(super) fn fields(&self) -> [(&'static str, String); 12] {
        let resources: Vec<String> = self.resources.iter().map(resource_text).collect();
        [
            ("handlers", self.handlers.join(",")),
            ("permits", self.permits.to_string()),
            ("tags", self.tags.join(",")),
            ("host", self.host.clone()),
            ("version", self.version.clone()),
            ("running", self.running.to_string()),
            ("cpu_load", figure(self.cpu_load)),
            ("memory_used", self.memory_used.to_string()),
            ("memory_total", self.memory_total.to_string()),
            ("cpus", self.cpus.to_string()),
            ("load", figure(self.load)),
            ("resources", resources.join(",")),
        ]
    }

    /// What it takes in a call, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let fields = self.fields();
        let sizes = fields
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2);
        sizes.sum()
    }

    /// Reads the hash. A field that is absent, or not what it should be, is not known.
    pub(super) fn read(fields: &HashMap<String, String>) -> Self {
        let text = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let count = |name: &str| text(name).parse().unwrap_or_default();
        let bytes = |name: &str| text(name).parse().unwrap_or_default();
        let figure = |name: &str| {
            text(name)
                .parse()
                .ok()
                .filter(|figure: &f32| figure.is_finite())
        };
        Self {
            handlers: words(text("handlers")).into(),
            permits: count("permits"),
            tags: words(text("tags")),
            host: text("host").to_owned(),
            version: text("version").to_owned(),
            running: count("running"),
            cpu_load: figure("cpu_load"),
            memory_used: bytes("memory_used"),
            memory_total: bytes("memory_total"),
            cpus: count("cpus"),
            load: figure("load"),
            resources: words(text("resources"))
                .iter()
                .filter_map(|text| resource(text))
                .collect(),
        }
    }
}

fn words(list: &str) -> Vec<String> {
    let words = list.split(',').filter(|word| !word.is_empty());
    words.map(ToOwned::to_owned).collect()
}

/// Two decimals; empty when it is not known.
fn figure(figure: Option<f32>) -> String {
    figure.map_or_else(String::new, |figure| format!("{figure:.2}"))
}

/// `<name>=<used>/<total>/<reserved>`.
fn resource_text(resource: &ReportedResource) -> String {
    let ReportedResource {
        name,
        used,
        total,
        reserved,
    } = resource;
    format!("{name}={used}/{total}/{reserved}")
}

fn resource(text: &str) -> Option<ReportedResource> {
    let (name, amounts) = text.split_once('=')?;
    let mut amounts = amounts.split('/').map(str::parse);
    Some(ReportedResource {
        name: name.to_owned(),
        used: amounts.next()?.ok()?,
        total: amounts.next()?.ok()?,
        reserved: amounts.next()?.ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(fields: &[(&str, &str)]) -> HashMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        fields.iter().map(owned).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let report = WorkerReport {
            handlers: ["bake".to_owned(), "grind".to_owned()].into(),
            permits: 4,
            tags: vec!["region=eu".to_owned()],
            host: "host-1".to_owned(),
            version: "rust/1.0.0".to_owned(),
            running: 2,
            cpu_load: Some(0.25),
            memory_used: 1 << 40,
            memory_total: 1 << 41,
            cpus: 8,
            load: None,
            resources: vec![ReportedResource {
                name: "gpu".to_owned(),
                used: 500,
                total: 2_000,
                reserved: 1_000,
            }],
        };
        let fields = report.fields();
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(WorkerReport::read(&hash(&fields)), report);
        assert!(fields.contains(&("resources", "gpu=500/2000/1000")));
    }

    #[test]
    fn what_nobody_can_read_is_not_known() {
        let garbage = hash(&[
            ("permits", "-4"),
            ("cpus", "99999999999"),
            ("cpu_load", "NaN"),
            ("load", "much"),
            ("resources", "gpu,a=1/2,b=1/x/3,c=1/2/3"),
            ("handlers", ",,h,"),
        ]);
        let read = WorkerReport::read(&garbage);
        let known = ReportedResource {
            name: "c".to_owned(),
            used: 1,
            total: 2,
            reserved: 3,
        };
        let expected = WorkerReport {
            handlers: ["h".to_owned()].into(),
            resources: vec![known],
            ..WorkerReport::default()
        };
        assert_eq!(read, expected);
    }
}
