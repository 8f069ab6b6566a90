//! KV version 2; follows <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2>, but `subkeys`.
use super::super::{
    call::{Ask, Outcome, Refusal, Reply, Verb, envelope},
    env::Env,
    text::{Fields, go_duration},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// Keys, and what the mount says of all.
#[derive(Debug, Default)]
pub(in super::super) struct Kv2 {
    keys: BTreeMap<String, Key>,
    rules: Rules,
}

/// Of the mount or of one key; a key's own come first.
#[derive(Clone, Copy, Debug, Default)]
struct Rules {
    max_versions: u64,
    cas_required: bool,
    delete_version_after: u64,
}

#[derive(Debug)]
struct Key {
    rules: Rules,
    custom: Value,
    created: Duration,
    updated: Duration,
    current: u64,
    versions: BTreeMap<u64, Version>,
}

#[derive(Debug)]
struct Version {
    data: Value,
    created: Duration,
    /// When it goes, or went.
    deletion: Option<Duration>,
    destroyed: bool,
}

// === impl Kv2 ===

impl Kv2 {
    pub(super) fn handle(&mut self, ask: &Ask<'_>, env: &mut Env) -> Outcome {
        let (area, path) = ask.path.split_once('/').unwrap_or((ask.path, ""));
        let fields = Fields::of(&ask.call.body);
        match (area, ask.verb) {
            ("config", Verb::Read) => Reply::data(self.rules.show()),
            ("config", Verb::Write) => {
                self.rules.set(fields)?;
                Reply::empty()
            }
            ("data", Verb::Read) => self.read(ask, path, env),
            ("data", Verb::Write) => self.write(fields, path, env),
            ("data", Verb::Patch) => self.patch(fields, path, env),
            ("data", Verb::Delete) => self.mark(path, |key| {
                let current = key.current;
                key.delete(current, env.now);
            }),
            ("delete", Verb::Write) => self.each(fields, path, |key, v| key.delete(v, env.now)),
            ("undelete", Verb::Write) => self.each(fields, path, Key::undelete),
            ("destroy", Verb::Write) => self.each(fields, path, Key::destroy),
            ("metadata", Verb::List) => Reply::folder(self.keys.keys(), path),
            ("metadata", Verb::Read) => {
                let key = self.keys.get(path).ok_or_else(Refusal::absent)?;
                Reply::data(key.show(env))
            }
            ("metadata", Verb::Write) => {
                let key = self.keys.entry(path.to_owned());
                let key = key.or_insert_with(|| Key::new(env.now));
                key.rules.set(fields)?;
                if let Some(custom) = fields.value("custom_metadata") {
                    key.custom = custom.clone();
                }
                Reply::empty()
            }
            ("metadata", Verb::Delete) => {
                self.keys.remove(path);
                Reply::empty()
            }
            ("config" | "data" | "delete" | "undelete" | "destroy" | "metadata", _) => {
                Err(Refusal::no_operation())
            }
            _ => Err(unversioned(env)),
        }
    }

    /// Whether a write to `path` updates.
    pub(super) fn holds(&self, path: &str) -> bool {
        let key = path
            .split_once('/')
            .filter(|(area, _)| matches!(*area, "data" | "metadata"));
        key.is_none_or(|(_, key)| self.keys.contains_key(key))
    }

    pub(in super::super) fn remove(&mut self, path: &str) {
        self.keys.remove(path);
    }

    fn read(&self, ask: &Ask<'_>, path: &str, env: &mut Env) -> Outcome {
        let key = self.keys.get(path).ok_or_else(Refusal::absent)?;
        let asked = match ask.call.query("version") {
            None | Some("" | "0") => key.current,
            Some(text) => {
                let wrong = |_| {
                    Refusal::bad(format!(
                        "error converting input {text} for field \"version\""
                    ))
                };
                text.parse().map_err(wrong)?
            }
        };
        let version = key.versions.get(&asked).ok_or_else(Refusal::absent)?;
        let metadata = version.metadata(asked, &key.custom, env);
        if version.is_there(env.now) {
            return Reply::data(json!({ "data": version.data, "metadata": metadata }));
        }
        let body = envelope(env, json!({ "data": null, "metadata": metadata }));
        Err(Refusal { status: 404, body })
    }

    fn write(&mut self, fields: Fields<'_>, path: &str, env: &mut Env) -> Outcome {
        let data = fields
            .value("data")
            .ok_or_else(|| Refusal::bad("no data provided"))?;
        let options = fields.value("options").unwrap_or(&Value::Null);
        self.check_cas(Fields::of(options), path)?;
        self.put(data.clone(), path, env)
    }

    fn patch(&mut self, fields: Fields<'_>, path: &str, env: &mut Env) -> Outcome {
        let data = fields
            .value("data")
            .ok_or_else(|| Refusal::bad("no data provided"))?;
        let options = fields.value("options").unwrap_or(&Value::Null);
        self.check_cas(Fields::of(options), path)?;
        let key = self.keys.get(path).ok_or_else(Refusal::absent)?;
        let latest = key.versions.get(&key.current);
        let latest = latest.filter(|version| version.is_there(env.now));
        let mut merged = latest.ok_or_else(Refusal::absent)?.data.clone();
        merge(&mut merged, data);
        self.put(merged, path, env)
    }

    fn put(&mut self, data: Value, path: &str, env: &mut Env) -> Outcome {
        let rules = self.rules;
        let key = self.keys.entry(path.to_owned());
        let key = key.or_insert_with(|| Key::new(env.now));
        let after = [key.rules.delete_version_after, rules.delete_version_after];
        let after = after.into_iter().find(|after| *after > 0);
        let version = Version {
            data,
            created: env.now,
            deletion: after.map(|after| env.now + Duration::from_secs(after)),
            destroyed: false,
        };
        key.current += 1;
        key.updated = env.now;
        let metadata = version.metadata(key.current, &key.custom, env);
        key.versions.insert(key.current, version);
        // Ten are kept unless something else is said.
        let limits = [key.rules.max_versions, rules.max_versions, 10];
        let limit = limits.into_iter().find(|limit| *limit > 0).unwrap_or(10);
        let oldest = key.current.saturating_sub(limit);
        key.versions.retain(|number, _| *number > oldest);
        Reply::data(metadata)
    }

    fn check_cas(&self, options: Fields<'_>, path: &str) -> Result<(), Refusal> {
        let key = self.keys.get(path);
        let required = self.rules.cas_required || key.is_some_and(|key| key.rules.cas_required);
        match options.number("cas") {
            None if required => Err(Refusal::bad(
                "check-and-set parameter required for this call",
            )),
            Some(cas) if cas != key.map_or(0, |key| key.current) => Err(Refusal::bad(
                "check-and-set parameter did not match the current version",
            )),
            _ => Ok(()),
        }
    }

    fn mark(&mut self, path: &str, mark: impl FnOnce(&mut Key)) -> Outcome {
        if let Some(key) = self.keys.get_mut(path) {
            mark(key);
        }
        Reply::empty()
    }

    fn each(
        &mut self,
        fields: Fields<'_>,
        path: &str,
        mut mark: impl FnMut(&mut Key, u64),
    ) -> Outcome {
        let versions = fields.value("versions").and_then(Value::as_array);
        let versions = versions.filter(|versions| !versions.is_empty());
        let versions = versions.ok_or_else(|| Refusal::bad("No version number provided"))?;
        let number = |v: &Value| v.as_u64().or_else(|| v.as_str()?.parse().ok());
        self.mark(path, |key| {
            for version in versions.iter().filter_map(number) {
                mark(key, version);
            }
        })
    }
}

// === impl Rules ===

impl Rules {
    fn set(&mut self, fields: Fields<'_>) -> Result<(), Refusal> {
        self.max_versions = fields.number("max_versions").unwrap_or(self.max_versions);
        self.cas_required = fields.flag("cas_required").unwrap_or(self.cas_required);
        let after = fields.seconds("delete_version_after")?;
        self.delete_version_after = after.unwrap_or(self.delete_version_after);
        Ok(())
    }

    fn show(self) -> Value {
        json!({
            "max_versions": self.max_versions, "cas_required": self.cas_required,
            "delete_version_after": go_duration(self.delete_version_after),
        })
    }
}

// === impl Key ===

impl Key {
    fn new(now: Duration) -> Self {
        Self {
            rules: Rules::default(),
            custom: Value::Null,
            created: now,
            updated: now,
            current: 0,
            versions: BTreeMap::new(),
        }
    }

    fn delete(&mut self, version: u64, now: Duration) {
        if let Some(version) = self.versions.get_mut(&version) {
            version.deletion.get_or_insert(now);
        }
    }

    fn undelete(&mut self, version: u64) {
        if let Some(version) = self.versions.get_mut(&version) {
            version.deletion = None;
        }
    }

    fn destroy(&mut self, version: u64) {
        if let Some(version) = self.versions.get_mut(&version) {
            version.destroyed = true;
            version.data = Value::Null;
        }
    }

    fn show(&self, env: &Env) -> Value {
        let version = |(number, version): (&u64, &Version)| {
            let shown = json!({
                "created_time": env.date(version.created), "deletion_time": version.deletion_time(env),
                "destroyed": version.destroyed,
            });
            (number.to_string(), shown)
        };
        let versions: Map<String, Value> = self.versions.iter().map(version).collect();
        let mut shown = self.rules.show();
        shown["created_time"] = env.date(self.created).into();
        shown["updated_time"] = env.date(self.updated).into();
        shown["current_version"] = self.current.into();
        shown["oldest_version"] = self.versions.keys().next().copied().unwrap_or(0).into();
        shown["custom_metadata"] = self.custom.clone();
        shown["versions"] = versions.into();
        shown
    }
}

// === impl Version ===

impl Version {
    fn is_there(&self, now: Duration) -> bool {
        !self.destroyed && self.deletion.is_none_or(|at| at > now)
    }

    fn deletion_time(&self, env: &Env) -> String {
        self.deletion.map(|at| env.date(at)).unwrap_or_default()
    }

    fn metadata(&self, number: u64, custom: &Value, env: &Env) -> Value {
        json!({
            "created_time": env.date(self.created), "custom_metadata": custom,
            "deletion_time": self.deletion_time(env), "destroyed": self.destroyed, "version": number,
        })
    }
}

/// RFC 7396.
fn merge(into: &mut Value, patch: &Value) {
    let (Some(fields), Value::Object(into)) = (patch.as_object(), &mut *into) else {
        *into = patch.clone();
        return;
    };
    for (name, value) in fields {
        match value {
            Value::Null => drop(into.remove(name)),
            value => merge(into.entry(name.clone()).or_insert(Value::Null), value),
        }
    }
}

/// A path as of version 1.
fn unversioned(env: &mut Env) -> Refusal {
    let mut body = envelope(env, Value::Null);
    body["warnings"] = json!([
        "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the Vault CLI, use 'vault kv get' for this operation."
    ]);
    Refusal { status: 404, body }
}
