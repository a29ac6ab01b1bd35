//! Groups.

use serde::Serialize;
use tickwheel_proto::v1;

use super::limits::Limits;

/// A group: what its workers offer, and what holds for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Group {
    /// The group.
    pub group: String,
    /// That its live workers offer, at most 1,000, in the order of their names.
    pub handlers: Vec<String>,
    /// Live workers.
    pub workers: u32,
    /// Runs that they may have at once.
    pub permits: u64,
    /// Runs that they had when they last reported.
    pub running: u64,
    /// Whether none of its runs starts.
    pub paused: bool,
    /// Since when; 0 when it is not paused.
    pub paused_since_ms: u64,
    /// The token of who paused it last; empty where nobody is asked.
    pub paused_by: String,
    /// Why it is paused.
    pub note: String,
    /// Its limits, in the words of a document; empty: none.
    pub limits: serde_json::Value,
}

impl From<v1::Group> for Group {
    fn from(wire: v1::Group) -> Self {
        let paused = wire.pause.is_some();
        let pause = wire.pause.unwrap_or_default();
        Self {
            group: wire.name,
            handlers: wire.handlers,
            workers: wire.workers,
            permits: wire.permits,
            running: wire.running,
            paused,
            paused_since_ms: pause.since_ms,
            paused_by: pause.by,
            note: pause.note,
            limits: Limits::from(wire.limits.unwrap_or_default()).limits,
        }
    }
}

/// The groups that have workers, limits or a pause, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupList {
    /// The groups.
    pub items: Vec<Group>,
    /// Records that could not be read, and are not among these.
    pub unreadable: u64,
}

impl From<v1::ListGroupsResponse> for GroupList {
    fn from(list: v1::ListGroupsResponse) -> Self {
        Self {
            items: list.groups.into_iter().map(Group::from).collect(),
            unreadable: list.unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_group_says_since_when_it_is_paused_and_which_limits_it_has_besides() {
        let pause = v1::GroupPause {
            since_ms: 7,
            by: "abcdefgh".to_owned(),
            note: "the bank is down".to_owned(),
        };
        let limits = v1::GroupLimits {
            all: Some(v1::Limit {
                concurrency: Some(5),
                rate: None,
            }),
            ..v1::GroupLimits::default()
        };
        let wire = v1::Group {
            name: "pay".to_owned(),
            pause: Some(pause),
            limits: Some(limits),
            ..v1::Group::default()
        };
        let shown = Group::from(wire);
        assert!(shown.paused);
        assert_eq!(shown.paused_since_ms, 7);
        assert_eq!(shown.note, "the bank is down");
        assert_eq!(shown.limits, json!({ "concurrency": 5 }));
        let other = Group::from(v1::Group::default());
        assert!(!other.paused && other.limits == json!({}));
    }
}
