// Written by `make proto`.

pub static MESSAGES: &[Message] = &[
Message { name: "Scope", fields: &[
Field { number: 1, name: "role", repeated: false, kind: Kind::Enum },
Field { number: 2, name: "namespaces", repeated: true, kind: Kind::Text },
Field { number: 3, name: "groups", repeated: true, kind: Kind::Text },
Field { number: 4, name: "handlers", repeated: true, kind: Kind::Text },
Field { number: 5, name: "permissions", repeated: true, kind: Kind::Text },
Field { number: 6, name: "worker_ids", repeated: true, kind: Kind::Text },
Field { number: 7, name: "permits", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "Token", fields: &[
Field { number: 1, name: "id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "name", repeated: false, kind: Kind::Text },
Field { number: 3, name: "scope", repeated: false, kind: Kind::Message(0) },
Field { number: 4, name: "made_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "rotated_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "not_after_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "last_used_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 8, name: "earlier_until_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 9, name: "client_cert_sha256", repeated: false, kind: Kind::Text },
Field { number: 10, name: "calls_per_second", repeated: false, kind: Kind::Uint32 },
Field { number: 11, name: "bytes_per_second", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "MakeTokenRequest", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "scope", repeated: false, kind: Kind::Message(0) },
Field { number: 3, name: "valid_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "client_cert_sha256", repeated: false, kind: Kind::Text },
Field { number: 5, name: "calls_per_second", repeated: false, kind: Kind::Uint32 },
Field { number: 6, name: "bytes_per_second", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "MadeToken", fields: &[
Field { number: 1, name: "token", repeated: false, kind: Kind::Message(1) },
Field { number: 2, name: "text", repeated: false, kind: Kind::Text },
] },
Message { name: "MakeLoginLinkRequest", fields: &[
] },
Message { name: "LoginLink", fields: &[
Field { number: 1, name: "code", repeated: false, kind: Kind::Text },
Field { number: 2, name: "ends_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "url", repeated: false, kind: Kind::Text },
] },
Message { name: "RotateTokenRequest", fields: &[
Field { number: 1, name: "id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "grace_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "RevokeTokenRequest", fields: &[
Field { number: 1, name: "id", repeated: false, kind: Kind::Text },
] },
Message { name: "RevokeTokenResponse", fields: &[
] },
Message { name: "ListTokensRequest", fields: &[
Field { number: 1, name: "cursor", repeated: false, kind: Kind::Text },
] },
Message { name: "ListTokensResponse", fields: &[
Field { number: 1, name: "tokens", repeated: true, kind: Kind::Message(1) },
Field { number: 2, name: "next_cursor", repeated: false, kind: Kind::Text },
Field { number: 3, name: "unreadable", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "ListAuditRequest", fields: &[
Field { number: 1, name: "page_size", repeated: false, kind: Kind::Uint32 },
Field { number: 2, name: "cursor", repeated: false, kind: Kind::Text },
Field { number: 3, name: "token_id", repeated: false, kind: Kind::Text },
Field { number: 4, name: "method", repeated: false, kind: Kind::Text },
Field { number: 5, name: "denied", repeated: false, kind: Kind::Bool },
] },
Message { name: "ListAuditResponse", fields: &[
Field { number: 1, name: "events", repeated: true, kind: Kind::Message(13) },
Field { number: 2, name: "next_cursor", repeated: false, kind: Kind::Text },
Field { number: 3, name: "unreadable", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "AuditEvent", fields: &[
Field { number: 1, name: "time_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "token_id", repeated: false, kind: Kind::Text },
Field { number: 3, name: "role", repeated: false, kind: Kind::Text },
Field { number: 4, name: "peer", repeated: false, kind: Kind::Text },
Field { number: 5, name: "method", repeated: false, kind: Kind::Text },
Field { number: 6, name: "objects", repeated: true, kind: Kind::Text },
Field { number: 7, name: "result", repeated: false, kind: Kind::Text },
Field { number: 8, name: "request_id", repeated: false, kind: Kind::Text },
Field { number: 9, name: "count", repeated: false, kind: Kind::Uint64 },
Field { number: 10, name: "tracker_id", repeated: false, kind: Kind::Text },
] },
Message { name: "ContextOptions", fields: &[
Field { number: 1, name: "priority", repeated: false, kind: Kind::Uint32 },
Field { number: 2, name: "retry", repeated: false, kind: Kind::Message(20) },
Field { number: 3, name: "timeout_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "cancel_grace_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "start_deadline_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "lease_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "fail_on_lease_lost", repeated: false, kind: Kind::Bool },
Field { number: 8, name: "routing", repeated: false, kind: Kind::Message(17) },
Field { number: 9, name: "workers", repeated: false, kind: Kind::Message(18) },
Field { number: 10, name: "resources", repeated: true, kind: Kind::Message(15) },
Field { number: 11, name: "fairness", repeated: false, kind: Kind::Message(16) },
] },
Message { name: "ContextOptions.ResourcesEntry", fields: &[
Field { number: 1, name: "key", repeated: false, kind: Kind::Text },
Field { number: 2, name: "value", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Fairness", fields: &[
Field { number: 1, name: "key", repeated: false, kind: Kind::Text },
Field { number: 2, name: "weight", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "Routing", fields: &[
Field { number: 1, name: "policy", repeated: false, kind: Kind::Text },
Field { number: 2, name: "key", repeated: false, kind: Kind::Text },
Field { number: 3, name: "list", repeated: true, kind: Kind::Text },
] },
Message { name: "WorkerSelection", fields: &[
Field { number: 1, name: "select", repeated: false, kind: Kind::Text },
Field { number: 2, name: "allow", repeated: true, kind: Kind::Text },
Field { number: 3, name: "deny", repeated: true, kind: Kind::Text },
Field { number: 4, name: "max", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "Resource", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "total", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "used", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "reserved", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Retry", fields: &[
Field { number: 1, name: "max_attempts", repeated: false, kind: Kind::Uint32 },
Field { number: 2, name: "delay_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "exponential", repeated: false, kind: Kind::Bool },
Field { number: 4, name: "cap_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "full_jitter", repeated: false, kind: Kind::Bool },
] },
Message { name: "Upstream", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "job", repeated: false, kind: Kind::Text },
Field { number: 3, name: "state", repeated: false, kind: Kind::Enum },
Field { number: 4, name: "error", repeated: false, kind: Kind::Text },
] },
Message { name: "JobSpec", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "group", repeated: false, kind: Kind::Text },
Field { number: 3, name: "handler", repeated: false, kind: Kind::Text },
Field { number: 4, name: "body", repeated: false, kind: Kind::Bytes },
Field { number: 5, name: "trigger", repeated: false, kind: Kind::Message(31) },
Field { number: 6, name: "start_at_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "end_at_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 8, name: "max_runs", repeated: false, kind: Kind::Uint64 },
Field { number: 9, name: "jitter_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 10, name: "misfire", repeated: false, kind: Kind::Message(38) },
Field { number: 11, name: "overlap", repeated: false, kind: Kind::Message(39) },
Field { number: 12, name: "options", repeated: false, kind: Kind::Message(14) },
Field { number: 13, name: "ledger_limit", repeated: false, kind: Kind::Uint32 },
Field { number: 14, name: "runs_limit", repeated: false, kind: Kind::Uint32 },
Field { number: 15, name: "description", repeated: false, kind: Kind::Text },
Field { number: 16, name: "model", repeated: false, kind: Kind::Message(24) },
Field { number: 17, name: "reduce", repeated: false, kind: Kind::Text },
Field { number: 18, name: "reduce_on", repeated: false, kind: Kind::Enum },
Field { number: 19, name: "subtask", repeated: false, kind: Kind::Message(14) },
Field { number: 20, name: "labels", repeated: true, kind: Kind::Message(23) },
Field { number: 21, name: "followed_by", repeated: true, kind: Kind::Text },
] },
Message { name: "JobSpec.LabelsEntry", fields: &[
Field { number: 1, name: "key", repeated: false, kind: Kind::Text },
Field { number: 2, name: "value", repeated: false, kind: Kind::Text },
] },
Message { name: "Model", fields: &[
Field { number: 1, name: "standalone", repeated: false, kind: Kind::Message(25) },
Field { number: 2, name: "broadcast", repeated: false, kind: Kind::Message(26) },
Field { number: 3, name: "sharding", repeated: false, kind: Kind::Message(27) },
Field { number: 4, name: "indexed", repeated: false, kind: Kind::Message(29) },
] },
Message { name: "Model.Standalone", fields: &[
] },
Message { name: "Model.Broadcast", fields: &[
Field { number: 1, name: "quorum", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "Model.Sharding", fields: &[
Field { number: 1, name: "items", repeated: true, kind: Kind::Message(28) },
Field { number: 2, name: "allocation", repeated: false, kind: Kind::Enum },
] },
Message { name: "Model.Item", fields: &[
Field { number: 1, name: "index", repeated: false, kind: Kind::Uint32 },
Field { number: 2, name: "parameter", repeated: false, kind: Kind::Text },
] },
Message { name: "Model.Indexed", fields: &[
Field { number: 1, name: "completions", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "parallelism", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "max_failed", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "success", repeated: false, kind: Kind::Message(30) },
] },
Message { name: "Model.Success", fields: &[
Field { number: 1, name: "indexes", repeated: true, kind: Kind::Uint64 },
Field { number: 2, name: "count", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Trigger", fields: &[
Field { number: 1, name: "cron", repeated: false, kind: Kind::Message(32) },
Field { number: 2, name: "fixed_rate", repeated: false, kind: Kind::Message(33) },
Field { number: 3, name: "fixed_delay", repeated: false, kind: Kind::Message(34) },
Field { number: 5, name: "once", repeated: false, kind: Kind::Message(35) },
Field { number: 6, name: "manual", repeated: false, kind: Kind::Message(36) },
Field { number: 7, name: "after", repeated: false, kind: Kind::Message(37) },
] },
Message { name: "Trigger.Cron", fields: &[
Field { number: 1, name: "expression", repeated: false, kind: Kind::Text },
Field { number: 2, name: "time_zone", repeated: false, kind: Kind::Text },
] },
Message { name: "Trigger.FixedRate", fields: &[
Field { number: 1, name: "period_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "anchor_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Trigger.FixedDelay", fields: &[
Field { number: 1, name: "delay_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Trigger.Once", fields: &[
Field { number: 1, name: "at_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Trigger.Manual", fields: &[
] },
Message { name: "Trigger.After", fields: &[
Field { number: 1, name: "job", repeated: false, kind: Kind::Text },
Field { number: 2, name: "on", repeated: false, kind: Kind::Enum },
] },
Message { name: "Misfire", fields: &[
Field { number: 1, name: "policy", repeated: false, kind: Kind::Enum },
Field { number: 2, name: "limit", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "tolerance_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "catch_up_window_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Overlap", fields: &[
Field { number: 1, name: "policy", repeated: false, kind: Kind::Enum },
Field { number: 2, name: "limit", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "Job", fields: &[
Field { number: 1, name: "spec", repeated: false, kind: Kind::Message(22) },
Field { number: 2, name: "revision", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "state", repeated: false, kind: Kind::Enum },
Field { number: 4, name: "next_due_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "last_due_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "fired", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "active", repeated: true, kind: Kind::Text },
Field { number: 8, name: "queued", repeated: false, kind: Kind::Uint64 },
Field { number: 9, name: "partition", repeated: false, kind: Kind::Uint32 },
Field { number: 10, name: "pause_note", repeated: false, kind: Kind::Text },
Field { number: 11, name: "created_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 12, name: "updated_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "LedgerRecord", fields: &[
Field { number: 1, name: "due_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "last_due_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "count", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "verdict", repeated: false, kind: Kind::Enum },
Field { number: 5, name: "reason", repeated: false, kind: Kind::Text },
Field { number: 6, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 7, name: "decided_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "FanProgress", fields: &[
Field { number: 1, name: "model", repeated: false, kind: Kind::Text },
Field { number: 2, name: "total", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "succeeded", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "failed", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "running", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "waiting", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "open", repeated: false, kind: Kind::Bool },
Field { number: 8, name: "eta_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 9, name: "reduce", repeated: false, kind: Kind::Text },
Field { number: 10, name: "ended", repeated: false, kind: Kind::Bool },
] },
Message { name: "SubtaskView", fields: &[
Field { number: 1, name: "id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "state", repeated: false, kind: Kind::Text },
Field { number: 3, name: "handler", repeated: false, kind: Kind::Text },
Field { number: 4, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 5, name: "failures", repeated: false, kind: Kind::Uint32 },
Field { number: 6, name: "worker", repeated: false, kind: Kind::Text },
Field { number: 7, name: "error", repeated: false, kind: Kind::Text },
Field { number: 8, name: "body", repeated: false, kind: Kind::Bytes },
Field { number: 9, name: "claimed_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 10, name: "ended_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 11, name: "result_bytes", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Context", fields: &[
Field { number: 1, name: "id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "job", repeated: false, kind: Kind::Text },
Field { number: 3, name: "group", repeated: false, kind: Kind::Text },
Field { number: 4, name: "handler", repeated: false, kind: Kind::Text },
Field { number: 5, name: "due_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "state", repeated: false, kind: Kind::Enum },
Field { number: 7, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 8, name: "failures", repeated: false, kind: Kind::Uint32 },
Field { number: 9, name: "worker", repeated: false, kind: Kind::Text },
Field { number: 10, name: "claimed_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 11, name: "ended_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 12, name: "error", repeated: false, kind: Kind::Text },
Field { number: 13, name: "waiting_reason", repeated: false, kind: Kind::Text },
Field { number: 14, name: "priority", repeated: false, kind: Kind::Uint32 },
Field { number: 15, name: "body", repeated: false, kind: Kind::Bytes },
Field { number: 16, name: "result", repeated: false, kind: Kind::Bytes },
Field { number: 17, name: "progress_percent", repeated: false, kind: Kind::Uint32 },
Field { number: 18, name: "progress_message", repeated: false, kind: Kind::Text },
Field { number: 20, name: "next_attempt_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 21, name: "lease_expires_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 22, name: "fan", repeated: false, kind: Kind::Message(42) },
Field { number: 24, name: "attempts", repeated: true, kind: Kind::Message(45) },
Field { number: 25, name: "upstream", repeated: false, kind: Kind::Message(21) },
Field { number: 27, name: "log", repeated: true, kind: Kind::Message(46) },
Field { number: 23, name: "log_cut", repeated: false, kind: Kind::Bool },
Field { number: 26, name: "body_dropped", repeated: false, kind: Kind::Uint64 },
Field { number: 28, name: "error_type", repeated: false, kind: Kind::Text },
] },
Message { name: "PastAttempt", fields: &[
Field { number: 1, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 2, name: "worker", repeated: false, kind: Kind::Text },
Field { number: 3, name: "claimed_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "ended_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "outcome", repeated: false, kind: Kind::Text },
Field { number: 6, name: "error", repeated: false, kind: Kind::Text },
Field { number: 7, name: "error_type", repeated: false, kind: Kind::Text },
] },
Message { name: "LoggedLine", fields: &[
Field { number: 1, name: "time_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "level", repeated: false, kind: Kind::Enum },
Field { number: 4, name: "line", repeated: false, kind: Kind::Text },
] },
Message { name: "JobRef", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
] },
Message { name: "ApplyJobsRequest", fields: &[
Field { number: 1, name: "jobs", repeated: true, kind: Kind::Message(22) },
Field { number: 2, name: "dry_run", repeated: false, kind: Kind::Bool },
Field { number: 3, name: "if_revision", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "ApplyJobsResponse", fields: &[
Field { number: 1, name: "jobs", repeated: true, kind: Kind::Message(50) },
] },
Message { name: "AppliedJob", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "revision", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "change", repeated: false, kind: Kind::Enum },
Field { number: 4, name: "next_due_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "warning", repeated: false, kind: Kind::Text },
] },
Message { name: "ListJobsRequest", fields: &[
Field { number: 1, name: "prefix", repeated: false, kind: Kind::Text },
Field { number: 2, name: "page_size", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "cursor", repeated: false, kind: Kind::Text },
Field { number: 4, name: "labels", repeated: true, kind: Kind::Text },
] },
Message { name: "ListJobsResponse", fields: &[
Field { number: 1, name: "jobs", repeated: true, kind: Kind::Message(40) },
Field { number: 2, name: "next_cursor", repeated: false, kind: Kind::Text },
Field { number: 3, name: "unreadable", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "PauseJobRequest", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "note", repeated: false, kind: Kind::Text },
] },
Message { name: "DeleteJobRequest", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "force", repeated: false, kind: Kind::Bool },
Field { number: 3, name: "if_revision", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "DeleteJobResponse", fields: &[
Field { number: 1, name: "cancelled", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "running", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "followers", repeated: true, kind: Kind::Text },
] },
Message { name: "RunJobRequest", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "body", repeated: false, kind: Kind::Bytes },
Field { number: 3, name: "dedup_key", repeated: false, kind: Kind::Text },
Field { number: 4, name: "dedup_keep_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "dedup_reuse", repeated: false, kind: Kind::Enum },
] },
Message { name: "PreviewJobRequest", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "spec", repeated: false, kind: Kind::Message(22) },
Field { number: 3, name: "count", repeated: false, kind: Kind::Uint32 },
Field { number: 4, name: "after_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "PreviewJobResponse", fields: &[
Field { number: 1, name: "due_ms", repeated: true, kind: Kind::Uint64 },
Field { number: 2, name: "zone", repeated: false, kind: Kind::Text },
Field { number: 3, name: "note", repeated: false, kind: Kind::Text },
] },
Message { name: "GetLedgerRequest", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "limit", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "from_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "to_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "verdicts", repeated: true, kind: Kind::Enum },
Field { number: 6, name: "cursor", repeated: false, kind: Kind::Text },
] },
Message { name: "GetLedgerResponse", fields: &[
Field { number: 1, name: "records", repeated: true, kind: Kind::Message(41) },
Field { number: 2, name: "unreadable", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "next_cursor", repeated: false, kind: Kind::Text },
] },
Message { name: "GetJobStatsRequest", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "from_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "to_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "cell_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "JobStats", fields: &[
Field { number: 1, name: "from_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "to_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "cell_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "fired", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "skipped", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "missed", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "cancelled", repeated: false, kind: Kind::Uint64 },
Field { number: 8, name: "runs_succeeded", repeated: false, kind: Kind::Uint64 },
Field { number: 9, name: "runs_failed", repeated: false, kind: Kind::Uint64 },
Field { number: 10, name: "runs_timed_out", repeated: false, kind: Kind::Uint64 },
Field { number: 11, name: "runs_cancelled", repeated: false, kind: Kind::Uint64 },
Field { number: 12, name: "runs_expired", repeated: false, kind: Kind::Uint64 },
Field { number: 13, name: "decided", repeated: false, kind: Kind::Message(63) },
Field { number: 14, name: "started", repeated: false, kind: Kind::Message(63) },
Field { number: 15, name: "ran", repeated: false, kind: Kind::Message(63) },
Field { number: 16, name: "cells", repeated: true, kind: Kind::Message(64) },
Field { number: 17, name: "unreadable", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Spread", fields: &[
Field { number: 1, name: "count", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "least_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "p50_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "p90_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "p99_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "most_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "StatsCell", fields: &[
Field { number: 1, name: "from_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "fired", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "skipped", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "missed", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "cancelled", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "succeeded", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "failed", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "ExplainJobRequest", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "at_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "ExplainJobResponse", fields: &[
Field { number: 1, name: "text", repeated: false, kind: Kind::Text },
Field { number: 2, name: "record", repeated: false, kind: Kind::Message(41) },
] },
Message { name: "ExplainContextResponse", fields: &[
Field { number: 1, name: "text", repeated: false, kind: Kind::Text },
] },
Message { name: "SubmitRequest", fields: &[
Field { number: 1, name: "contexts", repeated: true, kind: Kind::Message(69) },
] },
Message { name: "Submission", fields: &[
Field { number: 1, name: "group", repeated: false, kind: Kind::Text },
Field { number: 2, name: "handler", repeated: false, kind: Kind::Text },
Field { number: 3, name: "body", repeated: false, kind: Kind::Bytes },
Field { number: 4, name: "delay_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "at_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "options", repeated: false, kind: Kind::Message(14) },
Field { number: 7, name: "dedup_key", repeated: false, kind: Kind::Text },
Field { number: 8, name: "dedup_keep_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 9, name: "dedup_reuse", repeated: false, kind: Kind::Enum },
Field { number: 10, name: "namespace", repeated: false, kind: Kind::Text },
] },
Message { name: "FindContextRequest", fields: &[
Field { number: 1, name: "dedup_key", repeated: false, kind: Kind::Text },
Field { number: 2, name: "job", repeated: false, kind: Kind::Text },
Field { number: 3, name: "namespace", repeated: false, kind: Kind::Text },
] },
Message { name: "Submitted", fields: &[
Field { number: 1, name: "id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "duplicate", repeated: false, kind: Kind::Bool },
Field { number: 3, name: "skipped_reason", repeated: false, kind: Kind::Text },
Field { number: 4, name: "state", repeated: false, kind: Kind::Enum },
Field { number: 5, name: "rejected", repeated: false, kind: Kind::Bool },
Field { number: 6, name: "replaced_id", repeated: false, kind: Kind::Text },
] },
Message { name: "SubmitResponse", fields: &[
Field { number: 1, name: "contexts", repeated: true, kind: Kind::Message(71) },
] },
Message { name: "ContextRef", fields: &[
Field { number: 1, name: "id", repeated: false, kind: Kind::Text },
] },
Message { name: "GetLogRequest", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "cursor", repeated: false, kind: Kind::Text },
] },
Message { name: "GetLogResponse", fields: &[
Field { number: 1, name: "lines", repeated: true, kind: Kind::Message(46) },
Field { number: 2, name: "cursor", repeated: false, kind: Kind::Text },
Field { number: 3, name: "lost", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "ListSubtasksRequest", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "state", repeated: false, kind: Kind::Text },
Field { number: 3, name: "limit", repeated: false, kind: Kind::Uint32 },
Field { number: 4, name: "page_token", repeated: false, kind: Kind::Text },
] },
Message { name: "ListSubtasksResponse", fields: &[
Field { number: 1, name: "subtasks", repeated: true, kind: Kind::Message(43) },
Field { number: 2, name: "next_page_token", repeated: false, kind: Kind::Text },
Field { number: 3, name: "fan", repeated: false, kind: Kind::Message(42) },
Field { number: 4, name: "unreadable", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "ListContextsRequest", fields: &[
Field { number: 1, name: "state", repeated: false, kind: Kind::Enum },
Field { number: 2, name: "job", repeated: false, kind: Kind::Text },
Field { number: 3, name: "group", repeated: false, kind: Kind::Text },
Field { number: 4, name: "page_size", repeated: false, kind: Kind::Uint32 },
Field { number: 5, name: "cursor", repeated: false, kind: Kind::Text },
Field { number: 6, name: "states", repeated: true, kind: Kind::Enum },
Field { number: 7, name: "handler", repeated: false, kind: Kind::Text },
Field { number: 8, name: "worker", repeated: false, kind: Kind::Text },
Field { number: 9, name: "error", repeated: false, kind: Kind::Text },
Field { number: 10, name: "due_from_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 11, name: "due_to_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 12, name: "ended_from_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 13, name: "ended_to_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 14, name: "order", repeated: false, kind: Kind::Enum },
Field { number: 15, name: "max_look", repeated: false, kind: Kind::Uint32 },
Field { number: 16, name: "id", repeated: false, kind: Kind::Text },
] },
Message { name: "Looked", fields: &[
Field { number: 1, name: "entries", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "of", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Horizon", fields: &[
Field { number: 1, name: "complete_since_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "reason", repeated: false, kind: Kind::Text },
] },
Message { name: "ListContextsResponse", fields: &[
Field { number: 1, name: "contexts", repeated: true, kind: Kind::Message(44) },
Field { number: 2, name: "next_cursor", repeated: false, kind: Kind::Text },
Field { number: 3, name: "unreadable", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "looked", repeated: false, kind: Kind::Message(79) },
Field { number: 5, name: "horizon", repeated: false, kind: Kind::Message(80) },
] },
Message { name: "DeadFilter", fields: &[
Field { number: 1, name: "group", repeated: false, kind: Kind::Text },
Field { number: 2, name: "handler", repeated: false, kind: Kind::Text },
Field { number: 3, name: "job", repeated: false, kind: Kind::Text },
Field { number: 4, name: "state", repeated: false, kind: Kind::Enum },
Field { number: 5, name: "error", repeated: false, kind: Kind::Text },
Field { number: 6, name: "older_than_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "newer_than_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 8, name: "worker", repeated: false, kind: Kind::Text },
Field { number: 9, name: "due_from_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 10, name: "due_to_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 11, name: "ended_from_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 12, name: "ended_to_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "ListDeadRequest", fields: &[
Field { number: 1, name: "filter", repeated: false, kind: Kind::Message(82) },
Field { number: 2, name: "page_size", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "cursor", repeated: false, kind: Kind::Text },
Field { number: 4, name: "max_look", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "ListDeadResponse", fields: &[
Field { number: 1, name: "contexts", repeated: true, kind: Kind::Message(44) },
Field { number: 2, name: "next_cursor", repeated: false, kind: Kind::Text },
Field { number: 3, name: "kept", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "dropped", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "unreadable", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "looked", repeated: false, kind: Kind::Message(79) },
Field { number: 7, name: "horizon", repeated: false, kind: Kind::Message(80) },
] },
Message { name: "ChangeDeadRequest", fields: &[
Field { number: 1, name: "filter", repeated: false, kind: Kind::Message(82) },
Field { number: 2, name: "ids", repeated: true, kind: Kind::Text },
Field { number: 3, name: "all", repeated: false, kind: Kind::Bool },
Field { number: 4, name: "dry_run", repeated: false, kind: Kind::Bool },
Field { number: 5, name: "cursor", repeated: false, kind: Kind::Text },
] },
Message { name: "ChangeDeadResponse", fields: &[
Field { number: 1, name: "looked", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "matched", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "changed", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "busy", repeated: false, kind: Kind::Uint64 },
Field { number: 8, name: "bodiless", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "gone", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "next_cursor", repeated: false, kind: Kind::Text },
Field { number: 7, name: "ids", repeated: true, kind: Kind::Text },
] },
Message { name: "CancelContextResponse", fields: &[
Field { number: 1, name: "context", repeated: false, kind: Kind::Message(44) },
] },
Message { name: "WaitContextRequest", fields: &[
Field { number: 1, name: "id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "timeout_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "ListWorkersRequest", fields: &[
Field { number: 1, name: "group", repeated: false, kind: Kind::Text },
] },
Message { name: "ListWorkersResponse", fields: &[
Field { number: 1, name: "workers", repeated: true, kind: Kind::Message(91) },
Field { number: 2, name: "unreadable", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Worker", fields: &[
Field { number: 1, name: "id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "group", repeated: false, kind: Kind::Text },
Field { number: 3, name: "handlers", repeated: true, kind: Kind::Text },
Field { number: 4, name: "permits", repeated: false, kind: Kind::Uint32 },
Field { number: 5, name: "running", repeated: false, kind: Kind::Uint32 },
Field { number: 6, name: "cpu_load", repeated: false, kind: Kind::Float },
Field { number: 7, name: "memory_used_bytes", repeated: false, kind: Kind::Uint64 },
Field { number: 8, name: "memory_total_bytes", repeated: false, kind: Kind::Uint64 },
Field { number: 9, name: "host", repeated: false, kind: Kind::Text },
Field { number: 10, name: "sdk_version", repeated: false, kind: Kind::Text },
Field { number: 11, name: "heartbeat_age_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 12, name: "tags", repeated: true, kind: Kind::Text },
Field { number: 13, name: "cpus", repeated: false, kind: Kind::Uint32 },
Field { number: 14, name: "resources", repeated: true, kind: Kind::Message(19) },
Field { number: 15, name: "load", repeated: false, kind: Kind::Float },
Field { number: 16, name: "drained_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "WorkerRef", fields: &[
Field { number: 1, name: "id", repeated: false, kind: Kind::Text },
] },
Message { name: "GroupLimits", fields: &[
Field { number: 1, name: "group", repeated: false, kind: Kind::Text },
Field { number: 2, name: "all", repeated: false, kind: Kind::Message(95) },
Field { number: 3, name: "per_key", repeated: false, kind: Kind::Message(95) },
Field { number: 4, name: "keys", repeated: true, kind: Kind::Message(94) },
Field { number: 5, name: "running", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "waiting", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "GroupLimits.KeysEntry", fields: &[
Field { number: 1, name: "key", repeated: false, kind: Kind::Text },
Field { number: 2, name: "value", repeated: false, kind: Kind::Message(95) },
] },
Message { name: "Limit", fields: &[
Field { number: 1, name: "concurrency", repeated: false, kind: Kind::Uint32 },
Field { number: 2, name: "rate", repeated: false, kind: Kind::Message(96) },
] },
Message { name: "Rate", fields: &[
Field { number: 1, name: "starts", repeated: false, kind: Kind::Uint32 },
Field { number: 2, name: "per_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "burst", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "ListLimitsRequest", fields: &[
] },
Message { name: "ListLimitsResponse", fields: &[
Field { number: 1, name: "groups", repeated: true, kind: Kind::Message(93) },
Field { number: 2, name: "unreadable", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "ListGroupsRequest", fields: &[
] },
Message { name: "ListGroupsResponse", fields: &[
Field { number: 1, name: "groups", repeated: true, kind: Kind::Message(103) },
Field { number: 2, name: "unreadable", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "GroupRef", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
] },
Message { name: "PauseGroupRequest", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "note", repeated: false, kind: Kind::Text },
] },
Message { name: "Group", fields: &[
Field { number: 1, name: "name", repeated: false, kind: Kind::Text },
Field { number: 2, name: "handlers", repeated: true, kind: Kind::Text },
Field { number: 3, name: "workers", repeated: false, kind: Kind::Uint32 },
Field { number: 4, name: "permits", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "running", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "pause", repeated: false, kind: Kind::Message(104) },
Field { number: 7, name: "limits", repeated: false, kind: Kind::Message(93) },
] },
Message { name: "GroupPause", fields: &[
Field { number: 1, name: "since_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "by", repeated: false, kind: Kind::Text },
Field { number: 3, name: "note", repeated: false, kind: Kind::Text },
] },
Message { name: "GetClusterRequest", fields: &[
] },
Message { name: "Cluster", fields: &[
Field { number: 1, name: "version", repeated: false, kind: Kind::Text },
Field { number: 2, name: "partitions", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "trackers", repeated: true, kind: Kind::Text },
Field { number: 4, name: "durability", repeated: false, kind: Kind::Text },
Field { number: 5, name: "redis_version", repeated: false, kind: Kind::Text },
Field { number: 6, name: "redis_time_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "zone_table", repeated: false, kind: Kind::Text },
] },
Message { name: "GetOverviewRequest", fields: &[
] },
Message { name: "Overview", fields: &[
Field { number: 1, name: "time_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "totals", repeated: false, kind: Kind::Message(109) },
Field { number: 3, name: "groups", repeated: true, kind: Kind::Message(111) },
Field { number: 4, name: "cut", repeated: false, kind: Kind::Bool },
Field { number: 5, name: "unreadable", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "OverviewTotals", fields: &[
Field { number: 1, name: "scheduled", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "overdue", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "lag_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "ready", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "running", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "dead", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "ended", repeated: false, kind: Kind::Message(110) },
Field { number: 8, name: "trackers", repeated: false, kind: Kind::Uint32 },
Field { number: 9, name: "redis_memory_bytes", repeated: false, kind: Kind::Uint64 },
Field { number: 10, name: "redis_memory_max_bytes", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "OverviewEnds", fields: &[
Field { number: 1, name: "succeeded", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "failed", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "timed_out", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "cancelled", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "expired", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "estimated", repeated: false, kind: Kind::Bool },
] },
Message { name: "OverviewGroup", fields: &[
Field { number: 1, name: "group", repeated: false, kind: Kind::Text },
Field { number: 2, name: "workers", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "permits", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "running", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "ready", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "GetWheelRequest", fields: &[
Field { number: 1, name: "width_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "buckets", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "Wheel", fields: &[
Field { number: 1, name: "time_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "width_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "counts", repeated: false, kind: Kind::Message(114) },
Field { number: 4, name: "unreadable", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "WheelCounts", fields: &[
Field { number: 1, name: "entries", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "overdue", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "lag_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "buckets", repeated: true, kind: Kind::Message(115) },
Field { number: 5, name: "later", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "WheelBucket", fields: &[
Field { number: 1, name: "from_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "entries", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "kinds", repeated: false, kind: Kind::Message(116) },
] },
Message { name: "WheelKinds", fields: &[
Field { number: 1, name: "runs", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "retries", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "jobs", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "deadlines", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "upkeep", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "ListUpcomingRequest", fields: &[
Field { number: 1, name: "kinds", repeated: true, kind: Kind::Enum },
Field { number: 2, name: "prefix", repeated: false, kind: Kind::Text },
Field { number: 3, name: "group", repeated: false, kind: Kind::Text },
Field { number: 4, name: "handler", repeated: false, kind: Kind::Text },
Field { number: 5, name: "until_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "page_size", repeated: false, kind: Kind::Uint32 },
Field { number: 7, name: "cursor", repeated: false, kind: Kind::Text },
Field { number: 8, name: "max_look", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "ListUpcomingResponse", fields: &[
Field { number: 1, name: "items", repeated: true, kind: Kind::Message(119) },
Field { number: 2, name: "next_cursor", repeated: false, kind: Kind::Text },
Field { number: 3, name: "unreadable", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "looked", repeated: false, kind: Kind::Message(79) },
] },
Message { name: "Upcoming", fields: &[
Field { number: 1, name: "kind", repeated: false, kind: Kind::Enum },
Field { number: 2, name: "at_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "job", repeated: false, kind: Kind::Text },
Field { number: 4, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 5, name: "due_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "group", repeated: false, kind: Kind::Text },
Field { number: 7, name: "handler", repeated: false, kind: Kind::Text },
Field { number: 8, name: "priority", repeated: false, kind: Kind::Uint32 },
Field { number: 9, name: "attempts", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "SubscribeRequest", fields: &[
Field { number: 1, name: "topics", repeated: true, kind: Kind::Text },
Field { number: 2, name: "cursor", repeated: false, kind: Kind::Text },
Field { number: 3, name: "job", repeated: false, kind: Kind::Text },
Field { number: 4, name: "group", repeated: false, kind: Kind::Text },
Field { number: 5, name: "states", repeated: true, kind: Kind::Enum },
] },
Message { name: "StreamEvent", fields: &[
Field { number: 1, name: "cursor", repeated: false, kind: Kind::Text },
Field { number: 2, name: "now", repeated: false, kind: Kind::Message(108) },
Field { number: 3, name: "runs", repeated: false, kind: Kind::Message(122) },
Field { number: 4, name: "log", repeated: false, kind: Kind::Message(124) },
Field { number: 5, name: "lagged", repeated: false, kind: Kind::Message(125) },
Field { number: 6, name: "bye", repeated: false, kind: Kind::Message(126) },
] },
Message { name: "EndedRuns", fields: &[
Field { number: 1, name: "runs", repeated: true, kind: Kind::Message(123) },
] },
Message { name: "EndedRun", fields: &[
Field { number: 1, name: "id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "job", repeated: false, kind: Kind::Text },
Field { number: 3, name: "state", repeated: false, kind: Kind::Enum },
Field { number: 4, name: "group", repeated: false, kind: Kind::Text },
Field { number: 5, name: "handler", repeated: false, kind: Kind::Text },
Field { number: 6, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 7, name: "failures", repeated: false, kind: Kind::Uint32 },
Field { number: 8, name: "worker", repeated: false, kind: Kind::Text },
Field { number: 9, name: "claimed_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 10, name: "ended_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 11, name: "error", repeated: false, kind: Kind::Text },
] },
Message { name: "LogLines", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "lines", repeated: true, kind: Kind::Message(46) },
Field { number: 3, name: "ended", repeated: false, kind: Kind::Bool },
] },
Message { name: "Lagged", fields: &[
Field { number: 1, name: "topic", repeated: false, kind: Kind::Text },
Field { number: 2, name: "dropped", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Bye", fields: &[
Field { number: 1, name: "reason", repeated: false, kind: Kind::Text },
Field { number: 2, name: "retry_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "ErrorDetail", fields: &[
Field { number: 1, name: "code", repeated: false, kind: Kind::Text },
Field { number: 2, name: "violations", repeated: true, kind: Kind::Message(128) },
Field { number: 3, name: "context_ids", repeated: true, kind: Kind::Text },
Field { number: 4, name: "taken", repeated: true, kind: Kind::Uint32 },
Field { number: 5, name: "retry_after_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Violation", fields: &[
Field { number: 1, name: "field", repeated: false, kind: Kind::Text },
Field { number: 2, name: "rule", repeated: false, kind: Kind::Text },
Field { number: 3, name: "given", repeated: false, kind: Kind::Text },
] },
Message { name: "WorkerMessage", fields: &[
Field { number: 1, name: "hello", repeated: false, kind: Kind::Message(137) },
Field { number: 2, name: "heartbeat", repeated: false, kind: Kind::Message(143) },
Field { number: 3, name: "accepted", repeated: true, kind: Kind::Message(146) },
Field { number: 4, name: "rejected", repeated: true, kind: Kind::Message(147) },
Field { number: 5, name: "renew", repeated: true, kind: Kind::Message(146) },
Field { number: 6, name: "progress", repeated: true, kind: Kind::Message(148) },
Field { number: 7, name: "log", repeated: true, kind: Kind::Message(149) },
Field { number: 8, name: "settle", repeated: true, kind: Kind::Message(150) },
Field { number: 9, name: "credit", repeated: false, kind: Kind::Message(145) },
Field { number: 10, name: "draining", repeated: false, kind: Kind::Bool },
Field { number: 11, name: "split", repeated: true, kind: Kind::Message(131) },
Field { number: 12, name: "lost_trackers", repeated: true, kind: Kind::Text },
Field { number: 13, name: "fetch", repeated: true, kind: Kind::Message(133) },
Field { number: 14, name: "units", repeated: false, kind: Kind::Message(141) },
] },
Message { name: "TrackerMessage", fields: &[
Field { number: 1, name: "welcome", repeated: false, kind: Kind::Message(139) },
Field { number: 2, name: "dispatch", repeated: true, kind: Kind::Message(151) },
Field { number: 3, name: "cancel", repeated: true, kind: Kind::Message(154) },
Field { number: 4, name: "confirm", repeated: true, kind: Kind::Message(155) },
Field { number: 5, name: "roster", repeated: false, kind: Kind::Message(140) },
Field { number: 6, name: "drain", repeated: false, kind: Kind::Bool },
Field { number: 7, name: "renewed", repeated: true, kind: Kind::Message(136) },
Field { number: 8, name: "store_away", repeated: false, kind: Kind::Bool },
Field { number: 9, name: "split", repeated: true, kind: Kind::Message(132) },
Field { number: 10, name: "results", repeated: true, kind: Kind::Message(134) },
] },
Message { name: "Split", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "offset", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "handler", repeated: false, kind: Kind::Text },
Field { number: 5, name: "items", repeated: true, kind: Kind::Bytes },
Field { number: 6, name: "options", repeated: false, kind: Kind::Message(14) },
Field { number: 7, name: "parallelism", repeated: false, kind: Kind::Uint32 },
Field { number: 8, name: "reduce", repeated: false, kind: Kind::Text },
Field { number: 9, name: "reduce_on", repeated: false, kind: Kind::Enum },
Field { number: 10, name: "mapped", repeated: false, kind: Kind::Bool },
] },
Message { name: "SplitConfirmation", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "offset", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "verdict", repeated: false, kind: Kind::Enum },
Field { number: 5, name: "error", repeated: false, kind: Kind::Text },
Field { number: 6, name: "taken", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "FetchResults", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "cursor", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "limit", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "ResultsPage", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "cursor", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "results", repeated: true, kind: Kind::Message(135) },
Field { number: 5, name: "next", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "error", repeated: false, kind: Kind::Text },
] },
Message { name: "SubtaskResult", fields: &[
Field { number: 1, name: "index", repeated: false, kind: Kind::Uint64 },
Field { number: 2, name: "succeeded", repeated: false, kind: Kind::Bool },
Field { number: 3, name: "result", repeated: false, kind: Kind::Bytes },
Field { number: 4, name: "error", repeated: false, kind: Kind::Text },
] },
Message { name: "Renewed", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "lease_ms", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Hello", fields: &[
Field { number: 1, name: "worker_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "group", repeated: false, kind: Kind::Text },
Field { number: 3, name: "handlers", repeated: true, kind: Kind::Text },
Field { number: 4, name: "permits", repeated: false, kind: Kind::Uint32 },
Field { number: 5, name: "tags", repeated: true, kind: Kind::Text },
Field { number: 6, name: "sdk_version", repeated: false, kind: Kind::Text },
Field { number: 7, name: "host", repeated: false, kind: Kind::Text },
Field { number: 8, name: "running", repeated: true, kind: Kind::Message(146) },
Field { number: 9, name: "cpus", repeated: false, kind: Kind::Uint32 },
Field { number: 10, name: "resources", repeated: true, kind: Kind::Message(138) },
Field { number: 11, name: "protocol", repeated: false, kind: Kind::Uint32 },
Field { number: 12, name: "protocol_least", repeated: false, kind: Kind::Uint32 },
Field { number: 13, name: "capabilities", repeated: true, kind: Kind::Text },
] },
Message { name: "Hello.ResourcesEntry", fields: &[
Field { number: 1, name: "key", repeated: false, kind: Kind::Text },
Field { number: 2, name: "value", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Welcome", fields: &[
Field { number: 1, name: "tracker_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "roster", repeated: false, kind: Kind::Message(140) },
Field { number: 3, name: "heartbeat_interval_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "lease_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "body_bytes_max", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "result_bytes_max", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "log_line_bytes_max", repeated: false, kind: Kind::Uint64 },
Field { number: 8, name: "accept_after_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 9, name: "protocol", repeated: false, kind: Kind::Uint32 },
Field { number: 10, name: "capabilities", repeated: true, kind: Kind::Text },
Field { number: 11, name: "version", repeated: false, kind: Kind::Text },
Field { number: 12, name: "frame_bytes_max", repeated: false, kind: Kind::Uint64 },
Field { number: 13, name: "frame_items_max", repeated: false, kind: Kind::Uint32 },
Field { number: 14, name: "frame_questions_max", repeated: false, kind: Kind::Uint32 },
Field { number: 15, name: "frame_pause_us", repeated: false, kind: Kind::Uint64 },
Field { number: 16, name: "renew_lease_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 17, name: "ping_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 18, name: "drain_deadline_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 19, name: "hello_running_max", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "Roster", fields: &[
Field { number: 1, name: "tracker_urls", repeated: true, kind: Kind::Text },
] },
Message { name: "Units", fields: &[
Field { number: 1, name: "amounts", repeated: true, kind: Kind::Message(142) },
] },
Message { name: "Units.AmountsEntry", fields: &[
Field { number: 1, name: "key", repeated: false, kind: Kind::Text },
Field { number: 2, name: "value", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Heartbeat", fields: &[
Field { number: 1, name: "primary", repeated: false, kind: Kind::Bool },
Field { number: 2, name: "report", repeated: false, kind: Kind::Message(144) },
Field { number: 3, name: "resources", repeated: true, kind: Kind::Message(19) },
] },
Message { name: "Report", fields: &[
Field { number: 1, name: "running", repeated: false, kind: Kind::Uint32 },
Field { number: 2, name: "cpu_load", repeated: false, kind: Kind::Float },
Field { number: 3, name: "memory_used_bytes", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "memory_total_bytes", repeated: false, kind: Kind::Uint64 },
Field { number: 5, name: "cpus", repeated: false, kind: Kind::Uint32 },
Field { number: 6, name: "response_ms", repeated: false, kind: Kind::Float },
Field { number: 7, name: "load", repeated: false, kind: Kind::Float },
] },
Message { name: "Credit", fields: &[
Field { number: 1, name: "free", repeated: false, kind: Kind::Uint32 },
Field { number: 2, name: "received", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "AttemptRef", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
] },
Message { name: "Rejection", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "reason", repeated: false, kind: Kind::Enum },
Field { number: 4, name: "handler", repeated: false, kind: Kind::Text },
] },
Message { name: "Progress", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "percent", repeated: false, kind: Kind::Uint32 },
Field { number: 4, name: "message", repeated: false, kind: Kind::Text },
] },
Message { name: "LogLine", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "line", repeated: false, kind: Kind::Text },
Field { number: 4, name: "level", repeated: false, kind: Kind::Enum },
Field { number: 5, name: "age_ms", repeated: false, kind: Kind::Uint32 },
Field { number: 6, name: "lost", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Settlement", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "outcome", repeated: false, kind: Kind::Enum },
Field { number: 4, name: "error", repeated: false, kind: Kind::Text },
Field { number: 5, name: "result", repeated: false, kind: Kind::Bytes },
Field { number: 6, name: "retry_after_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "ran_us", repeated: false, kind: Kind::Uint64 },
Field { number: 8, name: "error_type", repeated: false, kind: Kind::Text },
] },
Message { name: "Assignment", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "handler", repeated: false, kind: Kind::Text },
Field { number: 4, name: "body", repeated: false, kind: Kind::Bytes },
Field { number: 5, name: "due_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 6, name: "lease_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 7, name: "timeout_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 8, name: "cancel_grace_ms", repeated: false, kind: Kind::Uint64 },
Field { number: 9, name: "job", repeated: false, kind: Kind::Text },
Field { number: 10, name: "failures", repeated: false, kind: Kind::Uint32 },
Field { number: 11, name: "max_attempts", repeated: false, kind: Kind::Uint32 },
Field { number: 12, name: "subtask", repeated: false, kind: Kind::Message(153) },
Field { number: 13, name: "requires", repeated: true, kind: Kind::Message(152) },
Field { number: 14, name: "upstream", repeated: false, kind: Kind::Message(21) },
] },
Message { name: "Assignment.RequiresEntry", fields: &[
Field { number: 1, name: "key", repeated: false, kind: Kind::Text },
Field { number: 2, name: "value", repeated: false, kind: Kind::Uint64 },
] },
Message { name: "Subtask", fields: &[
Field { number: 1, name: "kind", repeated: false, kind: Kind::Enum },
Field { number: 2, name: "index", repeated: false, kind: Kind::Uint64 },
Field { number: 3, name: "total", repeated: false, kind: Kind::Uint64 },
Field { number: 4, name: "parameter", repeated: false, kind: Kind::Text },
] },
Message { name: "CancelAttempt", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "reason", repeated: false, kind: Kind::Enum },
] },
Message { name: "Confirmation", fields: &[
Field { number: 1, name: "context_id", repeated: false, kind: Kind::Text },
Field { number: 2, name: "attempt", repeated: false, kind: Kind::Uint32 },
Field { number: 3, name: "verdict", repeated: false, kind: Kind::Enum },
Field { number: 4, name: "error", repeated: false, kind: Kind::Text },
] },
];

pub static METHODS: &[Method] = &[
Method { service: "SchedulerService", name: "ApplyJobs", takes: 48, answers: 49, streams: false },
Method { service: "SchedulerService", name: "ListJobs", takes: 51, answers: 52, streams: false },
Method { service: "SchedulerService", name: "GetJob", takes: 47, answers: 40, streams: false },
Method { service: "SchedulerService", name: "PauseJob", takes: 53, answers: 40, streams: false },
Method { service: "SchedulerService", name: "ResumeJob", takes: 47, answers: 40, streams: false },
Method { service: "SchedulerService", name: "DeleteJob", takes: 54, answers: 55, streams: false },
Method { service: "SchedulerService", name: "RunJob", takes: 56, answers: 71, streams: false },
Method { service: "SchedulerService", name: "PreviewJob", takes: 57, answers: 58, streams: false },
Method { service: "SchedulerService", name: "GetLedger", takes: 59, answers: 60, streams: false },
Method { service: "SchedulerService", name: "GetJobStats", takes: 61, answers: 62, streams: false },
Method { service: "SchedulerService", name: "ExplainJob", takes: 65, answers: 66, streams: false },
Method { service: "SchedulerService", name: "Submit", takes: 68, answers: 72, streams: false },
Method { service: "SchedulerService", name: "FindContext", takes: 70, answers: 44, streams: false },
Method { service: "SchedulerService", name: "ListContexts", takes: 78, answers: 81, streams: false },
Method { service: "SchedulerService", name: "GetContext", takes: 73, answers: 44, streams: false },
Method { service: "SchedulerService", name: "ExplainContext", takes: 73, answers: 67, streams: false },
Method { service: "SchedulerService", name: "GetLog", takes: 74, answers: 75, streams: false },
Method { service: "SchedulerService", name: "CancelContext", takes: 73, answers: 87, streams: false },
Method { service: "SchedulerService", name: "RetryContext", takes: 73, answers: 44, streams: false },
Method { service: "SchedulerService", name: "ListSubtasks", takes: 76, answers: 77, streams: false },
Method { service: "SchedulerService", name: "ListDead", takes: 83, answers: 84, streams: false },
Method { service: "SchedulerService", name: "RequeueDead", takes: 85, answers: 86, streams: false },
Method { service: "SchedulerService", name: "PurgeDead", takes: 85, answers: 86, streams: false },
Method { service: "SchedulerService", name: "WaitContext", takes: 88, answers: 44, streams: false },
Method { service: "SchedulerService", name: "ListWorkers", takes: 89, answers: 90, streams: false },
Method { service: "SchedulerService", name: "DrainWorker", takes: 92, answers: 91, streams: false },
Method { service: "SchedulerService", name: "UndrainWorker", takes: 92, answers: 91, streams: false },
Method { service: "SchedulerService", name: "GetCluster", takes: 105, answers: 106, streams: false },
Method { service: "SchedulerService", name: "GetOverview", takes: 107, answers: 108, streams: false },
Method { service: "SchedulerService", name: "GetWheel", takes: 112, answers: 113, streams: false },
Method { service: "SchedulerService", name: "ListUpcoming", takes: 117, answers: 118, streams: false },
Method { service: "SchedulerService", name: "Subscribe", takes: 120, answers: 121, streams: false },
Method { service: "SchedulerService", name: "SetLimits", takes: 93, answers: 93, streams: false },
Method { service: "SchedulerService", name: "ListLimits", takes: 97, answers: 98, streams: false },
Method { service: "SchedulerService", name: "ListGroups", takes: 99, answers: 100, streams: false },
Method { service: "SchedulerService", name: "PauseGroup", takes: 102, answers: 103, streams: false },
Method { service: "SchedulerService", name: "ResumeGroup", takes: 101, answers: 103, streams: false },
Method { service: "SchedulerService", name: "MakeLoginLink", takes: 4, answers: 5, streams: false },
Method { service: "SchedulerService", name: "MakeToken", takes: 2, answers: 3, streams: false },
Method { service: "SchedulerService", name: "RotateToken", takes: 6, answers: 3, streams: false },
Method { service: "SchedulerService", name: "RevokeToken", takes: 7, answers: 8, streams: false },
Method { service: "SchedulerService", name: "ListTokens", takes: 9, answers: 10, streams: false },
Method { service: "SchedulerService", name: "ListAudit", takes: 11, answers: 12, streams: false },
Method { service: "WorkerService", name: "Session", takes: 129, answers: 130, streams: true },
];

impl Spoken for crate::v1::ApplyJobsRequest { const PLACE: usize = 48; }
impl Spoken for crate::v1::ApplyJobsResponse { const PLACE: usize = 49; }
impl Spoken for crate::v1::CancelContextResponse { const PLACE: usize = 87; }
impl Spoken for crate::v1::ChangeDeadRequest { const PLACE: usize = 85; }
impl Spoken for crate::v1::ChangeDeadResponse { const PLACE: usize = 86; }
impl Spoken for crate::v1::Cluster { const PLACE: usize = 106; }
impl Spoken for crate::v1::Context { const PLACE: usize = 44; }
impl Spoken for crate::v1::ContextRef { const PLACE: usize = 73; }
impl Spoken for crate::v1::DeleteJobRequest { const PLACE: usize = 54; }
impl Spoken for crate::v1::DeleteJobResponse { const PLACE: usize = 55; }
impl Spoken for crate::v1::ExplainContextResponse { const PLACE: usize = 67; }
impl Spoken for crate::v1::ExplainJobRequest { const PLACE: usize = 65; }
impl Spoken for crate::v1::ExplainJobResponse { const PLACE: usize = 66; }
impl Spoken for crate::v1::FindContextRequest { const PLACE: usize = 70; }
impl Spoken for crate::v1::GetClusterRequest { const PLACE: usize = 105; }
impl Spoken for crate::v1::GetJobStatsRequest { const PLACE: usize = 61; }
impl Spoken for crate::v1::GetLedgerRequest { const PLACE: usize = 59; }
impl Spoken for crate::v1::GetLedgerResponse { const PLACE: usize = 60; }
impl Spoken for crate::v1::GetLogRequest { const PLACE: usize = 74; }
impl Spoken for crate::v1::GetLogResponse { const PLACE: usize = 75; }
impl Spoken for crate::v1::GetOverviewRequest { const PLACE: usize = 107; }
impl Spoken for crate::v1::GetWheelRequest { const PLACE: usize = 112; }
impl Spoken for crate::v1::Group { const PLACE: usize = 103; }
impl Spoken for crate::v1::GroupLimits { const PLACE: usize = 93; }
impl Spoken for crate::v1::GroupRef { const PLACE: usize = 101; }
impl Spoken for crate::v1::Job { const PLACE: usize = 40; }
impl Spoken for crate::v1::JobRef { const PLACE: usize = 47; }
impl Spoken for crate::v1::JobStats { const PLACE: usize = 62; }
impl Spoken for crate::v1::ListAuditRequest { const PLACE: usize = 11; }
impl Spoken for crate::v1::ListAuditResponse { const PLACE: usize = 12; }
impl Spoken for crate::v1::ListContextsRequest { const PLACE: usize = 78; }
impl Spoken for crate::v1::ListContextsResponse { const PLACE: usize = 81; }
impl Spoken for crate::v1::ListDeadRequest { const PLACE: usize = 83; }
impl Spoken for crate::v1::ListDeadResponse { const PLACE: usize = 84; }
impl Spoken for crate::v1::ListGroupsRequest { const PLACE: usize = 99; }
impl Spoken for crate::v1::ListGroupsResponse { const PLACE: usize = 100; }
impl Spoken for crate::v1::ListJobsRequest { const PLACE: usize = 51; }
impl Spoken for crate::v1::ListJobsResponse { const PLACE: usize = 52; }
impl Spoken for crate::v1::ListLimitsRequest { const PLACE: usize = 97; }
impl Spoken for crate::v1::ListLimitsResponse { const PLACE: usize = 98; }
impl Spoken for crate::v1::ListSubtasksRequest { const PLACE: usize = 76; }
impl Spoken for crate::v1::ListSubtasksResponse { const PLACE: usize = 77; }
impl Spoken for crate::v1::ListTokensRequest { const PLACE: usize = 9; }
impl Spoken for crate::v1::ListTokensResponse { const PLACE: usize = 10; }
impl Spoken for crate::v1::ListUpcomingRequest { const PLACE: usize = 117; }
impl Spoken for crate::v1::ListUpcomingResponse { const PLACE: usize = 118; }
impl Spoken for crate::v1::ListWorkersRequest { const PLACE: usize = 89; }
impl Spoken for crate::v1::ListWorkersResponse { const PLACE: usize = 90; }
impl Spoken for crate::v1::LoginLink { const PLACE: usize = 5; }
impl Spoken for crate::v1::MadeToken { const PLACE: usize = 3; }
impl Spoken for crate::v1::MakeLoginLinkRequest { const PLACE: usize = 4; }
impl Spoken for crate::v1::MakeTokenRequest { const PLACE: usize = 2; }
impl Spoken for crate::v1::Overview { const PLACE: usize = 108; }
impl Spoken for crate::v1::PauseGroupRequest { const PLACE: usize = 102; }
impl Spoken for crate::v1::PauseJobRequest { const PLACE: usize = 53; }
impl Spoken for crate::v1::PreviewJobRequest { const PLACE: usize = 57; }
impl Spoken for crate::v1::PreviewJobResponse { const PLACE: usize = 58; }
impl Spoken for crate::v1::RevokeTokenRequest { const PLACE: usize = 7; }
impl Spoken for crate::v1::RevokeTokenResponse { const PLACE: usize = 8; }
impl Spoken for crate::v1::RotateTokenRequest { const PLACE: usize = 6; }
impl Spoken for crate::v1::RunJobRequest { const PLACE: usize = 56; }
impl Spoken for crate::v1::StreamEvent { const PLACE: usize = 121; }
impl Spoken for crate::v1::SubmitRequest { const PLACE: usize = 68; }
impl Spoken for crate::v1::SubmitResponse { const PLACE: usize = 72; }
impl Spoken for crate::v1::Submitted { const PLACE: usize = 71; }
impl Spoken for crate::v1::SubscribeRequest { const PLACE: usize = 120; }
impl Spoken for crate::v1::TrackerMessage { const PLACE: usize = 130; }
impl Spoken for crate::v1::WaitContextRequest { const PLACE: usize = 88; }
impl Spoken for crate::v1::Wheel { const PLACE: usize = 113; }
impl Spoken for crate::v1::Worker { const PLACE: usize = 91; }
impl Spoken for crate::v1::WorkerMessage { const PLACE: usize = 129; }
impl Spoken for crate::v1::WorkerRef { const PLACE: usize = 92; }
