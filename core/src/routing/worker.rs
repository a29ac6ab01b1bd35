//! A worker as routing sees it: who it is, and how it does.

use super::{Tags, Units};
use crate::id::WorkerId;

/// What does not change while a worker is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its id.
    pub id: WorkerId,
    /// The machine it runs on.
    pub host: String,
    /// CPUs it may use; 0: not known.
    pub cpus: u32,
    /// What it says of itself.
    pub tags: Tags,
    /// What it has of each resource.
    pub resources: Units,
}

impl AsRef<Self> for Profile {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Profile {
    /// The id without what makes it unique to a process start: lists that name it hold beyond a restart.
    #[must_use]
    pub fn name(&self) -> &str {
        let id = self.id.as_str();
        id.rsplit_once('-').map_or(id, |(name, _)| name)
    }

    /// Whether an entry of a list means this worker: its id, its name, or its host.
    #[must_use]
    pub fn is_called(&self, entry: &str) -> bool {
        entry == self.id.as_str() || entry == self.host || entry == self.name()
    }

    /// What a condition reads: a tag, or `worker`, `name`, `host` and `cpus`, which tags of these names hide.
    #[must_use]
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        if let Some(value) = self.tags.get(name) {
            return Some(value.to_owned());
        }
        match name {
            "worker" => Some(self.id.as_str().to_owned()),
            "name" => Some(self.name().to_owned()),
            "host" => Some(self.host.clone()),
            "cpus" if self.cpus > 0 => Some(self.cpus.to_string()),
            _ => None,
        }
    }
}

/// How a worker does at an instant.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Contexts it runs, with those on their way to it.
    pub running: u32,
    /// Contexts sent to it since it last measured itself.
    pub unmeasured: u32,
    /// Share of its CPUs in use, 0 to 1; `None`: not known, and taken as all of them.
    pub cpu_load: Option<f64>,
    /// CPUs it may use.
    pub cpus: u32,
    /// Bytes of its memory in use.
    pub memory_used: u64,
    /// Bytes of its memory; 0: not known.
    pub memory_total: u64,
    /// Milliseconds its attempts took lately from arrival to outcome; `None`: none has ended yet.
    pub response_ms: Option<f64>,
}
