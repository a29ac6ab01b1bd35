//! What is asked about groups, their workers and their limits, and about the cluster.

use serde_json::Value;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::GroupName;
use tickwheel_core::manifest::read_limits;
use tickwheel_core::shape::{Maybe, Name, Record, TEXT, Visitor, optional, place};
use tickwheel_proto::v1;

use super::asked::Asked;
use super::{record, tree};

/// Which workers are listed.
pub(crate) struct WorkersQuery {
    group: Option<GroupName>,
}

impl Record for WorkersQuery {
    fn blank() -> Self {
        Self { group: None }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "Only those of this group.";
        visit.field(optional("group", about), Maybe(Name), place!(Self: group));
    }
}

/// The live workers.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn list_workers(asked: &Asked<'_>) -> Result<v1::ListWorkersRequest, Violations> {
    let query: WorkersQuery = record::of_query(asked.query, &[])?;
    Ok(v1::ListWorkersRequest {
        group: query.group.map(String::from).unwrap_or_default(),
    })
}

/// A worker by the name in the path.
///
/// # Errors
/// When there are parameters.
pub fn named_worker(asked: &Asked<'_>) -> Result<v1::WorkerRef, Violations> {
    nothing(asked)?;
    Ok(v1::WorkerRef {
        id: asked.name.to_owned(),
    })
}

/// What needs no more than its path.
///
/// # Errors
/// When there are parameters.
pub fn nothing(asked: &Asked<'_>) -> Result<(), Violations> {
    let record::Nothing = record::of_query(asked.query, &[])?;
    Ok(())
}

/// The limits of a group in place of those it had.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn set_limits(asked: &Asked<'_>) -> Result<v1::GroupLimits, Violations> {
    let text = tree::checked(asked.body)?;
    let mut found = Violations::new();
    found.keep(nothing(asked));
    let Some(mut map) = tree::object(text, &mut found) else {
        return Err(found);
    };
    let other = map.get("group").and_then(Value::as_str);
    if let Some(other) = other.filter(|other| *other != asked.name) {
        found.push(Violation::new("group", "is the one of the path", other));
    }
    map.insert("group".to_owned(), Value::from(asked.name));
    match found.keep(read_limits(&Value::Object(map))) {
        Some(spec) if found.is_empty() => Ok(v1::GroupLimits {
            group: spec.group.into(),
            ..v1::GroupLimits::from(&spec.limits)
        }),
        Some(_) | None => Err(found),
    }
}

/// No limits for a group.
///
/// # Errors
/// When there are parameters.
pub fn remove_limits(asked: &Asked<'_>) -> Result<v1::GroupLimits, Violations> {
    nothing(asked)?;
    Ok(v1::GroupLimits {
        group: asked.name.to_owned(),
        ..v1::GroupLimits::default()
    })
}

/// Why a group is paused.
pub(crate) struct GroupPause {
    note: String,
}

impl Record for GroupPause {
    fn blank() -> Self {
        let note = String::new();
        Self { note }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "Why, at most 100 letters on one line; whoever asks why a run waits is told.";
        visit.field(optional("note", about), TEXT, place!(Self: note));
    }
}

/// The pause of a group.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn pause_group(asked: &Asked<'_>) -> Result<v1::PauseGroupRequest, Violations> {
    let (name, pause) = (
        named_group(asked),
        record::of_json::<GroupPause>(asked.body),
    );
    let mut found = Violations::new();
    match (found.keep(name), found.keep(pause)) {
        (Some(group), Some(pause)) => Ok(v1::PauseGroupRequest {
            name: group.name,
            note: pause.note,
        }),
        (None, _) | (_, None) => Err(found),
    }
}

/// A group by its name.
///
/// # Errors
/// When there are parameters.
pub fn named_group(asked: &Asked<'_>) -> Result<v1::GroupRef, Violations> {
    nothing(asked)?;
    Ok(v1::GroupRef {
        name: asked.name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(body: &str) -> Result<v1::GroupLimits, String> {
        let asked = Asked {
            name: "heavy",
            query: "",
            body: body.as_bytes(),
        };
        set_limits(&asked).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn limits_have_the_words_of_a_document() {
        let limits = set(
            r#"{"concurrency": 5, "per_key": {"rate": "3/s"}, "keys": {"acme": {"concurrency": 1}}}"#,
        );
        let limits = limits.unwrap();
        assert_eq!(limits.group, "heavy");
        assert_eq!(limits.all.unwrap().concurrency, Some(5));
        assert_eq!(limits.per_key.unwrap().rate.unwrap().starts, 3);
        assert!(set("{}").unwrap_err().contains("has a limit"));
        let wrong = set(r#"{"group": "light", "concurency": 5, "rate": "fast"}"#).unwrap_err();
        for line in [
            "group: is the one of the path",
            "concurency: is not a known key; did you mean `concurrency`?",
            "rate: is a number of starts",
        ] {
            assert!(wrong.contains(line), "{line}: {wrong}");
        }
    }
}
