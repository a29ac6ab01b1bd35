//! What servers say of themselves.

/// A field of `INFO`; empty where there is none.
pub(crate) fn field<'a>(info: &'a str, name: &str) -> &'a str {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map_or("", str::trim)
}

/// Where its primary is, by what a replica says of its replication; `None` of a primary.
pub(crate) fn primary_of(replication: &str) -> Option<String> {
    let part = |name| field(replication, name);
    (part("role") == "slave").then(|| format!("{}:{}", part("master_host"), part("master_port")))
}
