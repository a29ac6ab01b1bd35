//! `tickwheel cluster`

use crate::args::Global;
use crate::failure::Failure;
use crate::views::ClusterView;

pub(crate) async fn run(global: &Global) -> Result<(), Failure> {
    let client = super::connect(global).await?;
    let cluster = client.cluster().await?;
    global.output.detail(&ClusterView::from(cluster))
}
