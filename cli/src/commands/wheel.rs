//! `tickwheel wheel`

use std::time::Duration;

use clap::Args;
use tickwheel_api::answers::Wheel;
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::{Global, duration};
use crate::views::wheel_text;

#[derive(Debug, Args)]
pub(crate) struct WheelArgs {
    /// The width of a span of time: 1s, 10s, 1m, 10m, 1h or 1d
    #[arg(long, default_value = "1s", value_parser = width, value_name = "DURATION")]
    width: Duration,
    /// How many spans of time
    #[arg(short = 'n', long, default_value_t = 60, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=60))]
    buckets: u32,
}

/// One of the widths that there are.
fn width(text: &str) -> Result<Duration, String> {
    let width = duration(text)?;
    match width.as_millis() {
        1_000 | 10_000 | 60_000 | 600_000 | 3_600_000 | 86_400_000 => Ok(width),
        _ => Err("is 1s, 10s, 1m, 10m, 1h or 1d".to_owned()),
    }
}

pub(crate) async fn run(global: &Global, args: WheelArgs) -> Result<(), Failure> {
    let request = v1::GetWheelRequest {
        width_ms: u64::try_from(args.width.as_millis()).unwrap_or(u64::MAX),
        buckets: args.buckets,
    };
    let client = global.connect().await?;
    let wheel = Wheel::from(client.wheel(request).await?);
    global.output.thing(&wheel, || wheel_text(&wheel))
}
