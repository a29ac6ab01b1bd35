//! Static sharding: four regions, dealt out over the workers that are there when the job is due.
//!
//! `tickwheel dev`, `tickwheel apply -f deploy/examples/models.yaml`, two of this program, `tickwheel job run models/settlement`.

use tickwheel_worker::{Context, HandlerResult, Worker, fatal};

async fn settle(ctx: Context, (): ()) -> HandlerResult<String> {
    let shard = ctx
        .shard()
        .ok_or_else(|| fatal("this handler is for jobs with `model: sharding`"))?;
    ctx.log(format!(
        "{}: shard {} of {}",
        shard.parameter, shard.index, shard.total
    ));
    Ok(shard.parameter)
}

#[tokio::main]
async fn main() -> Result<(), tickwheel_worker::Error> {
    tracing_subscriber::fmt().init();
    Worker::builder("http://127.0.0.1:7400")
        .group("settlement")
        .handle("settle", settle)
        .run()
        .await
        .map(drop)
}
