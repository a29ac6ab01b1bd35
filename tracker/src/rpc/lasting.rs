//! Answers that go on until one of both ends them.

/// Marks such an answer, in the extensions of its response: it has a watch of its own over who takes nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lasting;
