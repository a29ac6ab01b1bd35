//! Submits a task and works on it in one program: `tickwheel dev` in another terminal, then this.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tickwheel_client::{Client, Submission, Task};
use tickwheel_worker::{Context, Worker};

const TRACKER: &str = "http://127.0.0.1:7400";

#[derive(Debug, Serialize, Deserialize)]
struct Greet {
    name: String,
}

impl Task for Greet {
    const HANDLER: &'static str = "greet";
    const GROUP: &'static str = "examples";
    type Output = String;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let worker = Worker::builder(TRACKER)
        .group(Greet::GROUP)
        .task(|ctx: Context, greet: Greet| async move {
            ctx.log(format!("greeting {}", greet.name));
            Ok(format!("hello, {}", greet.name))
        })
        .start()?;

    let client = Client::connect([TRACKER]).await?;
    let ada = Greet { name: "Ada".into() };
    let now = client.submit(&ada).await?;
    // In a second, and once however often this is sent.
    let later = Submission::of(&ada)?
        .delay(Duration::from_secs(1))
        .dedup_key("greeting of Ada");
    let later = client.send(later).await?;
    for run in [now, later] {
        let answer = run.result(Some(Duration::from_secs(30))).await?;
        #[expect(clippy::print_stdout, reason = "an example shows what it does")]
        {
            println!("{}: {answer}", run.id());
        }
    }

    worker.drain().await?;
    Ok(())
}
