//! The limits of documents.

use std::collections::BTreeMap;

use tickwheel_api::answers::Applied;
use tickwheel_client::Client;
use tickwheel_core::limits::{GROUPS_MAX, GroupLimits};
use tickwheel_core::manifest::{Kind, LimitsSpec};
use tickwheel_proto::v1;

use crate::failure::Failure;

/// What has to be done so that groups have the limits of documents, and that no other group of a prefix has any.
#[derive(Debug)]
pub(super) struct LimitsPlan {
    changes: Vec<(&'static str, v1::GroupLimits)>,
}

impl LimitsPlan {
    /// Compares the documents with the limits that groups have. `prune`: groups whose names begin so and that no document names lose theirs.
    ///
    /// # Errors
    /// When the cluster cannot be asked, and when more groups would have limits than may.
    pub(super) async fn make(
        client: &Client,
        specs: &[LimitsSpec],
        prune: Option<&str>,
    ) -> Result<Self, Failure> {
        if specs.is_empty() && prune.is_none() {
            return Ok(Self {
                changes: Vec::new(),
            });
        }
        let known: BTreeMap<String, v1::GroupLimits> = client
            .limits()
            .await?
            .groups
            .into_iter()
            .map(|limits| (limits.group.clone(), limits))
            .collect();
        let mut changes = Vec::with_capacity(specs.len());
        for spec in specs {
            let change = match known.get(spec.group.as_str()) {
                None => "created",
                Some(own) if GroupLimits::try_from(own.clone()).as_ref() == Ok(&spec.limits) => {
                    "unchanged"
                }
                Some(_) => "updated",
            };
            let limits = v1::GroupLimits {
                group: spec.group.to_string(),
                ..v1::GroupLimits::from(&spec.limits)
            };
            changes.push((change, limits));
        }
        let created = changes.iter().filter(|(change, _)| *change == "created");
        let groups = known.len() + created.count();
        if groups > GROUPS_MAX {
            return Err(Failure::usage(format!(
                "{groups} groups would have limits, and at most {GROUPS_MAX} may; nothing was sent"
            )));
        }
        let named = |group: &str| specs.iter().any(|spec| spec.group.as_str() == group);
        let gone = known
            .into_keys()
            .filter(|group| prune.is_some_and(|prefix| group.starts_with(prefix)) && !named(group));
        changes.extend(gone.map(|group| {
            let none = v1::GroupLimits {
                group,
                ..v1::GroupLimits::default()
            };
            ("deleted", none)
        }));
        Ok(Self { changes })
    }

    /// What it comes to.
    pub(super) fn views(&self) -> impl Iterator<Item = Applied> {
        self.changes
            .iter()
            .map(|(change, limits)| Applied::new(Kind::Limits, limits.group.clone(), change))
    }

    /// Does it.
    ///
    /// # Errors
    /// Of the first group that is refused; those before it have their limits.
    pub(super) async fn carry_out(&self, client: &Client) -> Result<(), Failure> {
        let open = self
            .changes
            .iter()
            .filter(|(change, _)| *change != "unchanged");
        for (at, (_, limits)) in open.enumerate() {
            let set = client.set_limits(limits.clone()).await;
            set.map_err(|error| {
                let group = &limits.group;
                Failure::from(error).after(&format!(
                    "the limits of {group} were refused; those of {at} groups were changed before, and no job was applied"
                ))
            })?;
        }
        Ok(())
    }
}
