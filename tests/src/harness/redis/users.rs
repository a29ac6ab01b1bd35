//! The users of `deploy/redis/users.acl`, as tests have them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::harness::wire::Wire;

/// What is shipped.
const USERS: &str = include_str!("../../../../deploy/redis/users.acl");
/// The user of trackers, with the password that tests give it.
pub(super) const TRACKERS: &str = "tickwheel:of-trackers@";

/// Whether the environment wants every Redis to know trackers only as the user that is shipped.
pub(super) fn wanted() -> bool {
    std::env::var("TICKWHEEL_REDIS_ACL").is_ok_and(|given| given == "1")
}

/// Writes the file for a server of tests that says that it is of this version: the users that are shipped have passwords, and `default`, which
/// tests look at keys as, may do everything.
pub(super) fn write(dir: &Path, version: &str) -> Result<PathBuf> {
    let mut text = String::from("user default on nopass ~* &* +@all\n");
    for line in USERS.lines() {
        if let Some(rules) = line.strip_prefix("user tickwheel ") {
            text.push_str(&format!("user tickwheel {rules} >of-trackers\n"));
        } else if let Some(rules) = line.strip_prefix("user tickwheel-reader ") {
            text.push_str(&format!("user tickwheel-reader {rules} >of-people\n"));
        } else if let Some(rules) = line.strip_prefix("user tickwheel-admin ") {
            text.push_str(&format!("user tickwheel-admin {rules} >of-admins\n"));
        }
    }
    ensure!(text.lines().count() == 4, "users.acl has other users");
    if version.contains(" v=7.0.") {
        // Not known there, as docs/security.md says.
        text = text.replace(" +waitaof", "");
    }
    let path = dir.join("users.acl");
    std::fs::write(&path, text).context("write users.acl")?;
    Ok(path)
}

/// What servers refused to the user of trackers, each as `<reason> <what>`.
///
/// # Errors
/// When one does not answer.
pub(super) async fn refused(ports: &[u16]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for port in ports {
        let mut wire = Wire::connect(*port).await?;
        for entry in wire.command(&["ACL", "LOG", "128"]).await?.list() {
            let fields: Vec<String> = entry.list().into_iter().map(|field| field.text()).collect();
            let of = |name: &str| {
                let mut pairs = fields.chunks_exact(2);
                let pair = pairs.find(|pair| pair.first().is_some_and(|it| it == name));
                pair.and_then(|pair| pair.get(1))
                    .cloned()
                    .unwrap_or_default()
            };
            // What it may not ask, and does without.
            if of("object") != "config|get" {
                all.push(format!("{} {}", of("reason"), of("object")));
            }
        }
    }
    Ok(all)
}
