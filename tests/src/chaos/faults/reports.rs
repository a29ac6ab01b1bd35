//! Reports that come twice, late, or from workers that lie.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::settlement::Outcome;
use tickwheel_proto::v1::worker_service_client::WorkerServiceClient;
use tickwheel_proto::v1::{
    Assignment, ContextState, Heartbeat, Hello, Rejection, Settlement, Submission, TrackerMessage,
    WorkerMessage, rejection,
};
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};

use super::pass;
use crate::chaos::case::Case;
use crate::chaos::stage::{Plan, Stage};
use crate::harness::jobs::submission;
use crate::harness::proxy::Mode;
use crate::harness::until;

const LIMIT: Duration = Duration::from_secs(20);
/// What a tracker makes of a worker that announces more.
const PERMITS_MAX: u64 = 65_536;

/// A worker that says what the test wants it to say.
struct Puppet {
    say: mpsc::Sender<WorkerMessage>,
    heard: Streaming<TrackerMessage>,
    confirmed: Vec<Verdict>,
}

impl Puppet {
    async fn connect(url: &str, id: &str, permits: u32) -> Result<Self> {
        let (say, said) = mpsc::channel(16);
        let hello = Hello {
            worker_id: id.to_owned(),
            group: "puppets".to_owned(),
            handlers: vec!["act".to_owned(), "unknown".to_owned()],
            permits,
            ..Hello::default()
        };
        let first = WorkerMessage {
            hello: Some(hello),
            heartbeat: Some(Heartbeat {
                primary: true,
                report: None,
                ..Heartbeat::default()
            }),
            ..WorkerMessage::default()
        };
        say.send(first).await?;
        let outgoing = futures::stream::unfold(said, async |mut said| {
            let message = said.recv().await?;
            Some((message, said))
        });
        let mut client = WorkerServiceClient::connect(url.to_owned()).await?;
        let heard = client.session(outgoing).await?.into_inner();
        Ok(Self {
            say,
            heard,
            confirmed: Vec::new(),
        })
    }

    async fn hear(&mut self) -> Result<Option<TrackerMessage>, Status> {
        let heard = tokio::time::timeout(LIMIT, self.heard.message()).await;
        let message = heard.map_err(|_| Status::deadline_exceeded("heard nothing"))??;
        if let Some(message) = &message {
            let verdicts = message.confirm.iter().map(|one| one.verdict());
            self.confirmed.extend(verdicts);
        }
        Ok(message)
    }

