//! `tickwheel cluster`

use crate::failure::Failure;
use crate::global::Global;
use crate::views::ClusterView;

pub(crate) async fn run(global: &Global) -> Result<(), Failure> {
    let client = global.connect().await?;
    let cluster = client.cluster().await?;
    global.output.detail(&ClusterView::from(cluster))
}
