//! Connections that say nothing, or never read.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::scene::{Scene, pass};

/// Health answers within this, whatever else happens.
const HEALTH_MAX: Duration = Duration::from_secs(1);

async fn healthy(scene: &Scene) -> Result<()> {
    for path in ["/healthz", "/readyz"] {
        let (status, took) = scene
            .get(path)
            .await
            .with_context(|| format!("{path} under attack"))?;
        ensure!(status == 200, "{path} answers {status}");
        ensure!(took <= HEALTH_MAX, "{path} took {took:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_never_read_do_not_hold_the_surface() -> Result<()> {
    let Some(mut scene) = Scene::set("peers that never read").await? else {
        return Ok(());
    };
    let address = scene.tracker.http.context("it has no HTTP")?;
    let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(400);
    let mut open = Vec::new();
    scene
        .beside(async {
            for _ in 0..256 {
                let Ok(mut stream) = TcpStream::connect(address).await else {
                    break;
                };
                let sent = stream.write_all(request.as_bytes());
                tokio::time::timeout(Duration::from_millis(20), sent)
                    .await
                    .ok();
                open.push(stream);
            }
            pass(Duration::from_secs(3)).await;
            Ok(())
        })
        .await?;
    healthy(&scene).await?;
    drop(open);
    scene.clean().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_requests_do_not_hold_the_surface() -> Result<()> {
    let Some(mut scene) = Scene::set("half requests").await? else {
        return Ok(());
    };
    let address = scene.tracker.http.context("it has no HTTP")?;
    let mut open = Vec::new();
    scene
        .beside(async {
            for _ in 0..256 {
                let Ok(mut stream) = TcpStream::connect(address).await else {
                    break;
                };
                stream
                    .write_all(b"GET /healthz HTTP/1.1\r\nhost: lo")
                    .await
                    .ok();
                open.push(stream);
            }
            Ok(())
        })
        .await?;
    healthy(&scene).await?;
    drop(open);
    scene.clean().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_say_nothing_are_closed() -> Result<()> {
    let Some(mut scene) = Scene::set("silent connections").await? else {
        return Ok(());
    };
    let address = scene.tracker.url.trim_start_matches("http://").to_owned();
    let mut open = Vec::new();
    scene
        .beside(async {
            for _ in 0..3_000 {
                match TcpStream::connect(&address).await {
                    Ok(stream) => open.push(stream),
                    Err(_) => break,
                }
            }
            pass(Duration::from_secs(7)).await;
            Ok(())
        })
        .await?;
    healthy(&scene).await?;
    let mut held = 0;
    for stream in &open {
        let mut byte = [0];
        // Nothing to read yet: the tracker still waits for the first word.
        held += usize::from(
            matches!(stream.try_read(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
        );
    }
    ensure!(
        held == 0,
        "{held} of {} silent connections are still open",
        open.len()
    );
    scene.clean().await
}
