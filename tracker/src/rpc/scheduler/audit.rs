//! What was done and refused.

use tickwheel_core::error::Violation;
use tickwheel_proto::v1;
use tickwheel_store::audit::AuditEntry;

use super::call::Call;
use super::given::Count;
use crate::error::Error;

const PAGE: Count = Count {
    default: 100,
    most: 1_000,
};

pub(super) async fn list(
    call: &Call<'_>,
    request: v1::ListAuditRequest,
) -> Result<v1::ListAuditResponse, Error> {
    if !call.caller.sight().is_everything() {
        // Events name what others have.
        let rule = "is of every namespace, group and handler, to see what everybody did";
        return Err(Error::Denied(Violation::new("scope", rule, "").into()));
    }
    let size = PAGE.read("page_size", request.page_size)?;
    let page = call.store.list_audit(&request.cursor, size).await?;
    let is_asked_for = |entry: &AuditEntry| {
        let event = &entry.event;
        (request.token_id.is_empty() || event.token == request.token_id)
            && (request.method.is_empty() || event.method == request.method)
            && (!request.denied || event.result != "OK")
    };
    let next_cursor = page.next.clone();
    let unreadable = page.unreadable;
    Ok(v1::ListAuditResponse {
        events: page.into_iter().filter(is_asked_for).map(shown).collect(),
        next_cursor,
        unreadable,
    })
}

fn shown(entry: AuditEntry) -> v1::AuditEvent {
    let AuditEntry { at, event } = entry;
    v1::AuditEvent {
        time_ms: at.as_u64(),
        token_id: event.token,
        role: event.role,
        peer: event.peer,
        method: event.method,
        objects: event.objects,
        result: event.result,
        request_id: event.request,
        count: event.count,
        tracker_id: event.tracker,
    }
}
