//! `tickwheel cluster`

use tickwheel_proto::v1;

use crate::args::Global;
use crate::failure::Failure;
use crate::views::ClusterView;

pub(crate) async fn run(global: &Global) -> Result<(), Failure> {
    let client = super::connect(global).await?;
    let cluster = client
        .call(v1::GetClusterRequest {}, async |mut api, r| {
            api.get_cluster(r).await
        })
        .await?;
    global.output.detail(&ClusterView::from(cluster))
}
