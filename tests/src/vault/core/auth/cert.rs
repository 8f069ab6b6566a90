//! TLS certificates of clients; follows <https://developer.hashicorp.com/vault/api-docs/auth/cert>.
//!
//! A role names a certificate: the client's own, or the authority that signed it. Of the other constraints, common names are
//! looked at; a role with any other is refused, not half obeyed.
use super::{
    super::{
        call::{Ask, Outcome, Refusal, Reply, Verb},
        der,
        env::Env,
        text::Fields,
    },
    Params,
};
use rustls::{RootCertStore, crypto::ring, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, UnixTime, pem::PemObject};
use serde_json::{Map, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Constraints that are not modelled.
const OTHERS: [&str; 5] = [
    "allowed_dns_sans",
    "allowed_email_sans",
    "allowed_uri_sans",
    "allowed_organizational_units",
    "required_extensions",
];

/// All roles.
#[derive(Debug, Default)]
pub(in super::super) struct Cert(BTreeMap<String, Role>);

#[derive(Debug)]
struct Role {
    pem: String,
    certificates: Vec<CertificateDer<'static>>,
    common_names: Vec<String>,
    display_name: String,
    params: Params,
}

// === impl Cert ===

impl Cert {
    pub(super) fn handle(&mut self, ask: &Ask<'_>, env: &Env) -> Outcome {
        let fields = Fields::of(&ask.call.body);
        let parts: Vec<&str> = ask.path.split('/').collect();
        match (&parts[..], ask.verb) {
            (["login"], Verb::Write) => self.login(ask, fields, env),
            (["config"], Verb::Write) => Reply::empty(),
            (["certs"] | ["certs", ""], Verb::List) => Reply::keys(self.0.keys()),
            (["certs", name], Verb::Read) => self.0.get(*name).ok_or_else(Refusal::absent)?.show(),
            (["certs", name], Verb::Write) => {
                let role = Role::read(name, fields)?;
                self.0.insert((*name).to_owned(), role);
                Reply::empty()
            }
            (["certs", name], Verb::Delete) => {
                self.0.remove(*name);
                Reply::empty()
            }
            _ => Err(Refusal::no_path()),
        }
    }

    /// `name` picks the role; without it every role is tried.
    fn login(&self, ask: &Ask<'_>, fields: Fields<'_>, env: &Env) -> Outcome {
        let Some(own) = ask.call.certificates.first() else {
            return Err(Refusal::bad("client certificate must be supplied"));
        };
        let name = fields.text("name").filter(|name| !name.is_empty());
        let shown: Vec<CertificateDer<'_>> = ask
            .call
            .certificates
            .iter()
            .map(|cert| cert.as_slice().into())
            .collect();
        let common_name = der::common_name(own).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(env.unix(env.now)));
        let mut roles = self
            .0
            .iter()
            .filter(|(own, _)| name.is_none_or(|name| name == *own));
        let found = roles.find(|(_, role)| role.fits(&shown, &common_name, now));
        let (name, role) = found
            .ok_or_else(|| Refusal::bad("invalid certificate or no client certificate supplied"))?;
        let meta = [("cert_name", name.clone()), ("common_name", common_name)];
        let meta = meta.map(|(key, value)| (key.to_owned(), value.into()));
        let display_name = role.display_name.clone();
        Reply::login(role.params.login(display_name, Map::from_iter(meta)))
    }
}

// === impl Role ===

impl Role {
    fn read(name: &str, fields: Fields<'_>) -> Result<Self, Refusal> {
        let set = |name: &&&str| fields.list(name).is_some_and(|list| !list.is_empty());
        if let Some(other) = OTHERS.iter().find(set) {
            return Err(Refusal::bad(format!(
                "{other} is not modelled by this server"
            )));
        }
        let pem = fields.needed("certificate")?;
        let wrong = || Refusal::bad("failed to parse certificate");
        let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
        let certificates: Vec<_> = certificates
            .collect::<Result<_, _>>()
            .map_err(|_| wrong())?;
        if certificates.is_empty() {
            return Err(wrong());
        }
        let mut params = Params::default();
        params.set(fields)?;
        Ok(Self {
            pem: pem.to_owned(),
            certificates,
            common_names: fields.list("allowed_common_names").unwrap_or_default(),
            display_name: fields.text("display_name").unwrap_or(name).to_owned(),
            params,
        })
    }

    fn fits(&self, shown: &[CertificateDer<'_>], common_name: &str, now: UnixTime) -> bool {
        let glob = |wanted: &String| match wanted.strip_suffix('*') {
            Some(start) => common_name.starts_with(start),
            None => wanted == common_name,
        };
        let named = self.common_names.is_empty() || self.common_names.iter().any(glob);
        let Some((own, others)) = shown.split_first() else {
            return false;
        };
        named && (self.certificates.iter().any(|cert| cert == own) || self.signed(own, others, now))
    }

    fn signed(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.certificates.iter().cloned());
        let provider = Arc::new(ring::default_provider());
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = builder.build();
        verifier.is_ok_and(|verifier| verifier.verify_client_cert(own, others, now).is_ok())
    }

    fn show(&self) -> Outcome {
        let mut shown = json!({
            "allowed_common_names": self.common_names, "allowed_dns_sans": [],
            "allowed_email_sans": [], "allowed_metadata_extensions": [],
            "allowed_organizational_units": [], "allowed_uri_sans": [], "certificate": self.pem,
            "display_name": self.display_name, "required_extensions": [],
        });
        self.params.show(&mut shown);
        Reply::data(shown)
    }
}
