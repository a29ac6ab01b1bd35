//! New work is refused while a primary is nearly full.

use super::{INTAKE_PERCENT, Memory};
use crate::client::Redis;
use crate::error::Error;

impl Redis {
    /// What the primaries said of their memory.
    pub(crate) fn set_room(&self, memories: impl IntoIterator<Item = Memory>) {
        const MIB: u64 = 1 << 20;
        let full = memories.into_iter().find(|memory| memory.is_full());
        let why = full.map(|memory| {
            format!(
                "{} of {} MiB are in use, new work is taken below {INTAKE_PERCENT} %: raise maxmemory, or delete what is not needed",
                memory.used / MIB,
                memory.most / MIB
            )
        });
        *self.room.0.lock() = why;
    }

    /// Refuses new work while a primary is nearly full.
    ///
    /// # Errors
    /// [`Error::Exhausted`], with what is in use.
    pub(crate) fn has_room(&self) -> Result<(), Error> {
        match self.room.0.lock().as_ref() {
            Some(reason) => Err(Error::Exhausted {
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }
}
