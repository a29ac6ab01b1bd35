//! Processing models: into which subtasks a context is split, and what makes it succeed.
//!
//! A context whose job names a model is split by a tracker when it is due; its handler runs in its subtasks only. Map and map-reduce are no
//! model of a job: any handler may map, whatever its job says.

mod allocation;
mod check;
mod shards;

use serde::{Deserialize, Serialize};

use crate::word::word_enum;

/// How a context is split into subtasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Not at all: one worker runs it.
    #[default]
    Standalone,
    /// One subtask for each live worker of the group that offers the handler.
    Broadcast(Broadcast),
    /// One subtask for each item, dealt out over the live workers when the context is due.
    Sharding(Sharding),
    /// One subtask for each index, so many at once.
    Indexed(Indexed),
}

/// Every live worker runs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Broadcast {
    /// Subtasks that have to succeed, 1..=1000; `None`: all.
    pub quorum: Option<u32>,
}

/// Fixed items, dealt out over the workers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharding {
    /// The items, 1..=1000, each index once.
    pub items: Vec<ShardItem>,
    /// Which worker gets which items.
    #[serde(default)]
    pub allocation: Allocation,
}

/// An item of a sharded context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardItem {
    /// Its number, as the handler sees it.
    pub index: u32,
    /// What the handler gets with it, at most 1,024 characters; may be empty.
    #[serde(default)]
    pub parameter: String,
}

word_enum! {
    #[derive(Default)]
    /// Which worker gets which items; the workers are taken in the order of their ids.
    Allocation {
        /// Runs of neighbouring items, and what is left over one by one from the first worker on.
        #[default]
        Average = "average",
        /// As average; the workers are taken in reverse order when the hash of the job's name is even.
        Odevity = "odevity",
        /// As average; the workers are taken beginning with the one that the hash of the job's name picks.
        RoundRobin = "round_robin",
    }
}

/// So many completions, so many at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indexed {
    /// Indexes 0..completions, each of which has to succeed once; 1..=10,000,000.
    pub completions: u64,
    /// Subtasks that run at once, 1..=1,000,000.
    pub parallelism: u32,
    /// Indexes that may fail for good before the context fails; `None`: none may, but all of them run.
    #[serde(default)]
    pub max_failed: Option<u64>,
    /// What is enough for success before every index succeeded; `None`: nothing is.
    #[serde(default)]
    pub success: Option<Success>,
}

/// Enough for success: what still runs or waits is stopped then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Success {
    /// These indexes have to succeed; empty: any.
    pub indexes: Vec<u64>,
    /// How many of them (or of all) have to; `None`: each of `indexes`.
    pub count: Option<u64>,
}

word_enum! {
    #[derive(Default)]
    /// When the reduce runs.
    ReduceOn {
        /// When every subtask ended, failed ones among them.
        #[default]
        Ended = "ended",
        /// When every subtask succeeded; else the context fails without it.
        Succeeded = "succeeded",
    }
}

impl Model {
    /// Whether nothing is split.
    #[must_use]
    pub const fn is_standalone(&self) -> bool {
        matches!(self, Self::Standalone)
    }

    /// The word of the model.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Broadcast(_) => "broadcast",
            Self::Sharding(_) => "sharding",
            Self::Indexed(_) => "indexed",
        }
    }
}
