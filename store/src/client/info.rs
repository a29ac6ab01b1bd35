//! What servers say of themselves.

/// A field of `INFO`; empty where there is none.
pub(crate) fn field<'a>(info: &'a str, name: &str) -> &'a str {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map_or("", str::trim)
}
