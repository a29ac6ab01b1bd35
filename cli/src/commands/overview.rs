//! `tickwheel overview`

use tickwheel_api::answers::Overview;

use crate::failure::Failure;
use crate::global::Global;
use crate::views::overview_text;

pub(crate) async fn run(global: &Global) -> Result<(), Failure> {
    let client = global.connect().await?;
    let overview = Overview::from(client.overview().await?);
    global.output.thing(&overview, || overview_text(&overview))
}
