use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tickwheel_certificates::provider;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::certificate::Files;
use super::stream::SHAKE_WITHIN;
use super::*;
use crate::config::Tls;
use crate::periodic::Periodic as _;

const HOST: &str = "tracker.internal";
const YEAR: u64 = 365 * 86_400;

/// An authority, and the files of a tracker.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    own: CertificateDer<'static>,
    dir: TempDir,
}

fn now() -> u64 {
    tickwheel_certificates::now().as_secs()
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap().der().clone();
        Self {
            issuer: Issuer::new(params, key),
            own,
            dir: TempDir::new().unwrap(),
        }
    }

    /// A certificate and its key, good within these seconds since 1970.
    fn issued(&self, host: &str, (from, until): (u64, u64), is_ca: bool) -> (String, String) {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let at = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
        (params.not_before, params.not_after) = (at(from), at(until));
        if is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.issuer).unwrap();
        (made.pem(), key.serialize_pem())
    }

    fn good(&self, until: u64) -> (String, String) {
        self.issued(HOST, (now() - 60, until), false)
    }

    fn tls(&self) -> Tls {
        let at = |name: &str| -> PathBuf { self.dir.path().join(name) };
        Tls::new(at("cert.pem"), at("key.pem"))
    }

    fn put(&self, (cert, key): &(String, String)) {
        std::fs::write(self.tls().cert, cert).unwrap();
        std::fs::write(self.tls().key, key).unwrap();
    }

    /// What is wrong with these files.
    fn refused(&self, files: &(String, String)) -> String {
        self.put(files);
        let refused = Serving::start(self.tls(), HOST.to_owned()).unwrap_err();
        refused.to_string()
    }

    fn serving(&self) -> Arc<Serving> {
        Arc::new(Serving::start(self.tls(), HOST.to_owned()).unwrap())
    }

    async fn connected(
        &self,
        acceptor: &Acceptor,
    ) -> (Secured<DuplexStream>, TlsStream<DuplexStream>) {
        let (near, far) = duplex(1 << 16);
        let (stream, _) = acceptor.accept(near);
        let mut roots = RootCertStore::empty();
        roots.add(self.own.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let host = ServerName::try_from(HOST).unwrap();
        (stream, connector.connect(host, far).await.unwrap())
    }
}

#[test]
fn a_certificate_that_workers_would_refuse_is_refused_with_what_to_do() {
    let authority = Authority::new();
    let good = authority.good(now() + YEAR);
    let other = authority.good(now() + YEAR);
    for (files, said) in [
        (authority.good(now() - 1), "it expired at"),
        (
            authority.issued(HOST, (now() + 60, now() + YEAR), false),
            "does the clock go wrong",
        ),
        (
            authority.issued("other.internal", (0, now() + YEAR), false),
            "tracker.advertise_url",
        ),
        (authority.issued(HOST, (0, now() + YEAR), true), "believe"),
        (
            (good.0.clone(), other.1),
            "holds the key of the certificate in",
        ),
        (
            ("none".to_owned(), good.1.clone()),
            "-----BEGIN CERTIFICATE-----",
        ),
        ((good.0.repeat(17), good.1.clone()), "there are 17"),
    ] {
        let refused = authority.refused(&files);
        assert!(refused.contains(said), "{said}: {refused}");
        assert!(
            refused.contains(".pem") && !refused.contains("PRIVATE"),
            "{refused}"
        );
    }
    let both = authority.refused(&("none".to_owned(), "none".to_owned()));
    assert!(
        both.contains("tls.cert") && both.contains("tls.key"),
        "{both}"
    );
    std::fs::remove_file(authority.tls().key).unwrap();
    let gone = Serving::start(authority.tls(), HOST.to_owned()).unwrap_err();
    assert!(gone.to_string().contains("tls.key"), "{gone}");
}

#[test]
fn until_when_a_certificate_is_good_is_known() {
    let authority = Authority::new();
    let until = now() + YEAR;
    authority.put(&authority.good(until));
    let files = Files::read(&authority.tls()).unwrap();
    let certificate = files.certificate(&authority.tls(), HOST).unwrap();
    assert_eq!(certificate.expires, until);
    assert!(!format!("{files:?}").contains("PRIVATE"));
}

#[tokio::test]
async fn what_is_new_in_the_files_is_served_and_what_is_broken_is_not() {
    let authority = Authority::new();
    let first = authority.good(now() + YEAR);
    authority.put(&first);
    let serving = authority.serving();
    let served = |wire| Arc::as_ptr(&serving.config(wire));
    let (mut reload, before) = (Reload::new(Arc::clone(&serving)), served(Wire::Grpc));
    let acceptor = Acceptor::tls(Arc::clone(&serving), Wire::Grpc, &Handle::current());
    let (mut open, mut peer) = authority.connected(&acceptor).await;
    reload.run_once().await;
    assert_eq!(served(Wire::Grpc), before, "nothing is new");

    let second = authority.good(now() + 2 * YEAR);
    std::fs::write(authority.tls().cert, &second.0).unwrap();
    reload.run_once().await;
    reload.run_once().await;
    assert_eq!(served(Wire::Grpc), before, "a key is missing");
    authority.put(&second);
    reload.run_once().await;
    assert_ne!(served(Wire::Grpc), before);

    // What was open goes on, and who comes sees the new one.
    peer.write_all(b"still there").await.unwrap();
    open.read_exact(&mut [0; 11]).await.unwrap();
    let (_, newer) = authority.connected(&acceptor).await;
    let shown =
        |peer: &TlsStream<DuplexStream>| peer.get_ref().1.peer_certificates().unwrap().to_vec();
    assert_ne!(shown(&peer), shown(&newer));
}

#[tokio::test]
async fn each_wire_has_its_protocol() {
    let authority = Authority::new();
    authority.put(&authority.good(now() + YEAR));
    let serving = authority.serving();
    assert_eq!(serving.config(Wire::Grpc).alpn_protocols, [b"h2"]);
    assert_eq!(serving.config(Wire::Http).alpn_protocols, [b"http/1.1"]);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_stalls_ends_and_others_do_not_wait_for_it() {
    let authority = Authority::new();
    authority.put(&authority.good(now() + YEAR));
    let acceptor = Acceptor::tls(authority.serving(), Wire::Grpc, &Handle::current());
    let began = Instant::now();
    let (near, _silent) = duplex(64);
    let (mut stalled, _) = acceptor.accept(near);
    let (mut open, mut peer) = authority.connected(&acceptor).await;
    peer.write_all(b"at once").await.unwrap();
    open.read_exact(&mut [0; 7]).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
    let error = stalled.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(began.elapsed(), SHAKE_WITHIN);
    assert!(stalled.write_all(b"late").await.is_err());

    let (near, mut far) = duplex(1 << 10);
    let (mut plain, _) = acceptor.accept(near);
    far.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    let error = plain.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}
