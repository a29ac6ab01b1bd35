//! How a worker presents itself.

use parking_lot::Mutex;
use tickwheel_proto::protocol::{CAPABILITIES, NEWEST, OLDEST};
use tickwheel_proto::v1::{AttemptRef, Hello};

use crate::bounds::clip;
use crate::resources::Amounts;

/// Bytes of a worker's name before its random end.
const NAME_BYTES_MAX: usize = 64;

/// What holds for a worker as long as its process lives, but for its id.
#[derive(Debug)]
pub(crate) struct Identity {
    /// What its ids begin with.
    name: String,
    worker_id: Mutex<String>,
    traits: Traits,
}

/// What a worker is told by its settings, and its host.
#[derive(Debug, Default)]
pub(crate) struct Traits {
    pub(crate) group: String,
    pub(crate) permits: u32,
    pub(crate) tags: Vec<String>,
    pub(crate) host: String,
    pub(crate) resources: Amounts,
}

impl Identity {
    /// Of a worker of this name, with an id that no other one has.
    pub(crate) fn new(name: &str, traits: Traits) -> Self {
        let name = id_word(name);
        Self {
            worker_id: Mutex::new(new_id(&name)),
            name,
            traits,
        }
    }

    /// Its id now.
    pub(crate) fn worker_id(&self) -> String {
        self.worker_id.lock().clone()
    }

    /// Somebody else goes by the id `taken`: another one, unless it has one by now.
    pub(crate) fn change_from(&self, taken: &str) -> Option<String> {
        let mut present = self.worker_id.lock();
        if *present != taken {
            return None;
        }
        *present = new_id(&self.name);
        Some(present.clone())
    }

    /// The first message of a stream.
    pub(crate) fn hello(
        &self,
        worker_id: String,
        handlers: Vec<String>,
        running: Vec<AttemptRef>,
    ) -> Hello {
        let Traits {
            group,
            permits,
            tags,
            host,
            resources,
        } = &self.traits;
        Hello {
            worker_id,
            group: group.clone(),
            handlers,
            permits: *permits,
            tags: tags.clone(),
            sdk_version: concat!("rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            host: host.clone(),
            cpus: crate::load::cpus(),
            resources: resources.clone().into_iter().collect(),
            running,
            protocol: NEWEST,
            protocol_least: OLDEST,
            capabilities: CAPABILITIES.map(ToOwned::to_owned).into(),
        }
    }
}

/// The name, in the letters of an id.
fn id_word(name: &str) -> String {
    let fits = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '-'
        }
    };
    clip(name, NAME_BYTES_MAX).chars().map(fits).collect()
}

/// The name and 8 random characters.
fn new_id(name: &str) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut id = format!("{name}-");
    for _ in 0..8 {
        let digit = fastrand::usize(..DIGITS.len());
        id.extend(DIGITS.get(digit).map(|digit| char::from(*digit)));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_only_letters_of_ids_and_is_new_each_time() {
        let id = |name: &str| Identity::new(name, Traits::default()).worker_id();
        let first = id("my host.example");
        assert!(first.starts_with("my-host.example-"), "{first}");
        assert_ne!(first, id("my host.example"));
    }

    #[test]
    fn an_id_that_somebody_else_has_is_changed_once() {
        let identity = Identity::new("mill 7", Traits::default());
        let taken = identity.worker_id();
        assert!(taken.starts_with("mill-7-"), "{taken}");
        let other = identity.change_from(&taken).unwrap();
        assert_ne!(other, taken);
        assert_eq!(identity.change_from(&taken), None);
        assert_eq!(identity.worker_id(), other);
    }
}
