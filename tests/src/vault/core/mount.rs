//! Secrets engines and auth methods at their paths; follows <https://developer.hashicorp.com/vault/api-docs/system/mounts>,
//! <https://developer.hashicorp.com/vault/api-docs/system/auth> and `sys/internal/ui/mounts`.
use super::{
    auth::Method,
    call::{Ask, Call, Outcome, Refusal, Reply, Verb},
    engine::Engine,
    env::Env,
    text::Fields,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a mount gives a lease that nobody says more about, in seconds: 768 hours.
pub(super) const SYSTEM_TTL: u64 = 2_764_800;

/// What stands at a path, and its settings.
#[derive(Debug)]
pub(super) struct Mount<T> {
    pub kind: String,
    pub backend: T,
    pub options: Map<String, Value>,
    description: String,
    accessor: String,
    uuid: String,
    /// 0 stands for the system's.
    default_ttl: u64,
    max_ttl: u64,
}

/// All of one kind, by namespace and path, with the slash at their end.
#[derive(Debug)]
pub(super) struct Mounts<T>(pub(super) BTreeMap<String, Mount<T>>);

/// What can stand at a path.
pub(super) trait Backend: Sized {
    fn of_kind(kind: &str, options: &Map<String, Value>, env: &mut Env) -> Option<Self>;

    fn handle(&mut self, ask: &Ask<'_>, env: &mut Env) -> Outcome;
}

impl Backend for Engine {
    fn of_kind(kind: &str, options: &Map<String, Value>, env: &mut Env) -> Option<Self> {
        Self::new(kind, options, env)
    }

    fn handle(&mut self, ask: &Ask<'_>, env: &mut Env) -> Outcome {
        self.handle(ask, env)
    }
}

impl Backend for Method {
    fn of_kind(kind: &str, _: &Map<String, Value>, _: &mut Env) -> Option<Self> {
        Self::new(kind)
    }

    fn handle(&mut self, ask: &Ask<'_>, env: &mut Env) -> Outcome {
        self.handle(ask, env)
    }
}

// === impl Mount ===

impl<T> Mount<T> {
    pub(super) fn default_ttl(&self) -> u64 {
        let own = (self.default_ttl > 0).then_some(self.default_ttl);
        own.unwrap_or(SYSTEM_TTL)
    }

    pub(super) fn max_ttl(&self) -> u64 {
        let own = (self.max_ttl > 0).then_some(self.max_ttl);
        own.unwrap_or(SYSTEM_TTL)
    }

    fn tune(&mut self, body: &Value) -> Result<(), Refusal> {
        let config = Fields::of(body);
        if let Some(ttl) = config.seconds("default_lease_ttl")? {
            self.default_ttl = ttl;
        }
        if let Some(ttl) = config.seconds("max_lease_ttl")? {
            self.max_ttl = ttl;
        }
        Ok(())
    }

    fn show(&self) -> Value {
        let options = (!self.options.is_empty()).then_some(&self.options);
        json!({
            "accessor": self.accessor, "description": self.description, "external_entropy_access": false,
            "config": {
                "default_lease_ttl": self.default_ttl, "max_lease_ttl": self.max_ttl,
                "force_no_cache": false, "token_type": "default-service",
            },
            "local": false, "options": options, "plugin_version": "", "running_plugin_version": "",
            "running_sha256": "", "seal_wrap": false, "type": self.kind, "uuid": self.uuid,
        })
    }
}

// === impl Mounts ===

impl<T> Default for Mounts<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Backend> Mounts<T> {
    /// The mount that `full` (namespace and path) leads to, and what is left of the path.
    pub(super) fn route<'a>(&mut self, full: &'a str) -> Option<(&str, &mut Mount<T>, &'a str)> {
        let fits = |mount: &&String| full.starts_with(mount.as_str());
        let at = self.0.keys().filter(fits).max_by_key(|m| m.len())?.clone();
        let rest = &full[at.len()..];
        let (at, mount) = self.0.range_mut(at..).next()?;
        Some((at, mount, rest))
    }

    /// Lets the mount of `path` answer; where it stands, its default and max TTL, and what it says.
    pub(super) fn ask(
        &mut self,
        namespace: &str,
        path: &str,
        call: &Call,
        (verb, display_name): (Verb, &str),
        env: &mut Env,
    ) -> Result<(String, (u64, u64), Reply), Refusal> {
        let full = format!("{namespace}{path}");
        let Some((at, mount, path)) = self.route(&full) else {
            let why = format!(
                "no handler for route {:?}. route entry not found.",
                call.path
            );
            return Err(Refusal::new(404, why));
        };
        let limits = (mount.default_ttl(), mount.max_ttl());
        let ask = Ask {
            verb,
            path,
            call,
            display_name,
            default_ttl: limits.0,
        };
        let reply = mount.backend.handle(&ask, env)?;
        Ok((at.to_owned(), limits, reply))
    }

    pub(super) fn enable(
        &mut self,
        at: &str,
        kind: &str,
        body: &Value,
        env: &mut Env,
    ) -> Result<(), Refusal> {
        let at = format!("{}/", at.trim_matches('/'));
        if self
            .0
            .keys()
            .any(|other| other.starts_with(&at) || at.starts_with(other.as_str()))
        {
            return Err(Refusal::bad(format!("path is already in use at {at}")));
        }
        let fields = Fields::of(body);
        let options = fields.value("options").and_then(Value::as_object);
        let mut options = options.cloned().unwrap_or_default();
        // `kv-v2` is a name for `kv` with its version.
        let kind = match kind {
            "kv-v2" => {
                options.insert("version".into(), "2".into());
                "kv"
            }
            kind => kind,
        };
        let backend = T::of_kind(kind, &options, env);
        let backend = backend
            .ok_or_else(|| Refusal::bad(format!("plugin not found in the catalog: {kind}")))?;
        let mut mount = Mount {
            kind: kind.to_owned(),
            backend,
            options,
            description: fields.text("description").unwrap_or_default().to_owned(),
            accessor: format!("{kind}_{}", env.word(8)),
            uuid: env.uuid(),
            default_ttl: 0,
            max_ttl: 0,
        };
        mount.tune(fields.value("config").unwrap_or(&Value::Null))?;
        self.0.insert(at, mount);
        Ok(())
    }

    /// `sys/mounts` and `sys/auth`, for what stands in `namespace`; `path` is what follows.
    pub(super) fn manage(
        &mut self,
        call: &Call,
        verb: Verb,
        namespace: &str,
        path: &str,
        env: &mut Env,
    ) -> Outcome {
        let (path, tune) = match path.strip_suffix("/tune") {
            Some(path) => (path, true),
            None => (path.trim_end_matches('/'), false),
        };
        let at = format!("{namespace}{path}/");
        let gone = || Refusal::bad(format!("No secret engine mount at {path}/"));
        match (verb, path, tune) {
            (Verb::Read, "", _) => Reply::data(self.list(namespace)),
            (Verb::Read, _, true) => {
                let mount = self.0.get(&at).ok_or_else(gone)?;
                let ttls = [mount.default_ttl(), mount.max_ttl()];
                let tuned = json!({
                    "default_lease_ttl": ttls[0], "max_lease_ttl": ttls[1], "force_no_cache": false,
                    "description": mount.description, "options": mount.options,
                });
                Reply::data(tuned)
            }
            (Verb::Read, _, false) => Reply::data(self.0.get(&at).ok_or_else(gone)?.show()),
            (Verb::Write, _, true) => {
                self.0.get_mut(&at).ok_or_else(gone)?.tune(&call.body)?;
                Reply::empty()
            }
            (Verb::Write, _, false) => {
                let kind = Fields::of(&call.body).needed("type")?;
                self.enable(&at, kind, &call.body, env)?;
                Reply::empty()
            }
            (Verb::Delete, _, _) => {
                self.0.remove(&at);
                Reply::empty()
            }
            _ => Err(Refusal::no_operation()),
        }
    }

    pub(super) fn list(&self, namespace: &str) -> Value {
        let own = self.0.iter().filter_map(|(at, mount)| {
            let at = at.strip_prefix(namespace)?;
            Some((at.to_owned(), mount.show()))
        });
        Value::Object(own.collect())
    }
}

/// `sys/internal/ui/mounts/:path`, by which clients learn the version of a KV engine. No policy names it: who may do anything
/// below the mount may ask, which is what `allowed` is told.
pub(super) fn internal(
    engines: &mut Mounts<Engine>,
    namespace: &str,
    path: &str,
    allowed: impl Fn(&str) -> bool,
) -> Outcome {
    let full = format!("{namespace}{}/", path.trim_end_matches('/'));
    let found = engines.route(&full).filter(|(at, _, _)| allowed(at));
    let (at, mount, _) = found.ok_or_else(|| {
        Refusal::new(
            403,
            format!(
                "preflight capability check returned 403, please ensure client's policies grant access to path \"{}/\"",
                path.trim_end_matches('/')
            ),
        )
    })?;
    let at = at.strip_prefix(namespace).unwrap_or(at).to_owned();
    let mut shown = mount.show();
    shown["path"] = at.into();
    Reply::data(shown)
}
