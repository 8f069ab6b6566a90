//! Database credentials; follows <https://developer.hashicorp.com/vault/api-docs/secret/databases>.
//!
//! There is no database behind it: the engine keeps the list of users that one would have, and [`Database::is_valid`] is the
//! login. The user of a lease is there from its issue to its end; a static role's password changes by the clock.
use super::super::{
    call::{Ask, Grant, Outcome, Refusal, Reply, Verb},
    env::Env,
    text::Fields,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// Connections, roles and users.
#[derive(Debug, Default)]
pub(in super::super) struct Database {
    connections: BTreeMap<String, Value>,
    roles: BTreeMap<String, Role>,
    fixed: BTreeMap<String, Fixed>,
    /// Passwords by user.
    users: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Role {
    body: Value,
    database: String,
    ttl: u64,
    max_ttl: u64,
}

/// A static role.
#[derive(Debug)]
struct Fixed {
    body: Value,
    database: String,
    user: String,
    password: String,
    period: u64,
    rotated: Duration,
}

// === impl Database ===

impl Database {
    /// Whether the database would let them in.
    pub(in super::super) fn is_valid(&self, user: &str, password: &str) -> bool {
        self.users.get(user).is_some_and(|own| own == password)
    }

    pub(super) fn handle(&mut self, ask: &Ask<'_>, env: &mut Env) -> Outcome {
        let (area, name) = ask.path.split_once('/').unwrap_or((ask.path, ""));
        let body = &ask.call.body;
        match (area, ask.verb) {
            ("config", Verb::Read) => self.connection(name),
            ("config", Verb::List) => Reply::keys(self.connections.keys()),
            ("config", Verb::Write) => {
                Fields::of(body).needed("plugin_name")?;
                self.connections.insert(name.to_owned(), body.clone());
                Reply::empty()
            }
            ("config", Verb::Delete) => {
                self.connections.remove(name);
                Reply::empty()
            }
            ("reset" | "rotate-root", Verb::Write) => Reply::empty(),
            ("roles", Verb::Read) => self.roles.get(name).ok_or_else(Refusal::absent)?.show(),
            ("roles", Verb::List) => Reply::keys(self.roles.keys()),
            ("roles", Verb::Write) => self.set_role(name, body),
            ("roles", Verb::Delete) => {
                self.roles.remove(name);
                Reply::empty()
            }
            ("creds", Verb::Read) => self.issue(name, ask.display_name, env),
            ("static-roles", Verb::Read) => self.static_role(name, env),
            ("static-roles", Verb::List) => Reply::keys(self.fixed.keys()),
            ("static-roles", Verb::Write) => self.set_static(name, body, env),
            ("static-roles", Verb::Delete) => {
                if let Some(role) = self.fixed.remove(name) {
                    self.users.remove(&role.user);
                }
                Reply::empty()
            }
            ("static-creds", Verb::Read) => self.static_creds(name, env),
            ("rotate-role", Verb::Write) => {
                let role = self
                    .fixed
                    .get_mut(name)
                    .ok_or_else(|| Refusal::bad("no static role found for role name"))?;
                role.rotate(env.now, env);
                self.users.insert(role.user.clone(), role.password.clone());
                Reply::empty()
            }
            ("config" | "roles" | "creds" | "static-roles" | "static-creds" | "rotate-role", _) => {
                Err(Refusal::no_operation())
            }
            _ => Err(Refusal::no_path()),
        }
    }

    pub(super) fn renew(&self, about: &str) -> Result<Grant, Refusal> {
        let (role, _) = about.split_once(' ').unwrap_or((about, ""));
        let found = self.roles.get(role).ok_or_else(|| {
            Refusal::bad(format!(
                "failed to renew entry: resp: (*logical.Response)(nil) err: error during renew: could not find role with name: {role:?}"
            ))
        })?;
        Ok(found.grant(about.to_owned()))
    }

    pub(super) fn revoke(&mut self, about: &str) {
        if let Some((_, user)) = about.split_once(' ') {
            self.users.remove(user);
        }
    }

    pub(super) fn tick(&mut self, now: Duration, env: &mut Env) {
        for role in self.fixed.values_mut() {
            while role.period > 0 && role.due() <= now {
                role.rotate(role.due(), env);
                self.users.insert(role.user.clone(), role.password.clone());
            }
        }
    }

    fn connection(&self, name: &str) -> Outcome {
        let body = self.connections.get(name).ok_or_else(Refusal::absent)?;
        let fields = Fields::of(body);
        Reply::data(json!({
            "plugin_name": fields.text("plugin_name"),
            "allowed_roles": fields.list("allowed_roles").unwrap_or_default(),
            "connection_details": {
                "connection_url": fields.text("connection_url").unwrap_or_default(),
                "username": fields.text("username").unwrap_or_default(),
            },
            "root_credentials_rotate_statements": [],
        }))
    }

    fn set_role(&mut self, name: &str, body: &Value) -> Outcome {
        let fields = Fields::of(body);
        let old = self.roles.get(name);
        let set = |seconds: Option<u64>, old: Option<u64>| seconds.or(old).unwrap_or(0);
        let database = fields
            .text("db_name")
            .or(old.map(|old| old.database.as_str()));
        let database = database.ok_or_else(|| Refusal::bad("empty database name attribute"))?;
        let role = Role {
            body: body.clone(),
            database: database.to_owned(),
            ttl: set(fields.seconds("default_ttl")?, old.map(|old| old.ttl)),
            max_ttl: set(fields.seconds("max_ttl")?, old.map(|old| old.max_ttl)),
        };
        self.roles.insert(name.to_owned(), role);
        Reply::empty()
    }

    fn allows(&self, database: &str, role: &str) -> Result<(), Refusal> {
        let gone = || {
            Refusal::internal(&format!(
                "failed to find entry for connection with name: {database:?}"
            ))
        };
        let connection = self.connections.get(database).ok_or_else(gone)?;
        let allowed = Fields::of(connection)
            .list("allowed_roles")
            .unwrap_or_default();
        match allowed.iter().any(|one| one == "*" || one == role) {
            true => Ok(()),
            false => Err(Refusal::internal(&format!(
                "{role:?} is not an allowed role"
            ))),
        }
    }

    fn issue(&mut self, name: &str, display_name: &str, env: &mut Env) -> Outcome {
        let unknown = || Refusal::bad(format!("unknown role: {name}"));
        let role = self.roles.get(name).ok_or_else(unknown)?;
        self.allows(&role.database, name)?;
        let short = |text: &str| text.chars().take(8).collect::<String>();
        let (display, role_name, random) = (short(display_name), short(name), env.word(20));
        let user = format!("v-{display}-{role_name}-{random}-{}", env.unix(env.now));
        let password = password(env);
        let grant = role.grant(format!("{name} {user}"));
        self.users.insert(user.clone(), password.clone());
        Ok(Reply {
            data: Some(json!({ "username": user, "password": password })),
            lease: Some(grant),
            ..Reply::default()
        })
    }

    fn set_static(&mut self, name: &str, body: &Value, env: &mut Env) -> Outcome {
        let fields = Fields::of(body);
        let user = fields.needed("username")?.to_owned();
        let database = fields.needed("db_name")?.to_owned();
        let period = fields.seconds("rotation_period")?;
        let period = period.ok_or_else(|| {
            Refusal::bad("one of rotation_schedule or rotation_period must be provided to create a static account")
        })?;
        if period < 5 {
            return Err(Refusal::bad("rotation_period must be 5 seconds or more"));
        }
        self.allows(&database, name)?;
        let old = self.fixed.remove(name);
        let mut role = Fixed {
            body: body.clone(),
            database,
            user,
            password: old
                .as_ref()
                .map(|old| old.password.clone())
                .unwrap_or_default(),
            period,
            rotated: old.as_ref().map_or(env.now, |old| old.rotated),
        };
        if old.is_none() {
            role.rotate(env.now, env);
        }
        self.users.insert(role.user.clone(), role.password.clone());
        self.fixed.insert(name.to_owned(), role);
        Reply::empty()
    }

    fn static_role(&self, name: &str, env: &Env) -> Outcome {
        let role = self.fixed.get(name).ok_or_else(Refusal::absent)?;
        let statements = Fields::of(&role.body).list("rotation_statements");
        Reply::data(json!({
            "credential_type": "password", "db_name": role.database, "username": role.user,
            "rotation_period": role.period, "rotation_statements": statements.unwrap_or_default(),
            "last_vault_rotation": env.date(role.rotated),
        }))
    }

    fn static_creds(&self, name: &str, env: &Env) -> Outcome {
        let unknown = || Refusal::bad(format!("unknown role: {name}"));
        let role = self.fixed.get(name).ok_or_else(unknown)?;
        let ttl = role.due().saturating_sub(env.now).as_secs();
        Reply::data(json!({
            "username": role.user, "password": role.password, "ttl": ttl,
            "rotation_period": role.period, "last_vault_rotation": env.date(role.rotated),
        }))
    }
}

// === impl Role ===

impl Role {
    fn grant(&self, about: String) -> Grant {
        Grant {
            ttl: self.ttl,
            max_ttl: self.max_ttl,
            renewable: true,
            about,
        }
    }

    fn show(&self) -> Outcome {
        let fields = Fields::of(&self.body);
        let statements = |name: &str| match fields.value(name) {
            Some(Value::String(one)) => vec![one.clone()],
            _ => fields.list(name).unwrap_or_default(),
        };
        Reply::data(json!({
            "db_name": self.database, "default_ttl": self.ttl, "max_ttl": self.max_ttl,
            "creation_statements": statements("creation_statements"),
            "renew_statements": statements("renew_statements"),
            "revocation_statements": statements("revocation_statements"),
            "rollback_statements": statements("rollback_statements"), "credential_type": "password",
        }))
    }
}

// === impl Fixed ===

impl Fixed {
    fn due(&self) -> Duration {
        self.rotated + Duration::from_secs(self.period)
    }

    fn rotate(&mut self, at: Duration, env: &mut Env) {
        self.password = password(env);
        self.rotated = at;
    }
}

/// Twenty characters, as Vault's default password policy makes them: it has a dash.
fn password(env: &mut Env) -> String {
    format!("{}-{}", env.word(7), env.word(12))
}
