//! What is asked, as it comes.

/// The parts of a request that say what is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The name that stands in the path; empty where there is none.
    pub name: &'a str,
    /// What stands behind the `?`.
    pub query: &'a str,
    /// The body.
    pub body: &'a [u8],
}
