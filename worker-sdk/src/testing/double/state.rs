//! What a tracker double knows.

use parking_lot::{Mutex, MutexGuard};
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::{TrackerMessage, Welcome};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::fans::Fans;
use super::heard::Heard;

#[derive(Debug)]
pub(super) struct State {
    pub(super) inner: Mutex<Inner>,
    pub(super) changed: Notify,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) heard: Heard,
    pub(super) welcome: Welcome,
    pub(super) renews: bool,
    /// `None`: outcomes are not confirmed.
    pub(super) verdict: Option<Verdict>,
    pub(super) open: bool,
    pub(super) fans: Fans,
    pub(super) streams: Vec<StreamHandle>,
}

#[derive(Debug, Clone)]
pub(super) struct StreamHandle {
    pub(super) id: usize,
    pub(super) to_worker: mpsc::Sender<Result<TrackerMessage, Status>>,
    pub(super) stop: CancellationToken,
}

impl State {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }
}
