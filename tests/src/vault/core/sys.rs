//! The server's own state; follows <https://developer.hashicorp.com/vault/api-docs/system/health>, and the pages `seal`,
//! `unseal`, `seal-status`, `init`, `leader`, `policies`, `policy`, `capabilities-self` and `namespaces` beside it.
use super::{
    Core, VERSION,
    call::{Answer, Call, Refusal, Reply, Verb},
    mount,
    policy::{self, Policy},
    text::Fields,
};
use serde_json::{Value, json};

/// What a node of a cluster is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Station {
    /// It serves.
    #[default]
    Active,
    /// It forwards or redirects.
    Standby,
    /// An Enterprise node that reads by itself.
    PerformanceStandby,
    /// An Enterprise cluster that waits for a disaster.
    DrSecondary,
}

/// Whether the store can be read.
#[derive(Debug)]
pub(super) struct Seal {
    pub initialized: bool,
    pub sealed: bool,
    /// The one unseal key, in hexadecimal digits.
    pub key: String,
}

// === impl Core ===

impl Core {
    /// What is answered without a token, sealed or not.
    pub(super) fn status(&mut self, call: &Call, verb: Verb) -> Option<Result<Answer, Refusal>> {
        Some(match (call.path.as_str(), verb) {
            ("sys/health", Verb::Read) => Ok(self.health(call)),
            ("sys/seal-status", Verb::Read) => Ok(Answer::plain(200, self.seal_status())),
            ("sys/leader", Verb::Read) => Ok(Answer::plain(200, leader(call))),
            ("sys/init", Verb::Read) => {
                let body = json!({ "initialized": self.seal.initialized });
                Ok(Answer::plain(200, body))
            }
            ("sys/init", Verb::Write) => self.init(),
            ("sys/unseal", Verb::Write) => self.unseal_with(&call.body),
            _ => return None,
        })
    }

    /// Everything else below `sys/`; `path` is what follows.
    pub(super) fn sys(
        &mut self,
        call: &Call,
        verb: Verb,
        namespace: &str,
        path: &str,
    ) -> Result<Answer, Refusal> {
        let (area, rest) = path.split_once('/').unwrap_or((path, ""));
        let reply = match area {
            "seal" => {
                self.seal.sealed = true;
                Reply::empty()?
            }
            "step-down" => Reply::empty()?,
            "mounts" | "auth" => {
                let env = &mut self.env;
                let reply = match area {
                    "mounts" => self.mounts.manage(call, verb, namespace, rest, env)?,
                    _ => self.auths.manage(call, verb, namespace, rest, env)?,
                };
                if verb == Verb::Delete {
                    self.unmounted(area, namespace, rest);
                }
                reply
            }
            "internal" => {
                let path = rest
                    .strip_prefix("ui/mounts")
                    .ok_or_else(Refusal::no_path)?;
                match path.strip_prefix('/') {
                    None => Reply::data(json!({
                        "auth": self.auths.list(namespace), "secret": self.mounts.list(namespace),
                    }))?,
                    Some(path) => {
                        let token = call.token.as_deref().and_then(|id| self.tokens.get(id));
                        let token = token.ok_or_else(Refusal::denied)?.clone();
                        let policies: Vec<Policy> = self.policies_of(&token).cloned().collect();
                        let allowed = |at: &str| {
                            let at = at.strip_prefix(&token.namespace).unwrap_or(at);
                            token.is_root() || policy::touch(policies.iter(), at)
                        };
                        mount::internal(&mut self.mounts, namespace, path, allowed)?
                    }
                }
            }
            "policies" => {
                let name = rest.strip_prefix("acl").ok_or_else(Refusal::no_path)?;
                self.policy(call, verb, namespace, name.trim_matches('/'), "policy")?
            }
            "policy" => self.policy(call, verb, namespace, rest, "rules")?,
            "capabilities-self" => self.capabilities_self(call)?,
            "namespaces" => self.namespace(verb, namespace, rest)?,
            "leases" => return self.leases(call, verb, rest),
            "renew" | "revoke" => return self.leases(call, verb, path),
            "wrapping" => return self.wrapping(call, rest),
            _ => return Err(Refusal::no_path()),
        };
        let mut answer = self.reply(reply)?;
        // These have their fields beside `data` as well, for clients from before the envelope.
        let old = matches!(area, "mounts" | "auth" | "policy" | "capabilities-self");
        if let Some(body) = answer.body.as_mut().filter(|_| old) {
            let data = body["data"].as_object().cloned().unwrap_or_default();
            for (name, value) in data {
                body[name] = value;
            }
        }
        Ok(answer)
    }

