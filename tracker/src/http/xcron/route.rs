//! The paths, and what each asks of whoever asks.

use axum::http::Method;
use tickwheel_core::access::Role;

use crate::rpc::scheduler::{CREATE_TASK, DELETE_TASK, QUERY_TASK};

/// Bytes of a request: those of a body of a job, so that what is read can be kept.
const BODY_BYTES_MAX: usize = tickwheel_core::bounds::BODY_BYTES_MAX;

/// An endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Create,
    Delete,
    Query,
}

impl Route {
    const ALL: [Self; 3] = [Self::Create, Self::Delete, Self::Query];

    /// The endpoint at a path.
    pub(super) fn find(path: &str) -> Option<Self> {
        let name = path.strip_prefix("/xcron/")?;
        Self::ALL.into_iter().find(|route| route.name() == name)
    }

    /// What stands behind `/xcron/`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Create => "createTask",
            Self::Delete => "deleteTask",
            Self::Query => "queryTask",
        }
    }

    /// The call that does it.
    pub(super) const fn call(self) -> &'static str {
        match self {
            Self::Create => CREATE_TASK.method,
            Self::Delete => DELETE_TASK.method,
            Self::Query => QUERY_TASK.method,
        }
    }

    /// Who may ask at least.
    pub(super) const fn least(self) -> Role {
        match self {
            Self::Create => CREATE_TASK.least,
            Self::Delete => DELETE_TASK.least,
            Self::Query => QUERY_TASK.least,
        }
    }

    /// Whether it changes something.
    pub(super) const fn changes(self) -> bool {
        match self {
            Self::Create | Self::Delete => true,
            Self::Query => false,
        }
    }

    /// Whether it is asked by this method.
    pub(super) fn has(self, method: &Method) -> bool {
        if self.changes() {
            method == Method::POST
        } else {
            method == Method::GET || method == Method::HEAD
        }
    }

    /// Its methods, as a header lists them.
    pub(super) const fn allowed(self) -> &'static str {
        if self.changes() {
            "POST, OPTIONS"
        } else {
            "GET, HEAD, OPTIONS"
        }
    }

    /// Bytes that its request may have.
    pub(super) const fn body_bytes_max(self) -> usize {
        if self.changes() { BODY_BYTES_MAX } else { 0 }
    }

    /// What there is to ask for.
    pub(super) fn all_in_words() -> String {
        let of = |route: Self| {
            let method = if route.changes() { "POST" } else { "GET" };
            format!("{method} /xcron/{}", route.name())
        };
        let all = Self::ALL.map(of).join(", ");
        format!("there is no such path; there are {all}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_of_three_to_the_letter() {
        for route in Route::ALL {
            assert_eq!(
                Route::find(&format!("/xcron/{}", route.name())),
                Some(route)
            );
            assert_eq!(route.call(), format!("xcron/{}", route.name()));
        }
        for path in [
            "/xcron",
            "/xcron/",
            "/xcron/createtask",
            "/xcron/createTask/",
            "/xcron//createTask",
            "/xcron/create%54ask",
        ] {
            assert_eq!(Route::find(path), None, "{path}");
        }
        let words = Route::all_in_words();
        assert!(
            words.contains("POST /xcron/createTask, POST /xcron/deleteTask, GET /xcron/queryTask")
        );
    }
}
