//! What a caller and a worker agree on: the handler of a body, and what it answers.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The body of a handler: it carries the handler's name, so that whoever submits it and whoever runs it cannot disagree.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tickwheel_core::Task;
///
/// #[derive(Serialize, Deserialize)]
/// struct CloseOrder { id: u64 }
///
/// impl Task for CloseOrder {
///     const HANDLER: &'static str = "close";
///     const GROUP: &'static str = "orders";
///     type Output = ();
/// }
/// ```
///
/// It travels as JSON. A field that is added later needs `#[serde(default)]`: bodies that wait were written without it.
pub trait Task: Serialize + DeserializeOwned + Send + 'static {
    /// The handler that runs it.
    const HANDLER: &'static str;
    /// The group whose workers have the handler.
    const GROUP: &'static str = "default";
    /// What the handler returns when it succeeds; at most 64 KiB of JSON.
    type Output: Serialize + DeserializeOwned + Send + 'static;
}