    fn health(&self, call: &Call) -> Answer {
        let code = |name, usual| {
            call.query(name)
                .and_then(|c| c.parse().ok())
                .unwrap_or(usual)
        };
        let fine = |name| call.query(name).is_some_and(|value| value != "false");
        let active = code("activecode", 200);
        let status = match (self.seal.initialized, self.seal.sealed, call.station) {
            (false, _, _) => code("uninitcode", 501),
            (_, true, _) => code("sealedcode", 503),
            (_, _, Station::DrSecondary) => code("drsecondarycode", 472),
            (_, _, Station::PerformanceStandby) if fine("perfstandbyok") => active,
            (_, _, Station::PerformanceStandby) => code("performancestandbycode", 473),
            (_, _, Station::Standby) if fine("standbyok") => active,
            (_, _, Station::Standby) => code("standbycode", 429),
            (_, _, Station::Active) => active,
        };
        let dr = if call.station == Station::DrSecondary {
            "secondary"
        } else {
            "disabled"
        };
        let body = json!({
            "initialized": self.seal.initialized, "sealed": self.seal.sealed,
            "standby": matches!(call.station, Station::Standby | Station::PerformanceStandby),
            "performance_standby": call.station == Station::PerformanceStandby,
            "replication_performance_mode": "disabled", "replication_dr_mode": dr,
            "server_time_utc": self.env.unix(self.env.now), "version": VERSION, "enterprise": false,
            "cluster_name": "vault-cluster-test", "cluster_id": "00000000-0000-4000-8000-000000000000",
            "echo_duration_ms": 0, "clock_skew_ms": 0, "replication_primary_canary_age_ms": 0,
        });
        Answer::plain(status, body)
    }

    fn seal_status(&self) -> Value {
        json!({
            "type": "shamir", "initialized": self.seal.initialized, "sealed": self.seal.sealed,
            "t": 1, "n": 1, "progress": 0, "nonce": "", "version": VERSION,
            "build_date": "2026-01-01T00:00:00Z", "migration": false, "recovery_seal": false,
            "storage_type": "inmem", "cluster_name": "vault-cluster-test",
            "cluster_id": "00000000-0000-4000-8000-000000000000",
        })
    }

    fn init(&mut self) -> Result<Answer, Refusal> {
        if self.seal.initialized {
            return Err(Refusal::bad("Vault is already initialized"));
        }
        self.seal.initialized = true;
        self.seal.sealed = true;
        let (key, root) = (self.seal.key.clone(), self.root_token.clone());
        let body = json!({ "keys": [key], "keys_base64": [key], "root_token": root });
        Ok(Answer::plain(200, body))
    }

    fn unseal_with(&mut self, body: &Value) -> Result<Answer, Refusal> {
        let fields = Fields::of(body);
        if !self.seal.initialized {
            return Err(Refusal::bad("server is not yet initialized"));
        }
        if fields.flag("reset") != Some(true) {
            let key = fields.text("key").unwrap_or_default();
            if key.is_empty() {
                let why = "'key' must be specified in request body as JSON, or 'reset' set to true";
                return Err(Refusal::bad(why));
            }
            if key != self.seal.key {
                let why =
                    "failed to decrypt keys from storage: cipher: message authentication failed";
                return Err(Refusal::bad(why));
            }
            self.seal.sealed = false;
        }
        Ok(Answer::plain(200, self.seal_status()))
    }

