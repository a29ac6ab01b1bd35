//! A context that ended without success, as it is kept: the member of `dead`.

use bytes::Bytes;

use super::{Fields, Rest, Settled};
use crate::error::Error;

/// `<settled record>`, a line break, `<failures> <rest>`: how it ended, and what it takes to run it again. Older records end before
/// the line break: they can be read, and not run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// How it ended. It stays readable here when the events and the runs of its job have forgotten it.
    pub settled: Settled,
    /// Attempts that failed, timed out or lost their lease.
    pub failures: u32,
    /// What ran, where the record says.
    pub rest: Option<Rest>,
}

impl Dead {
    /// Reads a member; the body shares its memory.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the text does not follow the grammar.
    pub fn parse(text: &Bytes) -> Result<Self, Error> {
        let end = text.iter().position(|byte| *byte == b'\n');
        let Some(end) = end else {
            return Ok(Self {
                settled: Settled::parse(text)?,
                failures: 0,
                rest: None,
            });
        };
        let settled = Settled::parse(&text.slice(..end))?;
        let mut fields = Fields::new("record/dead", text.slice(end + 1..));
        let failures = fields.parse()?;
        Ok(Self {
            settled,
            failures,
            rest: Some(Rest::read(&mut fields)?),
        })
    }
}
