//! Messages that are small on the wire and large in memory, or no messages at all.

use anyhow::{Result, ensure};
use bytes::Bytes;
use prost::Message as _;
use tickwheel_proto::v1::WorkerMessage;
use tonic::Code;

use crate::raw::{call, channel, empties, hello, session};
use crate::scene::Scene;

const MEBI: usize = 1 << 20;

/// Refused as the caller's mistake, not as the server's.
fn refused(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument | Code::ResourceExhausted | Code::OutOfRange
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_empty_submessages_of_a_call_are_refused() -> Result<()> {
    let Some(mut scene) = Scene::set("empty submessages of calls").await? else {
        return Ok(());
    };
    let channel = channel(&scene.tracker.url).await?;
    let methods = [
        "SchedulerService/ApplyJobs",
        "SchedulerService/Submit",
        "SchedulerService/PurgeDead",
        "SchedulerService/RequeueDead",
    ];
    scene
        .beside(async {
            for method in methods {
                for number in [1, 2] {
                    let answer = call(&channel, method, empties(number, MEBI)).await;
                    if let Err(status) = answer {
                        ensure!(
                            refused(status.code()),
                            "{method}, field {number}: {status:?}"
                        );
                    } else {
                        ensure!(number == 2, "{method} took a million empty items");
                    }
                }
            }
            Ok(())
        })
        .await?;
    scene.clean().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_empty_submessages_of_a_frame_end_its_stream() -> Result<()> {
    let Some(mut scene) = Scene::set("empty submessages of frames").await? else {
        return Ok(());
    };
    let first = WorkerMessage {
        hello: Some(hello("attacker-00000001", "other", &["h"])),
        ..WorkerMessage::default()
    };
    let first = Bytes::from(first.encode_to_vec());
    let url = scene.tracker.url.clone();
    scene
        .beside(async {
            // accepted, rejected, renew, progress, log, settle, split, fetch; before the Hello and behind it.
            for number in [3, 4, 5, 6, 7, 8, 11, 13] {
                for frames in [
                    vec![empties(number, MEBI)],
                    vec![first.clone(), empties(number, MEBI)],
                ] {
                    let channel = channel(&url).await?;
                    let ended = session(&channel, frames).await?;
                    ensure!(
                        ended.as_ref().is_some_and(|status| refused(status.code())),
                        "field {number}: {ended:?}"
                    );
                }
            }
            Ok(())
        })
        .await?;
    scene.clean().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_message_are_the_callers_mistake() -> Result<()> {
    let Some(mut scene) = Scene::set("no messages").await? else {
        return Ok(());
    };
    let channel = channel(&scene.tracker.url).await?;
    let methods = [
        "SchedulerService/ApplyJobs",
        "SchedulerService/Submit",
        "SchedulerService/GetContext",
        "SchedulerService/WaitContext",
        "SchedulerService/ListContexts",
        "SchedulerService/SetLimits",
    ];
    scene
        .beside(async {
            for method in methods {
                for garbage in [&b"\xff\xff\xff\xff"[..], b"\x0a\xff\x01", b"\x07"] {
                    let answer = call(&channel, method, Bytes::from_static(garbage)).await;
                    let code = answer.err().map(|status| status.code());
                    ensure!(
                        code == Some(Code::InvalidArgument),
                        "{method}, {garbage:?}: {code:?}"
                    );
                }
            }
            Ok(())
        })
        .await?;
    scene.clean().await
}
