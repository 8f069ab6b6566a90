//! Certificates; follows <https://developer.hashicorp.com/vault/api-docs/secret/pki>: one root of the mount, roles, issue, revoke.
//!
//! The certificates are real (EC P-256, by rcgen) and their keys come from the system's generator, not from the seed. Their dates
//! are the server's calendar, so that with a scaled second they are of no use in a handshake. Intermediates, several issuers,
//! CSRs and revocation lists are not modelled.
mod authority;
mod role;

use self::{authority::Authority, role::Role};
use super::super::{
    call::{Ask, Grant, Outcome, Refusal, Reply, Verb},
    env::Env,
    text::Fields,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// The authority of a mount, and what it issued.
#[derive(Debug)]
pub(in super::super) struct Pki {
    issuer: String,
    key: String,
    authority: Option<Authority>,
    roles: BTreeMap<String, Role>,
    /// By serial number.
    issued: BTreeMap<String, Issued>,
    urls: Value,
}

#[derive(Debug)]
struct Issued {
    certificate: String,
    revoked: Option<Duration>,
}

// === impl Pki ===

impl Pki {
    pub(super) fn new(env: &mut Env) -> Self {
        Self {
            issuer: env.uuid(),
            key: env.uuid(),
            authority: None,
            roles: BTreeMap::new(),
            issued: BTreeMap::new(),
            urls: json!({
                "issuing_certificates": [], "crl_distribution_points": [], "ocsp_servers": [],
            }),
        }
    }

    pub(super) fn handle(&mut self, ask: &Ask<'_>, env: &mut Env) -> Outcome {
        let fields = Fields::of(&ask.call.body);
        let parts: Vec<&str> = ask.path.split('/').collect();
        match (&parts[..], ask.verb) {
            (["root", "generate", kind @ ("internal" | "exported")], Verb::Write) => {
                self.root(fields, *kind == "exported", ask.default_ttl, env)
            }
            (["root"], Verb::Delete) => {
                self.authority = None;
                Reply::empty()
            }
            (["roles"] | ["roles", ""], Verb::List) => Reply::keys(self.roles.keys()),
            (["roles", name], Verb::Read) => {
                Reply::data(self.roles.get(*name).ok_or_else(Refusal::absent)?.show())
            }
            (["roles", name], Verb::Write) => {
                let role = Role::read(fields)?;
                let shown = role.show();
                self.roles.insert((*name).to_owned(), role);
                Reply::data(shown)
            }
            (["roles", name], Verb::Delete) => {
                self.roles.remove(*name);
                Reply::empty()
            }
            (["issue", name], Verb::Write) => self.issue(name, fields, ask.default_ttl, env),
            (["certs"] | ["certs", ""], Verb::List) => Reply::keys(self.issued.keys()),
            (["cert", "ca"], Verb::Read) => {
                let authority = self.authority.as_ref().ok_or_else(Refusal::absent)?;
                Reply::data(json!({ "certificate": authority.pem(), "revocation_time": 0 }))
            }
            (["cert", serial], Verb::Read) => {
                let serial = serial.replace('-', ":");
                Reply::data(
                    self.issued
                        .get(&serial)
                        .ok_or_else(Refusal::absent)?
                        .show(env),
                )
            }
            (["revoke"], Verb::Write) => {
                let serial = fields.needed("serial_number")?.replace('-', ":");
                if !self.issued.contains_key(&serial) {
                    let why = format!("certificate with serial {serial} not found");
                    return Err(Refusal::bad(why));
                }
                self.revoke(&serial, env);
                let shown = self.issued.get(&serial).map(|issued| issued.show(env));
                let mut shown = shown.unwrap_or_default();
                shown["state"] = "revoked".into();
                Reply::data(shown)
            }
            (["config", "urls"], Verb::Read) => Reply::data(self.urls.clone()),
            (["config", "urls"], Verb::Write) => {
                for name in [
                    "issuing_certificates",
                    "crl_distribution_points",
                    "ocsp_servers",
                ] {
                    if let Some(list) = fields.list(name) {
                        self.urls[name] = list.into();
                    }
                }
                Reply::data(self.urls.clone())
            }
            (["root", ..] | ["issue", _] | ["revoke"], _) => Err(Refusal::no_operation()),
            _ => Err(Refusal::no_path()),
        }
    }

    pub(super) fn revoke(&mut self, serial: &str, env: &Env) {
        if let Some(issued) = self.issued.get_mut(serial) {
            issued.revoked.get_or_insert(env.now);
        }
    }

    fn root(
        &mut self,
        fields: Fields<'_>,
        exported: bool,
        default_ttl: u64,
        env: &mut Env,
    ) -> Outcome {
        let name = fields.text("common_name").unwrap_or_default();
        if name.is_empty() {
            let why = "the common_name field is required, or must be provided in a CSR with \"use_csr_common_name\" set to true, unless \"require_cn\" is set to false";
            return Err(Refusal::bad(why));
        }
        let ttl = fields.seconds("ttl")?.filter(|ttl| *ttl > 0);
        let authority = Authority::new(name, ttl.unwrap_or(default_ttl), env)?;
        let mut shown = json!({
            "certificate": authority.pem(), "issuing_ca": authority.pem(),
            "serial_number": authority.serial, "expiration": authority.expires,
            "issuer_id": self.issuer, "issuer_name": "", "key_id": self.key, "key_name": "",
        });
        if exported {
            shown["private_key"] = authority.private_key().into();
            shown["private_key_type"] = "ec".into();
        }
        self.issued
            .insert(authority.serial.clone(), Issued::new(authority.pem()));
        self.authority = Some(authority);
        Reply::data(shown)
    }

    fn issue(
        &mut self,
        name: &str,
        fields: Fields<'_>,
        default_ttl: u64,
        env: &mut Env,
    ) -> Outcome {
        let unknown = || Refusal::bad(format!("unknown role: {name}"));
        let role = self.roles.get(name).ok_or_else(unknown)?;
        let authority = self.authority.as_ref().ok_or_else(|| {
            Refusal::internal(
                "error fetching CA certificate: no default issuer currently configured",
            )
        })?;
        let common_name = fields.needed("common_name")?;
        let mut names = vec![common_name.to_owned()];
        names.extend(fields.list("alt_names").unwrap_or_default());
        if let Some(refused) = names.iter().find(|name| !role.allows(name)) {
            let what = if refused == common_name {
                "common name"
            } else {
                "subject alternate name"
            };
            return Err(Refusal::bad(format!(
                "{what} {refused} not allowed by this role"
            )));
        }
        names.extend(fields.list("ip_sans").unwrap_or_default());
        let ttl = role.ttl(fields.seconds("ttl")?, default_ttl);
        let end = env.unix(env.now) + ttl;
        if end > authority.expires {
            let (end, last) = (env.calendar(end), env.calendar(authority.expires));
            return Err(Refusal::bad(format!(
                "cannot satisfy request, as TTL would result in notAfter of {end} that is beyond the expiration of the CA certificate at {last}"
            )));
        }
        let leaf = authority.sign(common_name, names, end, env)?;
        let lease = role.generate_lease.then(|| Grant {
            ttl,
            max_ttl: ttl,
            renewable: false,
            about: leaf.serial.clone(),
        });
        self.issued
            .insert(leaf.serial.clone(), Issued::new(leaf.certificate.clone()));
        Ok(Reply {
            data: Some(json!({
                "ca_chain": [authority.pem()], "certificate": leaf.certificate, "expiration": end,
                "issuing_ca": authority.pem(), "private_key": leaf.private_key,
                "private_key_type": "ec", "serial_number": leaf.serial,
            })),
            lease,
            ..Reply::default()
        })
    }
}

// === impl Issued ===

impl Issued {
    fn new(certificate: String) -> Self {
        Self {
            certificate,
            revoked: None,
        }
    }

    fn show(&self, env: &Env) -> Value {
        let revoked = self.revoked.map(|at| (env.unix(at), env.date(at)));
        let (unix, date) = revoked.unwrap_or_default();
        json!({
            "certificate": self.certificate, "revocation_time": unix,
            "revocation_time_rfc3339": date, "issuer_id": "",
        })
    }
}
