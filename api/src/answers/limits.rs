//! Limits of groups.

use serde::Serialize;
use serde_json::Value;
use tickwheel_core::id::GroupName;
use tickwheel_core::limits::GroupLimits;
use tickwheel_core::manifest::{Defaults, LimitsSpec, write_limits};
use tickwheel_proto::v1;

/// The limits of a group, and how much of them is used.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// The group.
    pub group: String,
    /// The limits, in the words of a document: `concurrency`, `rate`, `per_key`, `keys`. Empty: none.
    pub limits: Value,
    /// Runs under the limits of the whole group.
    pub running: u64,
    /// Runs that waited for them when they were last counted.
    pub waiting: u64,
    /// The limits as they are counted with.
    #[serde(skip)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub counted: GroupLimits,
}

impl From<v1::GroupLimits> for Limits {
    fn from(wire: v1::GroupLimits) -> Self {
        let (group, running, waiting) = (wire.group.clone(), wire.running, wire.waiting);
        let counted = GroupLimits::try_from(wire).unwrap_or_default();
        let spec = LimitsSpec {
            group: GroupName::default(),
            limits: counted.clone(),
        };
        let mut limits = write_limits(&spec, Defaults::LeftOut).into_value();
        if let Some(limits) = limits.as_object_mut() {
            limits.remove("kind");
            limits.remove("group");
        }
        Self {
            group,
            limits,
            running,
            waiting,
            counted,
        }
    }
}

/// All groups that have limits, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitsList {
    /// The limits of each.
    pub items: Vec<Limits>,
    /// Records that could not be read, and are not among these.
    pub unreadable: u64,
}

impl From<v1::ListLimitsResponse> for LimitsList {
    fn from(list: v1::ListLimitsResponse) -> Self {
        Self {
            items: list.groups.into_iter().map(Limits::from).collect(),
            unreadable: list.unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tickwheel_core::limits::{Limit, Rate};

    use super::*;

    #[test]
    fn limits_have_the_words_of_a_document() {
        let limits = GroupLimits {
            all: Limit {
                concurrency: Some(5),
                rate: Some(Rate::parse("3/s").unwrap()),
            },
            ..GroupLimits::default()
        };
        let wire = v1::GroupLimits {
            group: "heavy".to_owned(),
            ..v1::GroupLimits::from(&limits)
        };
        let shown = Limits::from(wire);
        let expected = json!({ "concurrency": 5, "rate": { "starts": 3, "per": "1s" } });
        assert_eq!(shown.limits, expected);
        assert_eq!(Limits::from(v1::GroupLimits::default()).limits, json!({}));
    }
}
