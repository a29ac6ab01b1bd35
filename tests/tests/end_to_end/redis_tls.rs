//! Redis over TLS: what is done over it, certificates that are replaced, and each server and file that is refused before anything starts.

use anyhow::{Result, ensure};
use tickwheel_certificates::now;
use tickwheel_certificates::testing::{Authority, DAY, Issued};
use tickwheel_tests::harness::{Clients, SecureRedis};
use tickwheel_tracker::config::{Access, RedisTls};
use tickwheel_tracker::{Config, Tracker};

use crate::wake_messages::{Idle, kill_connections, kill_subscriptions};

const HOST: &str = "127.0.0.1";

fn config(redis_url: String, redis_tls: RedisTls) -> Config {
    Config {
        redis_url,
        redis_tls,
        grpc_listen: ([127, 0, 0, 1], 0).into(),
        http_listen: Some(([127, 0, 0, 1], 0).into()),
        access: Access::open(),
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_no_partition_is_deaf_when_connections_break_and_certificates_are_new()
-> Result<()> {
    let dir = tempfile::tempdir()?;
    let (old, new) = (Authority::new("old")?, Authority::new("new")?);
    let issued = old.issue(&[HOST])?;
    let Some(redis) = SecureRedis::start(dir.path(), &old, &issued, Clients::Asked).await? else {
        return Ok(());
    };
    let tls = redis.client(&old, Some(&old.issue(&["tracker"])?))?;
    let mut idle = Idle::start_with(config(redis.url(HOST), tls)).await?;
    let ports = redis.server.ports();
    idle.hears(&ports).await?;
    kill_subscriptions(&ports).await?;
    idle.hears(&ports).await?;
    idle.is_on_time().await?;

    // Whoever connects from now on believes the new authority alone, as the server does.
    redis.client(&new, Some(&new.issue(&["tracker"])?))?;
    redis.renew(&new, &new.issue(&[HOST])?).await?;
    kill_connections(&ports).await?;
    idle.hears(&ports).await?;
    idle.is_on_time().await
}

/// What a tracker says that does not start.
async fn refused(url: String, tls: RedisTls) -> Result<String> {
    match Tracker::start(config(url, tls)).await {
        Ok(_) => anyhow::bail!("it starts"),
        Err(error) => {
            ensure!(!error.is_retryable(), "it would be tried again: {error}");
            Ok(error.to_string())
        }
    }
}

fn says(said: &str, words: &[&str]) -> Result<()> {
    for word in words {
        ensure!(said.contains(word), "no `{word}` in: {said}");
    }
    Ok(())
}

async fn refused_with(issued: &Issued, own: &Authority, words: &[&str]) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let started = SecureRedis::start(dir.path(), own, issued, Clients::Unasked).await?;
    if let Some(redis) = started {
        let said = refused(redis.url(HOST), redis.client(own, None)?).await?;
        says(&said, words)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_believed_is_refused_with_what_to_do() -> Result<()> {
    let (own, other) = (Authority::new("own")?, Authority::new("other")?);
    let dir = tempfile::tempdir()?;
    let issued = own.issue(&[HOST])?;
    let Some(redis) = SecureRedis::start(dir.path(), &own, &issued, Clients::Unasked).await? else {
        return Ok(());
    };
    let said = refused(redis.url(HOST), redis.client(&other, None)?).await?;
    says(&said, &["redis.ca_file:", "client-ca.pem", "name the file"])?;
    let said = refused(redis.url(HOST), RedisTls::default()).await?;
    says(&said, &["redis.ca_file:", "this system", "name the file"])?;
    let said = refused(redis.url("localhost"), redis.client(&own, None)?).await?;
    says(&said, &["redis.url:", "is for 127.0.0.1", "localhost"])?;
    // A password of the URL is not shown.
    let secret = format!("rediss://u:secret@{HOST}:{}", redis.server.port());
    let said = refused(secret, redis.client(&own, None)?).await?;
    says(&said, &["redis.url:", "tls-port", "rediss://***@127"])?;
    ensure!(!said.contains("secret"), "{said}");
    let plain = redis.server.url();
    let said = refused(plain, redis.client(&own, None)?).await?;
    says(&said, &["redis.ca_file:", "write rediss://"])?;
    let mut missing = redis.client(&own, None)?;
    missing.ca_file = Some(dir.path().join("missing.pem"));
    let said = refused(redis.url(HOST), missing).await?;
    says(&said, &["redis.ca_file:", "can be read", "missing.pem"])?;

    let expired = own.issue_until(&[HOST], now().as_secs() - DAY)?;
    refused_with(&expired, &own, &["redis.url:", "expired at", "CONFIG SET"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_shows_a_server_nothing_or_something_else_is_told_so() -> Result<()> {
    let (own, other) = (Authority::new("own")?, Authority::new("other")?);
    let dir = tempfile::tempdir()?;
    let issued = own.issue(&[HOST])?;
    let Some(redis) = SecureRedis::start(dir.path(), &own, &issued, Clients::Asked).await? else {
        return Ok(());
    };
    let said = refused(redis.url(HOST), redis.client(&own, None)?).await?;
    says(&said, &["redis.client_cert:", "tls-auth-clients"])?;
    let strange = other.issue(&["tracker"])?;
    let said = refused(redis.url(HOST), redis.client(&own, Some(&strange))?).await?;
    says(
        &said,
        &["redis.client_cert:", "client-cert.pem", "tls-ca-cert-file"],
    )?;
    let late = own.issue_until(&["tracker"], now().as_secs() - DAY)?;
    let said = refused(redis.url(HOST), redis.client(&own, Some(&late))?).await?;
    says(&said, &["redis.client_cert:", "it expired at"])?;
    let half = RedisTls {
        client_key: None,
        ..redis.client(&own, Some(&strange))?
    };
    let said = refused(redis.url(HOST), half).await?;
    says(&said, &["redis.client_key:", "named together"])
}
