//! Frames of HTTP/2 that carry nothing, as fast as a connection takes them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::scene::Scene;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Frames of one connection: far more than any client sends in so short a time.
const FRAMES_MAX: usize = 600_000;
const AT_ONCE: usize = 1_000;
/// A connection that floods is closed within this.
const LIMIT: Duration = Duration::from_secs(20);

fn frame(kind: u8, flags: u8, stream: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    let head = [0, 0, length, kind, flags, 0, 0, 0, stream];
    [&head, content].concat()
}

/// A call that begins, and whose message never comes.
fn call() -> Vec<u8> {
    let text = |text: &str| {
        let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
        [&[length], text.as_bytes()].concat()
    };
    let headers = [
        // :method POST, :scheme http; then :path, :authority, content-type by their numbers, and te by its name.
        vec![0x83, 0x86, 0x44],
        text("/tickwheel.v1.SchedulerService/Submit"),
        vec![0x41],
        text("localhost"),
        vec![0x5f],
        text("application/grpc"),
        vec![0x40],
        text("te"),
        text("trailers"),
    ];
    frame(1, 4, 1, &headers.concat())
}

/// How many frames a connection took before it was closed.
async fn flood(address: &str, one: &[u8]) -> Result<usize> {
    let (mut from, mut to) = TcpStream::connect(address).await?.into_split();
    let heard = tokio::spawn(async move {
        let mut some = vec![0; 1 << 16];
        while from.read(&mut some).await.is_ok_and(|read| read > 0) {}
    });
    let opening = [PREFACE, &frame(4, 0, 0, &[]), &call()].concat();
    to.write_all(&opening).await?;
    let many = one.repeat(AT_ONCE);
    let mut sent = 0;
    while sent < FRAMES_MAX && !heard.is_finished() {
        // It breaks off when the other side has gone.
        if to.write_all(&many).await.is_err() {
            break;
        }
        sent += AT_ONCE;
    }
    let over = tokio::time::timeout(LIMIT, heard).await;
    over.with_context(|| format!("{sent} frames were taken, and more would be"))??;
    Ok(sent)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_frames_without_content_ends_its_connection() -> Result<()> {
    let Some(mut scene) = Scene::set("floods of empty frames").await? else {
        return Ok(());
    };
    let address = scene.tracker.url.trim_start_matches("http://").to_owned();
    let floods = [
        ("PING", frame(6, 0, 0, &[0; 8])),
        ("DATA", frame(0, 0, 1, &[])),
        ("PRIORITY", frame(2, 0, 3, &[0, 0, 0, 0, 16])),
        ("SETTINGS", frame(4, 0, 0, &[])),
        ("WINDOW_UPDATE", frame(8, 0, 0, &[0, 0, 0, 1])),
    ];
    scene
        .beside(async {
            for (name, one) in &floods {
                let sent = flood(&address, one).await.context(*name)?;
                ensure!(sent < FRAMES_MAX, "{name}: {sent} frames were taken");
            }
            Ok(())
        })
        .await?;
    scene.clean().await
}
