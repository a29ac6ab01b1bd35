//! Operations on contexts that are split into subtasks. Scripts: `lua/fan/`.

mod list;
mod open;
mod results;
mod split;

use tickwheel_core::job::ContextOptions;

pub use list::{FanView, SubtaskState, SubtaskView};
pub use open::{Opened, Opening, Parts, Unpinned, shard_body};
pub use results::{Results, ResultsPage, SubtaskResult};
pub use split::{Split, Splitting};

use crate::record::{Options, PartKind, SubtaskKind};

/// `<priority> <options>` of subtasks. A start deadline counts from the due time of the root, which is past.
fn part_options(options: &ContextOptions, kind: SubtaskKind, total: u64) -> String {
    let written = Options {
        part: Some(PartKind { kind, total }),
        start_deadline_ms: None,
        ..Options::from(options)
    };
    format!("{} {written}", options.priority.as_u8())
}
