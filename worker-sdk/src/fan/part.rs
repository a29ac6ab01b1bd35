//! Which part of a waiting_for_subtasks-out context an attempt runs.

use tickwheel_proto::v1;

/// The part that an attempt of a broadcast, sharding or indexed job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shard {
    /// Of a shard the index of its item, of an indexed job the index, of a broadcast the worker's place among all.
    pub index: u64,
    /// How many parts there are.
    pub total: u64,
    /// What the item was registered with (`0=Beijing`: `Beijing`); empty for everything but shards.
    pub parameter: String,
}

/// The subtask that an attempt runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subtask {
    /// What made it.
    pub kind: SubtaskKind,
    /// Its number: of a mapped item its place among all items of the root.
    pub index: u64,
    /// How many there are; 0: not known (yet).
    pub total: u64,
}

/// What made a subtask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubtaskKind {
    /// A handler that mapped.
    Map,
    /// A job with `model: broadcast`.
    Broadcast,
    /// A job with `model: sharding`.
    Shard,
    /// A job with `model: indexed`.
    Index,
    /// The end of all others.
    Reduce,
}

impl SubtaskKind {
    pub(crate) const fn to_wire(self) -> v1::subtask::Kind {
        match self {
            Self::Map => v1::subtask::Kind::Map,
            Self::Broadcast => v1::subtask::Kind::Broadcast,
            Self::Shard => v1::subtask::Kind::Shard,
            Self::Index => v1::subtask::Kind::Index,
            Self::Reduce => v1::subtask::Kind::Reduce,
        }
    }
}

impl Subtask {
    /// A kind of a newer tracker that this SDK does not know is a mapped item.
    pub(crate) fn of_wire(wire: &v1::Subtask) -> Self {
        use v1::subtask::Kind;
        Self {
            kind: match wire.kind() {
                Kind::Unspecified | Kind::Map => SubtaskKind::Map,
                Kind::Broadcast => SubtaskKind::Broadcast,
                Kind::Shard => SubtaskKind::Shard,
                Kind::Index => SubtaskKind::Index,
                Kind::Reduce => SubtaskKind::Reduce,
            },
            index: wire.index,
            total: wire.total,
        }
    }
}

impl Shard {
    pub(crate) fn of_wire(wire: &v1::Subtask) -> Option<Self> {
        match Subtask::of_wire(wire).kind {
            SubtaskKind::Broadcast | SubtaskKind::Shard | SubtaskKind::Index => Some(Self {
                index: wire.index,
                total: wire.total,
                parameter: wire.parameter.clone(),
            }),
            SubtaskKind::Map | SubtaskKind::Reduce => None,
        }
    }
}

/// The id of the root of a subtask: without its `~<number>`. The id itself for a context that is none.
pub(crate) fn root_id(id: &str) -> String {
    let Some((root, rest)) = id.split_once('~') else {
        return id.to_owned();
    };
    let job = rest
        .find('@')
        .and_then(|at| rest.get(at..))
        .unwrap_or_default();
    format!("{root}{job}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_a_subtask_is_its_id_without_its_number() {
        let table = [
            ("3.170.f@shop/all", "3.170.f@shop/all"),
            ("3.170.f~17@shop/all", "3.170.f@shop/all"),
            ("3.170.f~r@shop/all", "3.170.f@shop/all"),
            ("3.170.a1-000001~0", "3.170.a1-000001"),
            ("plain", "plain"),
        ];
        for (id, root) in table {
            assert_eq!(root_id(id), root);
        }
    }

    #[test]
    fn a_mapped_item_and_a_reduce_are_no_shards() {
        for (kind, is_shard) in [
            (SubtaskKind::Map, false),
            (SubtaskKind::Broadcast, true),
            (SubtaskKind::Shard, true),
            (SubtaskKind::Index, true),
            (SubtaskKind::Reduce, false),
        ] {
            let wire = v1::Subtask {
                kind: kind.to_wire().into(),
                index: 2,
                total: 3,
                parameter: "Beijing".to_owned(),
            };
            let subtask = Subtask::of_wire(&wire);
            assert_eq!((subtask.kind, subtask.index, subtask.total), (kind, 2, 3));
            assert_eq!(Shard::of_wire(&wire).is_some(), is_shard, "{kind:?}");
        }
    }
}
