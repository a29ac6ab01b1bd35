//! Telling how it goes: log lines and the newest progress are kept with the context.

use std::time::Duration;

use tickwheel_worker::{Context, Error, HandlerResult, Stopped, Worker};

async fn import(ctx: Context, files: Vec<String>) -> HandlerResult<()> {
    let count = files.len().max(1);
    for (done, file) in files.iter().enumerate() {
        ctx.log(format!("importing {file}"));
        let percent = u32::try_from(done * 100 / count)?;
        ctx.progress(percent, file);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    ctx.progress(100, "all files are in");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<Stopped, Error> {
    tracing_subscriber::fmt().init();
    Worker::builder("http://127.0.0.1:7400")
        .handle("import", import)
        .run()
        .await
}
