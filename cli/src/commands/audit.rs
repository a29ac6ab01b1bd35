//! `tickwheel audit`: what was done and refused.

use clap::Args;
use tickwheel_api::answers::AuditEvent;
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::Global;
use crate::output::tell_unreadable;

/// Events of one call.
const PAGE: u32 = 1_000;

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// How many events
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Only of this token
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    token: String,
    /// Only of this method, say DeleteJob
    #[arg(
        long,
        value_name = "METHOD",
        default_value = "",
        hide_default_value = true
    )]
    method: String,
    /// Only what was refused
    #[arg(long)]
    denied: bool,
}

pub(crate) async fn run(global: &Global, args: AuditArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let (mut rows, mut unreadable, mut cursor) = (Vec::new(), 0, String::new());
    while rows.len() < args.limit {
        let page = client
            .audit(v1::ListAuditRequest {
                page_size: PAGE,
                cursor,
                token_id: args.token.clone(),
                method: args.method.clone(),
                denied: args.denied,
            })
            .await?;
        unreadable += page.unreadable;
        rows.extend(page.events.into_iter().map(AuditEvent::from));
        cursor = page.next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    rows.truncate(args.limit);
    tell_unreadable(unreadable);
    global.output.list(&rows)
}
