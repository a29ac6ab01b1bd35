//! Tokens, and what was done by them.

use tickwheel_api::answers::{AuditEvent, Token};
use tickwheel_core::time::TimestampMs;

use crate::output::Row;

fn at(ms: u64) -> String {
    match ms {
        0 => "-".to_owned(),
        ms => TimestampMs::new(ms).to_string(),
    }
}

impl Row for Token {
    const HEADERS: &'static [&'static str] = &[
        "id",
        "name",
        "role",
        "reaches",
        "may",
        "made",
        "last used",
        "ends",
    ];

    fn cells(&self) -> Vec<String> {
        let words = |texts: &[String]| texts.join(" ");
        let scope = self.scope.as_ref();
        let reaches = scope.map(|scope| {
            let all = [
                ("", &scope.namespaces),
                ("group ", &scope.groups),
                ("handler ", &scope.handlers),
            ];
            let named = all.into_iter().filter(|(kind, patterns)| {
                let is_any = patterns.iter().any(|pattern| pattern == "*");
                !patterns.is_empty() && (kind.is_empty() || !is_any)
            });
            let texts = named.map(|(kind, patterns)| format!("{kind}{}", words(patterns)));
            texts.collect::<Vec<_>>().join(", ")
        });
        let may = scope.map(|scope| {
            let rates = [
                (self.calls_per_second, "calls/s"),
                (self.bytes_per_second, "bytes/s"),
            ];
            let rates = rates.into_iter();
            let rates = rates.filter_map(|(rate, of)| Some(format!("{} {of}", rate?)));
            let all: Vec<String> = scope.permissions.iter().cloned().chain(rates).collect();
            words(&all)
        });
        vec![
            self.id.clone(),
            self.name.clone(),
            scope.map_or_else(String::new, |scope| scope.role.to_owned()),
            reaches.unwrap_or_default(),
            may.unwrap_or_default(),
            at(self.made_ms),
            at(self.last_used_ms),
            at(self.not_after_ms),
        ]
    }
}

impl Row for AuditEvent {
    const HEADERS: &'static [&'static str] = &[
        "time", "token", "role", "peer", "method", "result", "times", "objects",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            at(self.time_ms),
            self.token.clone(),
            self.role.clone(),
            self.peer.clone(),
            self.method.clone(),
            self.result.clone(),
            self.count.to_string(),
            self.objects.join(", "),
        ]
    }
}
