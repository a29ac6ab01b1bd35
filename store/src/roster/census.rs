//! How many workers live. Script: `lua/tracker/census.lua`.

use fred::types::Value;
use tickwheel_core::id::GroupName;

use crate::error::Error;
use crate::fields::Fields;
use crate::reply::Reply;
use crate::script::CENSUS;
use crate::store::Store;

/// The live workers of a group, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupCensus {
    /// The group.
    pub group: GroupName,
    /// Its live workers.
    pub workers: u64,
    /// Contexts that they may run.
    pub permits: u64,
    /// Contexts that they run, by their last heartbeats.
    pub running: u64,
}

/// The live workers, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// By group; those without live workers are not among them.
    pub groups: Vec<GroupCensus>,
    /// There are more than 256 groups or 1,000 workers: numbers are less than all then.
    pub cut: bool,
    /// Keys of a wrong type.
    pub unreadable: u64,
}

impl Store {
    /// Counts the live workers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn census(&self) -> Result<Census, Error> {
        let keys = vec![self.keys.trackers()];
        let value = self
            .redis
            .call(&CENSUS, keys, vec![Value::from("")])
            .await?;
        let reply = Reply::expect(CENSUS.name(), value, "COUNTED")?;
        Fields::read(reply, |fields| {
            let mut list = fields.list_or_empty("groups")?;
            let mut unreadable = fields.count("unreadable")?;
            let mut groups = Vec::new();
            while !list.is_empty() {
                let group = GroupName::new(list.text()?);
                let (workers, permits, running) = (list.number()?, list.number()?, list.number()?);
                match group {
                    Ok(group) => groups.push(GroupCensus {
                        group,
                        workers,
                        permits,
                        running,
                    }),
                    Err(_) => unreadable += 1,
                }
            }
            Ok(Census {
                groups,
                cut: fields.flag("cut")?,
                unreadable,
            })
        })
    }
}
