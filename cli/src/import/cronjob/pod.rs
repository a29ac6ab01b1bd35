//! The Pod of a CronJob, which becomes data of the body.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use crate::import::draft::{Draft, Reason};
use crate::import::settings::Settings;

/// What starts a Pod when no setting names a handler.
const HANDLER: &str = "run-container";

const POD: Reason = Reason {
    why: "a worker runs handlers and no containers, so the Pod is data of the body, and nothing in it holds for the worker",
    todo: "write this handler: it starts the container, or does the work itself; \
         what the worker needs is said by `workers` and `resources`",
};

/// A Pod.
pub(super) struct Pod {
    spec: Map<String, Value>,
    /// Seconds that it may run.
    pub(super) deadline: Option<u64>,
    containers: Vec<String>,
}

/// Takes the Pod of a Job; one without a container is refused.
pub(super) fn of(job: &mut Fields<'_>, draft: &mut Draft) -> Pod {
    let template = job.map("template", draft);
    let spec = template.and_then(|map| {
        let mut template = Fields::new("spec.jobTemplate.spec.template.", map);
        template.pass("metadata");
        let spec = template.map("spec", draft);
        template.finish(draft);
        spec
    });
    let Some(spec) = spec else {
        draft.refuse("has no spec.jobTemplate.spec.template.spec");
        return Pod {
            spec: Map::new(),
            deadline: None,
            containers: Vec::new(),
        };
    };
    let mut fields = Fields::new("spec.jobTemplate.spec.template.spec.", spec);
    let deadline = fields.whole("activeDeadlineSeconds", draft);
    let containers = fields.list("containers", draft);
    let containers: Vec<String> = containers.into_iter().flatten().map(told).collect();
    if containers.is_empty() {
        draft.refuse("has no container");
    }
    Pod {
        spec: spec.clone(),
        deadline,
        containers,
    }
}

/// A container in a few words: its image, and what it runs.
fn told(container: &Value) -> String {
    let image = container.get("image").and_then(Value::as_str);
    let words = ["command", "args"]
        .into_iter()
        .filter_map(|key| container.get(key)?.as_array());
    let words: Vec<&str> = words.flatten().filter_map(Value::as_str).collect();
    format!("{} {}", image.unwrap_or("no image"), words.join(" "))
}

impl Pod {
    /// Writes handler and body.
    pub(super) fn write(self, settings: &Settings, draft: &mut Draft) {
        let handler = settings
            .handler
            .as_ref()
            .map_or(HANDLER, |name| name.as_str());
        draft.set("handler", json!(handler));
        let was: Vec<&str> = self.containers.iter().map(|one| one.trim()).collect();
        draft.differs(
            "Pod",
            was.join("; "),
            format!("body.pod, for the handler {handler}"),
            &POD,
        );
        draft.set("body", json!({ "pod": self.spec }));
    }
}