    async fn assignment(&mut self) -> Result<Assignment> {
        loop {
            let message = self.hear().await?.context("the stream ended")?;
            if let Some(assignment) = message.dispatch.into_iter().next() {
                return Ok(assignment);
            }
        }
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<()> {
        let message = WorkerMessage {
            settle: settlements,
            ..WorkerMessage::default()
        };
        Ok(self.say.send(message).await?)
    }

    async fn confirmations(&mut self, count: usize) -> Result<Vec<Verdict>> {
        while self.confirmed.len() < count {
            self.hear().await?.context("the stream ended")?;
        }
        Ok(std::mem::take(&mut self.confirmed))
    }
}

fn succeeded(assignment: &Assignment) -> Settlement {
    Settlement {
        context_id: assignment.context_id.clone(),
        attempt: assignment.attempt,
        outcome: Outcome::Succeeded.into(),
        ..Settlement::default()
    }
}

fn act(handler: &str) -> Submission {
    Submission {
        group: "puppets".to_owned(),
        ..submission(handler, 0)
    }
}

/// Three times the same report: twice in one frame, once more in the next.
pub(crate) async fn f14(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let url = stage.node(0)?.tracker.url.clone();
    let mut puppet = Puppet::connect(&url, "puppet-00000001", 1).await?;
    let id = stage.client(0)?.submit_one(act("act")).await?;
    let assignment = puppet.assignment().await?;
    case.mark();
    let report = succeeded(&assignment);
    puppet.settle(vec![report.clone(), report.clone()]).await?;
    puppet.settle(vec![report]).await?;
    let verdicts = puppet.confirmations(3).await?;
    let settled = verdicts
        .iter()
        .filter(|one| **one == Verdict::Settled)
        .count();
    let already = verdicts
        .iter()
        .filter(|one| **one == Verdict::AlreadySettled)
        .count();
    case.expect((settled, already) == (1, 2), || {
        format!("the answers were {verdicts:?}")
    });
    drop(puppet);
    let snapshot = case.judge(&mut stage).await?;
    let rows = snapshot
        .partitions
        .iter()
        .flat_map(|partition| &partition.settled)
        .filter(|settled| settled.id.as_str() == id)
        .count();
    case.note("history_rows", rows);
    case.expect(rows == 1, || format!("{rows} ends are in the history"));
    Ok(())
}

/// No tracker can be reached while handlers end: for three seconds, and for a minute.
pub(crate) async fn f15(case: &mut Case) -> Result<()> {
    let plan = Plan {
        workers: 1,
        rate: 0,
        jobs: false,
        ..Plan::default()
    };
    let mut stage = case.stage(plan).await?;
    for (cut_ms, reruns) in [(3_000, 0), (60_000, 20)] {
        let before = stage.rig.book.read()?.len();
        let contexts = (0..20).map(|_| submission("sleep", 2_500)).collect();
        let ids = stage.client(0)?.submit(contexts).await?;
        ids.iter().for_each(|id| stage.load.add(id));
        stage.started(before + 20).await?;
        // Until they are announced, and hold running leases.
        pass(1_000).await;
        case.mark();
        stage.cut_worker(0, Some(Mode::Stall))?;
        pass(cut_ms).await;
        stage.cut_worker(0, None)?;
        let healed = crate::harness::wall_ms();
        stage.rig.drained(LIMIT).await?;
        case.recovered(crate::harness::wall_ms() - healed);
        let runs = stage.rig.book.read()?.len() - before;
        case.note(&format!("runs_after_{cut_ms}_ms"), runs);
        case.expect(runs <= 20 + reruns, || {
            format!("{runs} runs of 20 contexts after a cut of {cut_ms} ms")
        });
    }
    case.judge(&mut stage).await?;
    Ok(())
}

/// Workers hear their trackers, and the trackers hear nothing; then all streams break.
pub(crate) async fn f16(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    for _ in 0..4 {
        case.mark();
        stage.cut_worker(0, Some(Mode::StallRequests))?;
        pass(800).await;
        stage.cut_worker(0, Some(Mode::Reset))?;
        pass(20).await;
        stage.cut_worker(0, None)?;
        pass(1_500).await;
    }
    case.judge(&mut stage).await?;
    let reruns = case.figures().reruns;
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    Ok(())
}

/// Permits without end, an id that lives already, handlers it does not know, reports of what it was never given.
pub(crate) async fn f48(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let url = stage.node(0)?.tracker.url.clone();
    case.mark();
    let mut first = Puppet::connect(&url, "liar-00000001", u32::MAX).await?;
    let permits = until("the liar is in the roster", LIMIT, async || {
        let workers = stage.rig.store.list_workers(None).await?;
        let liar = workers
            .iter()
            .find(|worker| worker.id.as_str() == "liar-00000001");
        Ok(u64::from(liar.context("it is not")?.report.permits))
    })
    .await?;
    case.note("permits_believed", permits);
    case.expect(permits <= PERMITS_MAX, || format!("{permits} permits"));
    let mut second = Puppet::connect(&url, "liar-00000001", 10).await?;
    let fenced = loop {
        match first.hear().await {
            Ok(Some(_)) => {}
            Ok(None) => break Code::Ok,
            Err(status) => break status.code(),
        }
    };
    case.expect(fenced == Code::AlreadyExists, || {
        format!("the older stream ended with {fenced:?}")
    });
    let id = stage.client(0)?.submit_one(act("unknown")).await?;
    refuse_unknown(&mut second).await?;
    lie(case, &stage, &mut second, &id).await?;
    stage.client(0)?.cancel(&id).await?;
    drop(second);
    case.judge(&mut stage).await?;
    Ok(())
}

async fn refuse_unknown(puppet: &mut Puppet) -> Result<()> {
    let given = puppet.assignment().await?;
    let rejected = vec![Rejection {
        context_id: given.context_id,
        attempt: given.attempt,
        reason: rejection::Reason::UnknownHandler.into(),
        handler: "unknown".to_owned(),
    }];
    let message = WorkerMessage {
        rejected,
        ..WorkerMessage::default()
    };
    Ok(puppet.say.send(message).await?)
}

/// Reports about a context that it does not hold, by numbers it was never given.
async fn lie(case: &mut Case, stage: &Stage, puppet: &mut Puppet, id: &str) -> Result<()> {
    let waiting = until("the context waits again", LIMIT, async || {
        let context = stage.client(0)?.context(id).await?;
        ensure!(
            context.state() == ContextState::Ready,
            "it is {}",
            context.state().as_str_name()
        );
        Ok(context)
    })
    .await?;
    let lies = [0, waiting.attempt, waiting.attempt + 1, u32::MAX];
    let reports = lies.iter().map(|attempt| Settlement {
        context_id: id.to_owned(),
        attempt: *attempt,
        outcome: Outcome::Succeeded.into(),
        ..Settlement::default()
    });
    puppet.settle(reports.collect()).await?;
    let verdicts = puppet.confirmations(lies.len()).await?;
    case.expect(verdicts.iter().all(|one| *one == Verdict::Stale), || {
        format!("lies were answered with {verdicts:?}")
    });
    let after = stage.client(0)?.context(id).await?;
    case.expect(after.state() == ContextState::Ready, || {
        format!("a lie made it {}", after.state().as_str_name())
    });
    Ok(())
}