    fn policy(
        &mut self,
        call: &Call,
        verb: Verb,
        namespace: &str,
        name: &str,
        text: &str,
    ) -> Result<Reply, Refusal> {
        let at = (namespace.to_owned(), name.to_lowercase());
        if verb == Verb::List || (verb == Verb::Read && name.is_empty()) {
            let own = self.policies.keys().filter(|(ns, _)| ns == namespace);
            let mut names: Vec<&str> = own.map(|(_, name)| name.as_str()).collect();
            names.push("root");
            return Reply::data(json!({ "keys": names, "policies": names }));
        }
        match verb {
            Verb::Read if name == "root" => Reply::data(json!({ "name": "root", text: "" })),
            Verb::Read => {
                let policy = self.policies.get(&at).ok_or_else(Refusal::absent)?;
                Reply::data(json!({ "name": at.1, text: policy.text }))
            }
            Verb::Write | Verb::Delete if name == "root" => {
                Err(Refusal::bad("cannot update \"root\" policy"))
            }
            Verb::Write => {
                let fields = Fields::of(&call.body);
                let written = fields.text("policy").or(fields.text("rules"));
                let written = written.filter(|text| !text.is_empty());
                let missing = || Refusal::bad("'policy' parameter not supplied or empty");
                let policy = Policy::parse(written.ok_or_else(missing)?)?;
                self.policies.insert(at, policy);
                Reply::empty()
            }
            Verb::Delete if name == "default" => {
                Err(Refusal::bad("cannot delete \"default\" policy"))
            }
            Verb::Delete => {
                self.policies.remove(&at);
                Reply::empty()
            }
            _ => Err(Refusal::no_operation()),
        }
    }

    fn capabilities_self(&self, call: &Call) -> Result<Reply, Refusal> {
        let fields = Fields::of(&call.body);
        let paths = fields.list("paths").or_else(|| fields.list("path"));
        let paths = paths.ok_or_else(|| Refusal::bad("paths must be supplied"))?;
        let token = call.token.as_deref().and_then(|id| self.tokens.get(id));
        let token = token.ok_or_else(Refusal::denied)?;
        let mut shown = json!({});
        for path in &paths {
            let granted = match token.is_root() {
                true => vec!["root"],
                false => policy::capabilities(self.policies_of(token), path),
            };
            let granted = if granted.is_empty() {
                vec!["deny"]
            } else {
                granted
            };
            shown[path] = json!(granted);
            shown["capabilities"] = json!(granted);
        }
        Reply::data(shown)
    }

    fn namespace(&mut self, verb: Verb, namespace: &str, rest: &str) -> Result<Reply, Refusal> {
        let path = format!("{namespace}{}/", rest.trim_matches('/'));
        match verb {
            Verb::List => Reply::folder(self.namespaces.iter(), namespace),
            Verb::Write => {
                self.namespaces.insert(path.clone());
                let default = (path.clone(), "default".to_owned());
                self.policies
                    .insert(default, Policy::parse(policy::DEFAULT)?);
                Reply::data(json!({ "id": self.env.word(5), "path": path, "custom_metadata": {} }))
            }
            Verb::Read if self.namespaces.contains(&path) => Reply::data(json!({ "path": path })),
            Verb::Read => Err(Refusal::absent()),
            Verb::Delete => {
                self.namespaces.remove(&path);
                Reply::empty()
            }
            Verb::Patch => Err(Refusal::no_operation()),
        }
    }
}

fn leader(call: &Call) -> Value {
    json!({
        "ha_enabled": true, "is_self": call.station == Station::Active,
        "leader_address": call.active, "leader_cluster_address": "",
        "performance_standby": call.station == Station::PerformanceStandby,
        "performance_standby_last_remote_wal": 0,
    })
}
