//! Doing things once though attempts repeat: the idempotency key for other services, the fence for one's own store.

use std::collections::HashMap;

use parking_lot::Mutex;
use tickwheel_worker::{Context, Error, HandlerResult, Stopped, Worker, fatal};

/// Stands for a table with a column `fence`: a write with an older fence than the row's is refused.
#[derive(Default)]
struct Table(Mutex<HashMap<String, (u32, u64)>>);

impl Table {
    fn write(&self, key: &str, fence: u32, value: u64) -> bool {
        let mut rows = self.0.lock();
        let row = rows.entry(key.to_owned()).or_default();
        let newer = fence >= row.0;
        if newer {
            *row = (fence, value);
        }
        newer
    }
}

async fn settle_account(ctx: Context, cents: u64) -> HandlerResult<()> {
    // A payment service given the same key twice pays once.
    ctx.log(format!(
        "paying {cents} with idempotency key {}",
        ctx.idempotency_key()
    ));
    // This worker may have been frozen, and another attempt may have run meanwhile.
    let table: &Table = ctx.state()?;
    if !table.write(ctx.context_id(), ctx.fence(), cents) {
        return Err(fatal("a newer attempt has written already"));
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<Stopped, Error> {
    tracing_subscriber::fmt().init();
    Worker::builder("http://127.0.0.1:7400")
        .state(Table::default())
        .handle("settle", settle_account)
        .run()
        .await
}
