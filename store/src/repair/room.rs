//! Keys of another type than ours make room while trackers work: each script that meets one fails, whatever else it would do.

use futures::TryStreamExt as _;
use tickwheel_core::partition::PartitionId;

use super::Repaired;
use crate::check::{Kind, rules};
use crate::error::Error;
use crate::store::Store;

/// Keys that one SCAN step looks at.
const SCAN_STEP: u32 = 1_000;
/// Keys of which one call asks for the types.
const KEYS_STEP: usize = 100;

impl Store {
    /// Moves every key of a partition out of the way that has another type than its name says, to `{tw:p}:aside:<key>:<ms>`; answers with how
    /// many they were. It looks at the names of all keys of the store: for whoever was told of damage, and not again and again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer: repeat. Safe to drop.
    pub async fn make_room(&self, partition: PartitionId) -> Result<u64, Error> {
        let tag = self.keys.wheel(partition);
        let tag = tag.trim_end_matches("wheel");
        let mut pages = self.redis.scan(format!("{tag}*"), SCAN_STEP);
        let mut moved = 0;
        while let Some(page) = pages.try_next().await? {
            let names = page.iter().filter_map(|key| key.strip_prefix(tag));
            let names: Vec<String> = names.map(str::to_owned).collect();
            for few in names.chunks(KEYS_STEP) {
                for key in self.check_keys(partition, few).await?.keys {
                    let found = rules::of_key(&key);
                    if found.iter().any(|one| one.kind == Kind::WrongType)
                        && matches!(
                            self.move_aside(partition, &key.name).await?,
                            Repaired::Done(_)
                        )
                    {
                        moved += 1;
                        tracing::error!(%partition, key = %key.name, kind = %key.kind, "a key of another type than ours was moved out of the way: see `aside` in docs/operations.md");
                    }
                }
            }
        }
        Ok(moved)
    }
}
