//! From the path of a request to its operation.
//!
//! The router of axum cannot do this: the `matchit` that it is pinned to takes one name for each part of a path and nothing beside it, so
//! that `/jobs/{job}:pause` is no route. The table is short, and looking through it is faster than what follows.

use percent_encoding::percent_decode_str;
use tickwheel_core::error::Violation;

use super::row::Method;
use super::table::Operation;

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The operation.
    pub operation: Operation,
    /// The name in the path; empty where there is none.
    pub name: String,
}

/// Why a path asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// There is no such path.
    Path,
    /// The path is there, with other methods.
    Method(Vec<Method>),
    /// The name in the path is none.
    Name(Violation),
}

/// Finds what a request asks for; `path` is the one below [`BASE`](super::BASE), as it came.
///
/// # Errors
/// When it asks for nothing.
pub fn find(method: &str, path: &str) -> Result<Match, Missing> {
    let mut allowed = Vec::new();
    for operation in Operation::ALL.iter().copied() {
        let row = operation.row();
        let Some(name) = fits(row.path, path) else {
            continue;
        };
        if row.method.as_str() == method {
            let name = decoded(row.path, name).map_err(Missing::Name)?;
            return Ok(Match { operation, name });
        }
        if !allowed.contains(&row.method) {
            allowed.push(row.method);
        }
    }
    if allowed.is_empty() {
        Err(Missing::Path)
    } else {
        Err(Missing::Method(allowed))
    }
}

/// The name in a path that has the form of the template; empty where the template has none.
fn fits<'a>(template: &str, path: &'a str) -> Option<&'a str> {
    let mut name = "";
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(name),
            (Some(wanted), Some(given)) => match wanted.strip_prefix('{') {
                Some(named) => {
                    let (_, verb) = named.split_once('}')?;
                    name = given.strip_suffix(verb).filter(|name| !name.is_empty())?;
                }
                None if wanted == given => {}
                None => return None,
            },
            (None, Some(_)) | (Some(_), None) => return None,
        }
    }
}

/// The name: a colon stands for a slash, which proxies would take for an end of the name, and so does what a program encodes it as.
fn decoded(template: &str, name: &str) -> Result<String, Violation> {
    let slashed = name.replace(':', "/");
    let decoded = percent_decode_str(&slashed).decode_utf8();
    let field = template.split(['{', '}']).nth(1).unwrap_or_default();
    let wrong = |_| Violation::new(field, "is UTF-8 behind its percent signs", name);
    decoded.map(std::borrow::Cow::into_owned).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(method: &str, path: &str) -> (Operation, String) {
        let Match { operation, name } = find(method, path).unwrap();
        (operation, name)
    }

    #[test]
    fn a_colon_is_a_slash_and_the_last_one_of_a_post_a_verb() {
        for (method, path, operation, name) in [
            ("GET", "/jobs", Operation::ListJobs, ""),
            ("POST", "/jobs:apply", Operation::ApplyJobs, ""),
            (
                "GET",
                "/jobs/billing:nightly",
                Operation::GetJob,
                "billing/nightly",
            ),
            (
                "GET",
                "/jobs/billing%2Fnightly",
                Operation::GetJob,
                "billing/nightly",
            ),
            (
                "GET",
                "/jobs/billing%2fnightly",
                Operation::GetJob,
                "billing/nightly",
            ),
            ("DELETE", "/jobs/a:b:c", Operation::DeleteJob, "a/b/c"),
            (
                "POST",
                "/jobs/billing:nightly:pause",
                Operation::PauseJob,
                "billing/nightly",
            ),
            ("POST", "/jobs/pause:pause", Operation::PauseJob, "pause"),
            // A job of the name `pause`, in the namespace `billing`.
            (
                "GET",
                "/jobs/billing:pause",
                Operation::GetJob,
                "billing/pause",
            ),
            ("GET", "/jobs/b:n/ledger", Operation::GetLedger, "b/n"),
            ("GET", "/runs:find", Operation::FindRun, ""),
            ("GET", "/runs/6.17.f@b:n", Operation::GetRun, "6.17.f@b/n"),
            (
                "POST",
                "/runs/6.17.f@b:wait:wait",
                Operation::WaitRun,
                "6.17.f@b/wait",
            ),
            ("GET", "/runs/6.17.a@eu:", Operation::GetRun, "6.17.a@eu/"),
            (
                "POST",
                "/runs/6.17.a@eu::cancel",
                Operation::CancelRun,
                "6.17.a@eu/",
            ),
            (
                "GET",
                "/runs/6.17.f~7@b:n/log",
                Operation::GetLog,
                "6.17.f~7@b/n",
            ),
            ("PUT", "/groups/a:b/limits", Operation::SetLimits, "a/b"),
            ("DELETE", "/groups/g/limits", Operation::RemoveLimits, "g"),
        ] {
            assert_eq!(found(method, path), (operation, name.to_owned()), "{path}");
        }
    }

    #[test]
    fn nothing_else_is_a_path() {
        for path in [
            "",
            "/",
            "/job",
            "/jobs/",
            "/jobs//",
            "//jobs",
            "/jobs/a/",
            "/jobs/a/b",
            "/jobs/./a",
            "/JOBS",
            "/jobs;a=1",
            "/runs:look",
            "/jobs:apply/x",
            "/groups/g",
            "/jobs/a/preview/",
            "/%6aobs",
            "/dead:",
            "/jobs/a//ledger",
        ] {
            assert_eq!(find("GET", path), Err(Missing::Path), "{path}");
        }
    }

    #[test]
    fn another_method_is_told_those_there_are() {
        let allowed = |method: &str, path: &str| match find(method, path) {
            Err(Missing::Method(allowed)) => allowed,
            other => panic!("{path}: {other:?}"),
        };
        assert_eq!(allowed("POST", "/jobs"), [Method::Get]);
        assert_eq!(
            allowed("POST", "/jobs/a"),
            [Method::Get, Method::Put, Method::Delete]
        );
        assert_eq!(
            allowed("PATCH", "/jobs/a:run"),
            [Method::Get, Method::Put, Method::Delete, Method::Post]
        );
        assert_eq!(
            allowed("GET", "/groups/g/limits"),
            [Method::Put, Method::Delete]
        );
        assert_eq!(allowed("get", "/jobs"), [Method::Get]);
        assert_eq!(allowed("", "/dead"), [Method::Get]);
    }

    #[test]
    fn a_name_is_text() {
        let wrong = find("GET", "/jobs/%FF");
        assert!(matches!(wrong, Err(Missing::Name(wrong)) if wrong.field == "job"));
        // Whoever reads it refuses it.
        assert_eq!(found("GET", "/jobs/%00%3a").1, "\0:");
        assert_eq!(found("GET", "/jobs/..").1, "..");
    }

    proptest! {
        #[test]
        fn any_path_is_answered(method in "[A-Z]{0,7}", path in ".{0,60}", rest in "/(jobs|runs|groups)/.{0,20}") {
            drop(find(&method, &path));
            drop(find("GET", &rest));
        }
    }
}
