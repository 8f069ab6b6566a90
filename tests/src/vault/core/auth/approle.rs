//! Roles for machines; follows <https://developer.hashicorp.com/vault/api-docs/auth/approle>, but CIDR bounds.
use super::{
    super::{
        call::{Ask, Outcome, Refusal, Reply, Verb},
        env::Env,
        text::Fields,
    },
    Params,
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// What a login that is not let in is told, whatever it was.
const INVALID: &str = "invalid role or secret ID";

/// All roles.
#[derive(Debug, Default)]
pub(in super::super) struct Approle(BTreeMap<String, Role>);

#[derive(Debug, Default)]
struct Role {
    id: String,
    bind_secret_id: bool,
    secret_id_ttl: u64,
    secret_id_num_uses: u64,
    params: Params,
    /// By the secret id.
    secrets: BTreeMap<String, SecretId>,
}

#[derive(Debug)]
struct SecretId {
    accessor: String,
    made: Duration,
    expires: Option<Duration>,
    ttl: u64,
    /// `None` for any number.
    uses: Option<u64>,
    meta: Map<String, Value>,
}

// === impl Approle ===

impl Approle {
    pub(super) fn handle(&mut self, ask: &Ask<'_>, env: &mut Env) -> Outcome {
        let fields = Fields::of(&ask.call.body);
        let parts: Vec<&str> = ask.path.split('/').collect();
        let (name, rest) = match &parts[..] {
            ["login"] if ask.verb == Verb::Write => return self.login(fields, env),
            ["login"] => return Err(Refusal::no_operation()),
            ["role"] | ["role", ""] => return Reply::keys(self.0.keys()),
            ["tidy", ..] => return Reply::empty(),
            ["role", name, rest @ ..] => (name.to_lowercase(), rest),
            _ => return Err(Refusal::no_path()),
        };
        if rest.is_empty() {
            return self.role(&name, ask.verb, fields, env);
        }
        let missing = || match ask.verb {
            Verb::Read => Refusal::absent(),
            _ => Refusal::bad(format!("role {name:?} does not exist")),
        };
        let role = self.0.get_mut(&name).ok_or_else(missing)?;
        match (rest, ask.verb) {
            (["role-id"], Verb::Read) => Reply::data(json!({ "role_id": role.id })),
            (["role-id"], Verb::Write) => {
                role.id = fields.needed("role_id")?.to_owned();
                Reply::empty()
            }
            (["secret-id"], Verb::Write) => {
                let id = env.uuid();
                role.make_secret(id, fields, env)
            }
            (["custom-secret-id"], Verb::Write) => {
                let id = fields.needed("secret_id")?.to_owned();
                role.make_secret(id, fields, env)
            }
            (["secret-id"] | ["secret-id", ""], Verb::List) => {
                let accessors = role.secrets.values().map(|secret| &secret.accessor);
                Reply::keys(accessors)
            }
            (["secret-id", "lookup"], Verb::Write) => {
                let id = fields.needed("secret_id")?;
                // As the real one: 204 and no data.
                match role
                    .secrets
                    .get(id)
                    .filter(|secret| secret.is_live(env.now))
                {
                    Some(secret) => Reply::data(secret.show(env)),
                    None => Reply::empty(),
                }
            }
            (["secret-id", "destroy"], Verb::Write | Verb::Delete) => {
                role.secrets.remove(fields.needed("secret_id")?);
                Reply::empty()
            }
            (["secret-id-accessor", "lookup"], Verb::Write) => {
                let accessor = fields.needed("secret_id_accessor")?;
                let mut all = role.secrets.values();
                let found = all.find(|secret| secret.accessor == accessor);
                Reply::data(found.ok_or_else(Refusal::absent)?.show(env))
            }
            (["secret-id-accessor", "destroy"], Verb::Write | Verb::Delete) => {
                let accessor = fields.needed("secret_id_accessor")?;
                role.secrets.retain(|_, secret| secret.accessor != accessor);
                Reply::empty()
            }
            _ => Err(Refusal::no_path()),
        }
    }

    fn role(&mut self, name: &str, verb: Verb, fields: Fields<'_>, env: &mut Env) -> Outcome {
        match verb {
            Verb::Read => Reply::data(self.0.get(name).ok_or_else(Refusal::absent)?.show()),
            Verb::Write => {
                let role = self.0.entry(name.to_owned()).or_insert_with(|| Role {
                    id: env.uuid(),
                    bind_secret_id: true,
                    ..Role::default()
                });
                role.bind_secret_id = fields.flag("bind_secret_id").unwrap_or(role.bind_secret_id);
                role.secret_id_ttl = fields
                    .seconds("secret_id_ttl")?
                    .unwrap_or(role.secret_id_ttl);
                let uses = fields.number("secret_id_num_uses");
                role.secret_id_num_uses = uses.unwrap_or(role.secret_id_num_uses);
                role.params.set(fields)?;
                Reply::empty()
            }
            Verb::Delete => {
                self.0.remove(name);
                Reply::empty()
            }
            _ => Err(Refusal::no_operation()),
        }
    }

    fn login(&mut self, fields: Fields<'_>, env: &Env) -> Outcome {
        let missing = |what| Refusal::bad(format!("missing {what}"));
        let id = fields.text("role_id").ok_or_else(|| missing("role_id"))?;
        let mut roles = self.0.iter_mut();
        let found = roles.find(|(_, role)| role.id == id);
        let (name, role) = found.ok_or_else(|| Refusal::bad(INVALID))?;
        let mut meta = Map::from_iter([("role_name".to_owned(), name.as_str().into())]);
        if role.bind_secret_id {
            let id = fields
                .text("secret_id")
                .ok_or_else(|| missing("secret_id"))?;
            let secret = role
                .secrets
                .get_mut(id)
                .filter(|secret| secret.is_live(env.now));
            let secret = secret.ok_or_else(|| Refusal::bad(INVALID))?;
            meta.extend(secret.meta.clone());
            if let Some(uses) = &mut secret.uses {
                *uses -= 1;
            }
        }
        Reply::login(role.params.login("approle".into(), meta))
    }
}

// === impl Role ===

impl Role {
    fn make_secret(&mut self, id: String, fields: Fields<'_>, env: &mut Env) -> Outcome {
        let ttl = fields.seconds("ttl")?.unwrap_or(self.secret_id_ttl);
        let uses = fields.number("num_uses").unwrap_or(self.secret_id_num_uses);
        // The metadata comes as JSON within text, or as a map.
        let meta = match fields.value("metadata") {
            Some(Value::String(text)) => {
                let read = serde_json::from_str(text);
                read.map_err(|_| Refusal::bad("failed to parse metadata"))?
            }
            Some(Value::Object(meta)) => meta.clone(),
            _ => Map::new(),
        };
        let secret = SecretId {
            accessor: env.uuid(),
            made: env.now,
            expires: (ttl > 0).then(|| env.now + Duration::from_secs(ttl)),
            ttl,
            uses: (uses > 0).then_some(uses),
            meta,
        };
        let shown = json!({
            "secret_id": id, "secret_id_accessor": secret.accessor, "secret_id_ttl": ttl,
            "secret_id_num_uses": uses,
        });
        self.secrets.insert(id, secret);
        Reply::data(shown)
    }

    fn show(&self) -> Value {
        let mut shown = json!({
            "bind_secret_id": self.bind_secret_id, "local_secret_ids": false,
            "secret_id_bound_cidrs": null, "secret_id_num_uses": self.secret_id_num_uses,
            "secret_id_ttl": self.secret_id_ttl,
        });
        self.params.show(&mut shown);
        shown
    }
}

// === impl SecretId ===

impl SecretId {
    fn is_live(&self, now: Duration) -> bool {
        self.expires.is_none_or(|end| end > now) && self.uses != Some(0)
    }

    fn show(&self, env: &Env) -> Value {
        let end = self.expires.map(|at| env.date(at));
        json!({
            "cidr_list": [], "creation_time": env.date(self.made),
            "expiration_time": end.unwrap_or_else(|| "0001-01-01T00:00:00Z".into()),
            "last_updated_time": env.date(self.made), "metadata": self.meta,
            "secret_id_accessor": self.accessor, "secret_id_num_uses": self.uses.unwrap_or(0),
            "secret_id_ttl": self.ttl, "token_bound_cidrs": [],
        })
    }
}
