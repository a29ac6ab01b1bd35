//! Authorities and certificates that tests make.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, Error, IsCa, Issuer, KeyPair, date_time_ymd,
};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::now;

/// Seconds of a day.
pub const DAY: u64 = 86_400;

/// An authority.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub der: CertificateDer<'static>,
    /// The same in PEM.
    pub pem: String,
}

/// A certificate of an authority.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate.
    pub der: CertificateDer<'static>,
    /// The same in PEM.
    pub cert: String,
    /// Its private key in PEM.
    pub key: String,
}

impl Authority {
    /// A new one of this name.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new(name: &str) -> Result<Self, Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let own = params.self_signed(&key)?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            der: own.der().clone(),
            pem: own.pem(),
        })
    }

    /// A certificate for these names and addresses, good since yesterday and for 90 days.
    ///
    /// # Errors
    /// When one of them is none.
    pub fn issue(&self, hosts: &[&str]) -> Result<Issued, Error> {
        self.issue_until(hosts, now().as_secs() + 90 * DAY)
    }

    /// The same, good until then, in seconds since 1970.
    ///
    /// # Errors
    /// As [`Authority::issue`].
    pub fn issue_until(&self, hosts: &[&str], until: u64) -> Result<Issued, Error> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts)?;
        let at = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
        params.not_before = at(until.min(now().as_secs()).saturating_sub(DAY));
        params.not_after = at(until);
        let key = KeyPair::generate()?;
        let made = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            der: made.der().clone(),
            cert: made.pem(),
            key: key.serialize_pem(),
        })
    }
}
