//! A certificate authority, by rcgen.
use super::super::super::{call::Refusal, env::Env};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, Error,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use std::{fmt, time::Duration};

/// How long before its issue a certificate is good already: Vault's `not_before_duration`.
const EARLY: u64 = 30;

/// A root with its key.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub serial: String,
    /// Seconds since 1970.
    pub expires: u64,
}

/// What it signed.
pub(super) struct Leaf {
    pub certificate: String,
    pub private_key: String,
    pub serial: String,
}

// === impl Authority ===

impl Authority {
    pub(super) fn new(name: &str, ttl: u64, env: &mut Env) -> Result<Self, Refusal> {
        let expires = env.unix(env.now) + ttl;
        let (mut params, serial) = params(name, Vec::new(), expires, env)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(failed)?;
        Ok(Self {
            issuer,
            serial,
            expires,
        })
    }

    pub(super) fn pem(&self) -> String {
        self.issuer.pem().trim_end().to_owned()
    }

    pub(super) fn private_key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A certificate for servers and clients, good until `end` in seconds since 1970.
    pub(super) fn sign(
        &self,
        name: &str,
        names: Vec<String>,
        end: u64,
        env: &mut Env,
    ) -> Result<Leaf, Refusal> {
        let (mut params, serial) = params(name, names, end, env)?;
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyAgreement,
            KeyUsagePurpose::KeyEncipherment,
        ];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(failed)?;
        let signed = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Leaf {
            certificate: signed.pem().trim_end().to_owned(),
            private_key: key.serialize_pem().trim_end().to_owned(),
            serial,
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Authority");
        shown.field("serial", &self.serial).finish_non_exhaustive()
    }
}

fn params(
    name: &str,
    names: Vec<String>,
    end: u64,
    env: &mut Env,
) -> Result<(CertificateParams, String), Refusal> {
    let mut params = CertificateParams::new(names).map_err(failed)?;
    let epoch = date_time_ymd(1970, 1, 1);
    let start = env.unix(env.now).saturating_sub(EARLY);
    params.not_before = epoch + Duration::from_secs(start);
    params.not_after = epoch + Duration::from_secs(end);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // Positive, and of full length.
    let mut bytes = [0; 20];
    env.rng.fill(&mut bytes);
    bytes[0] = bytes[0] & 0x3f | 0x40;
    let serial = SerialNumber::from_slice(&bytes);
    let printed = serial.to_string();
    params.serial_number = Some(serial);
    Ok((params, printed))
}

fn failed(error: Error) -> Refusal {
    Refusal::bad(format!("error creating certificate: {error}"))
}
