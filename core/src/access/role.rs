//! What a token is for, in one word, and what is allowed beside that.

use crate::word::word_enum;

word_enum!(
    /// What whoever shows a token is. Of the first four each may do what those before it may; a worker may run contexts, and nothing else.
    Role {
        /// Reads.
        Viewer = "viewer",
        /// Submits contexts and runs jobs.
        Submitter = "submitter",
        /// Registers, pauses and deletes jobs, cancels and repeats runs.
        Operator = "operator",
        /// Gives limits, forgets dead runs, makes tokens.
        Admin = "admin",
        /// Runs contexts.
        Worker = "worker",
    }
);

word_enum!(
    /// What a token may beside what its role says.
    Permission {
        /// See what is the callers' own: bodies, results, errors, logs.
        ReadPayload = "read_payload",
        /// Run a job with another body than its own.
        OverrideBody = "override_body",
    }
);

impl Role {
    /// Whether this role may do what asks for `least`.
    #[must_use]
    pub const fn includes(self, least: Self) -> bool {
        match (self.rank(), least.rank()) {
            (Some(own), Some(asked)) => own >= asked,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// The place among the roles of callers.
    const fn rank(self) -> Option<u8> {
        match self {
            Self::Viewer => Some(0),
            Self::Submitter => Some(1),
            Self::Operator => Some(2),
            Self::Admin => Some(3),
            Self::Worker => None,
        }
    }
}
