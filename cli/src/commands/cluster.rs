//! `tickwheel cluster`

use tickwheel_api::answers::Cluster;

use crate::failure::Failure;
use crate::global::Global;

pub(crate) async fn run(global: &Global) -> Result<(), Failure> {
    let client = global.connect().await?;
    let cluster = client.cluster().await?;
    global.output.detail(&Cluster::from(cluster))
}
