//! The paths of a tracker's violations, in the words of a request.

use super::tree;

/// The path as whoever wrote the request finds it: `contexts[2].options.retry.delay_ms` is `[2].retries.delay` in a list, and
/// `retries.delay` in a request that is one submission.
#[must_use]
pub fn place_in(body: &[u8], field: &str) -> String {
    let inner = ["contexts[", "jobs["]
        .into_iter()
        .find_map(|list| field.strip_prefix(list));
    let Some((index, rest)) = inner.and_then(|inner| inner.split_once(']')) else {
        return match field {
            "contexts" | "jobs" => String::new(),
            field => in_words(field),
        };
    };
    let rest = in_words(rest.trim_start_matches('.'));
    match (tree::is_list(body), rest.as_str()) {
        (false, _) => rest,
        (true, "") => format!("[{index}]"),
        (true, rest) => format!("[{index}].{rest}"),
    }
}

/// The path below a submission or a job.
pub(crate) fn in_words(field: &str) -> String {
    let field = field.strip_prefix("options.").unwrap_or(field);
    let field = match field {
        "trigger.cron.expression" => "trigger.cron",
        "trigger.fixed_rate.period_ms" => "trigger.fixed_rate",
        "trigger.fixed_delay.delay_ms" => "trigger.fixed_delay",
        "trigger.once.at_ms" => "trigger.once",
        "trigger.after.job" => "trigger.after",
        field => field,
    };
    let field = field.strip_suffix("_ms").unwrap_or(field);
    match field.strip_prefix("retry.") {
        Some(rest) => format!("retries.{rest}"),
        None => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_request() {
        for (body, field, place) in [
            (
                "[{}]",
                "contexts[2].options.retry.delay_ms",
                "[2].retries.delay",
            ),
            (" {}", "contexts[0].options.retry.delay_ms", "retries.delay"),
            ("[]", "jobs[1]", "[1]"),
            ("[]", "jobs", ""),
            ("{}", "jobs[0].trigger.cron.expression", "trigger.cron"),
            ("", "filter.group", "filter.group"),
            ("", "dedup_keep_ms", "dedup_keep"),
            ("", "ids[3]", "ids[3]"),
        ] {
            assert_eq!(place_in(body.as_bytes(), field), place, "{field}");
        }
    }
}
