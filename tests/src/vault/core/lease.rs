//! Leases: what is lent, until when, and to whom; follows <https://developer.hashicorp.com/vault/docs/concepts/lease> and
//! <https://developer.hashicorp.com/vault/api-docs/system/leases>.
use super::{
    Core,
    call::{Answer, Call, Grant, Outcome, Refusal, Reply, Verb},
    text::Fields,
    ttl::Terms,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// A lease.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub id: String,
    /// Namespace and path of the mount that gave it.
    pub mount: String,
    /// The id of the token that it goes with.
    pub token: String,
    pub issued: Duration,
    pub renewed: Option<Duration>,
    pub expires: Duration,
    pub grant: Grant,
}

// === impl Lease ===

impl Lease {
    pub(super) fn ttl(&self, now: Duration) -> u64 {
        self.expires.saturating_sub(now).as_secs()
    }
}

// === impl Core ===

impl Core {
    /// Lends what `grant` says; the id, the seconds, and the warnings.
    pub(super) fn lend(
        &mut self,
        path: &str,
        mount: &str,
        limits: (u64, u64),
        token: &str,
        grant: Grant,
    ) -> Result<(String, u64, Vec<String>), Refusal> {
        let terms = Terms {
            ttl: grant.ttl,
            max_ttl: grant.max_ttl,
            default: limits.0,
            max: limits.1,
            start: self.env.now,
            ..Terms::default()
        };
        let (ttl, warnings) = terms.at(self.env.now)?;
        let id = format!("{}/{}", path.trim_end_matches('/'), self.env.word(24));
        let lease = Lease {
            id: id.clone(),
            mount: mount.to_owned(),
            token: token.to_owned(),
            issued: self.env.now,
            renewed: None,
            expires: self.env.now + Duration::from_secs(ttl),
            grant,
        };
        self.leases.insert(id.clone(), lease);
        Ok((id, ttl, warnings))
    }

    /// Ends the lease and what it stands for; `false` when there is none.
    pub(super) fn revoke_lease(&mut self, id: &str) -> bool {
        let Some(lease) = self.leases.remove(id) else {
            return false;
        };
        if let Some(mount) = self.mounts.0.get_mut(&lease.mount) {
            mount.backend.revoke(&lease.grant.about, &self.env);
        }
        true
    }

    /// Ends all leases that `which` names; how many.
    pub(super) fn revoke_leases(&mut self, which: impl Fn(&Lease) -> bool) -> usize {
        let chosen = self.leases.values().filter(|lease| which(lease));
        let chosen: Vec<String> = chosen.map(|lease| lease.id.clone()).collect();
        let revoked = chosen.iter().filter(|id| self.revoke_lease(id));
        revoked.count()
    }

    /// `sys/leases/…`, and the old `sys/renew` and `sys/revoke`.
    pub(super) fn leases(
        &mut self,
        call: &Call,
        verb: Verb,
        path: &str,
    ) -> Result<Answer, Refusal> {
        let (action, rest) = path.split_once('/').unwrap_or((path, ""));
        let fields = Fields::of(&call.body);
        let id = |rest: &str| {
            let id = fields.text("lease_id").unwrap_or(rest);
            match id.is_empty() {
                true => Err(Refusal::bad("lease_id must be specified")),
                false => Ok(id.to_owned()),
            }
        };
        // `LazyRevoke` answers before it is done, unless `sync` is asked for. Here it is done at once.
        let lazy = fields.flag("sync") != Some(true) && action != "revoke-force";
        let revoked = Ok(match lazy {
            true => Answer::accepted(),
            false => Answer::empty(),
        });
        match (action, verb) {
            ("lookup", Verb::List) => {
                let outcome = Reply::folder(self.leases.keys(), rest)?;
                self.reply(outcome)
            }
            ("lookup", Verb::Write) => {
                let outcome = self.lookup_lease(&id(rest)?)?;
                self.reply(outcome)
            }
            ("renew", Verb::Write) => {
                let increment = fields.seconds("increment")?.unwrap_or(0);
                self.renew_lease(&id(rest)?, increment)
            }
            ("revoke", Verb::Write) => {
                // An unknown lease is no error: it is as revoked as can be.
                self.revoke_lease(&id(rest)?);
                revoked
            }
            ("revoke-prefix" | "revoke-force", Verb::Write) => {
                self.revoke_leases(|lease| lease.id.starts_with(rest));
                revoked
            }
            ("tidy", Verb::Write) => Ok(Answer::empty()),
            ("lookup" | "renew" | "revoke" | "revoke-prefix" | "revoke-force" | "tidy", _) => {
                Err(Refusal::no_operation())
            }
            _ => Err(Refusal::no_path()),
        }
    }

    fn lookup_lease(&self, id: &str) -> Outcome {
        let lease = self
            .leases
            .get(id)
            .ok_or_else(|| Refusal::bad("invalid lease"))?;
        Reply::data(json!({
            "id": lease.id, "issue_time": self.env.date(lease.issued),
            "expire_time": self.env.date(lease.expires),
            "last_renewal": lease.renewed.map(|at| self.env.date(at)),
            "renewable": lease.grant.renewable, "ttl": lease.ttl(self.env.now),
        }))
    }

    fn renew_lease(&mut self, id: &str, increment: u64) -> Result<Answer, Refusal> {
        let lease = self
            .leases
            .get(id)
            .ok_or_else(|| Refusal::bad("lease not found"))?;
        if !lease.grant.renewable {
            return Err(Refusal::bad("lease is not renewable"));
        }
        let mount = self.mounts.0.get(&lease.mount);
        let mount = mount.ok_or_else(|| Refusal::bad("lease not found"))?;
        let grant = mount.backend.renew(&lease.grant.about)?;
        let terms = Terms {
            increment,
            ttl: grant.ttl,
            max_ttl: grant.max_ttl,
            default: mount.default_ttl(),
            max: mount.max_ttl(),
            start: lease.issued,
            ..Terms::default()
        };
        let (ttl, warnings) = terms.at(self.env.now)?;
        let now = self.env.now;
        if let Some(lease) = self.leases.get_mut(id) {
            lease.grant = grant;
            lease.renewed = Some(now);
            lease.expires = now + Duration::from_secs(ttl);
        }
        let mut body = self.envelope(Value::Null, &warnings);
        body["lease_id"] = id.into();
        body["lease_duration"] = ttl.into();
        body["renewable"] = true.into();
        Ok(Answer::plain(200, body))
    }

    /// Drops the leases of tokens that are gone.
    pub(super) fn revoke_of_tokens(&mut self, tokens: &BTreeSet<String>) {
        self.revoke_leases(|lease| tokens.contains(&lease.token));
    }
}
