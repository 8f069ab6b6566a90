//! The way of a request: seal, clock, namespace, token, policy, mount, lease; follows `vault/request_handling.go` and
//! <https://developer.hashicorp.com/vault/api-docs#http-status-codes>.
use super::{
    Core,
    call::{Answer, Call, Login, Refusal, Reply, Verb, envelope},
    engine::Engine,
    policy::{self, Policy},
    token::Token,
};
use serde_json::{Value, json};
use std::time::Duration;

/// What asks for the capability `sudo` beside its own.
const SUDO: [&str; 7] = [
    "auth/token/accessors",
    "auth/token/create-orphan",
    "sys/auth/",
    "sys/leases/lookup/",
    "sys/leases/revoke-force/",
    "sys/leases/revoke-prefix/",
    "sys/seal",
];

// === impl Core ===

impl Core {
    /// Answers `call` at `now`, which is Vault's time since the server started and never goes back.
    pub fn handle(&mut self, call: &Call, now: Duration) -> Answer {
        self.env.now = self.env.now.max(now);
        let answer = self.answer(call).unwrap_or_else(Answer::from);
        let opens = call.path.starts_with("sys/wrapping/") && !call.path.ends_with("/wrap");
        match call.wrap.filter(|_| !opens) {
            Some(ttl) => self.wrap(call, ttl, answer),
            None => answer,
        }
    }

    /// What the clock does: ends what is over, and rotates what is due. While sealed, nothing.
    pub(super) fn tick(&mut self) {
        if self.seal.sealed {
            return;
        }
        let now = self.env.now;
        for id in self.tokens.expired(now) {
            self.revoke_token(&id);
        }
        self.revoke_leases(|lease| lease.expires <= now);
        for mount in self.mounts.0.values_mut() {
            mount.backend.tick(now, &mut self.env);
        }
    }

    fn answer(&mut self, call: &Call) -> Result<Answer, Refusal> {
        let verb = call.verb().ok_or_else(Refusal::no_operation)?;
        if let Some(answer) = self.status(call, verb) {
            return answer;
        }
        if self.seal.sealed {
            return Err(Refusal::new(503, "Vault is sealed"));
        }
        self.tick();
        let (namespace, path) = self.namespace_of(call)?;
        let mut call = call.clone();
        call.path = path;
        if self.needs_no_token(&call, &namespace) {
            return self.dispatch(&call, verb, &namespace, None);
        }
        let token = self.admit(&call, verb, &namespace)?;
        let answer = self.dispatch(&call, verb, &namespace, Some(&token));
        if token.uses == Some(1) {
            self.revoke_token(&token.id);
        }
        answer
    }

    /// Namespace and path: the header, the start of the path, or both.
    fn namespace_of(&self, call: &Call) -> Result<(String, String), Refusal> {
        let header = call.namespace.trim_matches('/');
        let start = if header.is_empty() {
            String::new()
        } else {
            format!("{header}/")
        };
        if !start.is_empty() && !self.namespaces.contains(&start) {
            let why = format!(
                "no handler for route {:?}. route entry not found.",
                call.path
            );
            return Err(Refusal::new(404, why));
        }
        let full = format!("{start}{}", call.path);
        let own = self
            .namespaces
            .iter()
            .filter(|ns| full.starts_with(ns.as_str()));
        let own = own.max_by_key(|ns| ns.len()).cloned().unwrap_or_default();
        let path = full[own.len()..].to_owned();
        Ok((own, path))
    }

    fn needs_no_token(&mut self, call: &Call, namespace: &str) -> bool {
        if matches!(
            call.path.as_str(),
            "sys/wrapping/lookup" | "sys/wrapping/unwrap"
        ) {
            let bearer = call.token.as_deref().and_then(|id| self.tokens.get(id));
            let named = call.body.get("token").is_some();
            return bearer.is_none_or(|t| t.wrapping) && (!named || call.path.ends_with("lookup"));
        }
        let Some(path) = call.path.strip_prefix("auth/") else {
            return false;
        };
        let full = format!("{namespace}{path}");
        let route = self.auths.route(&full);
        route.is_some_and(|(_, _, rest)| rest == "login" || rest.starts_with("login/"))
    }

    /// The token of the request, if it may do this; takes one of its uses.
    fn admit(&mut self, call: &Call, verb: Verb, namespace: &str) -> Result<Token, Refusal> {
        let (old, denied) = (self.old_errors, || Refusal::new(403, "permission denied"));
        let id = match call.token.as_deref() {
            None | Some("") if old => return Err(Refusal::bad("missing client token")),
            None | Some("") => return Err(denied()),
            Some(id) => id,
        };
        let Some(token) = self.tokens.get_mut(id) else {
            let both = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n";
            let known = if old { "permission denied" } else { both };
            return Err(Refusal::new(403, known));
        };
        let spent = token.clone();
        if let Some(uses) = &mut token.uses {
            *uses = uses.saturating_sub(1);
        }
        let inside = namespace.strip_prefix(spent.namespace.as_str());
        let inside = inside.ok_or_else(denied)?;
        let path = format!("{inside}{}", call.path);
        match self.may(&spent, verb, &path, namespace, call) {
            true => Ok(spent),
            false => {
                if spent.uses == Some(1) {
                    self.revoke_token(&spent.id);
                }
                Err(Refusal::denied())
            }
        }
    }

    fn may(&mut self, token: &Token, verb: Verb, path: &str, namespace: &str, call: &Call) -> bool {
        if token.wrapping {
            return false;
        }
        if token.is_root() || call.path.starts_with("sys/internal/ui/mounts/") {
            return true;
        }
        let needed = match verb {
            Verb::Read => "read",
            Verb::List => "list",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
            Verb::Write => {
                let full = format!("{namespace}{}", call.path);
                let route = self.mounts.route(&full);
                let creates = route.is_some_and(|(_, mount, rest)| mount.backend.creates(rest));
                if creates { "create" } else { "update" }
            }
        };
        let sudo = SUDO.iter().any(|start| call.path.starts_with(start));
        let mut paths = vec![path.to_owned()];
        if verb == Verb::List {
            paths.insert(0, format!("{}/", path.trim_end_matches('/')));
        }
        paths.iter().any(|path| {
            let granted = policy::capabilities(self.policies_of(token), path);
            granted.contains(&needed) && (!sudo || granted.contains(&"sudo"))
        })
    }

    /// The policies of a token that exist.
    pub(super) fn policies_of(&self, token: &Token) -> impl Iterator<Item = &Policy> {
        let at = |name: &String| (token.namespace.clone(), name.clone());
        let keys: Vec<(String, String)> = token.policies.iter().map(at).collect();
        keys.into_iter().filter_map(|key| self.policies.get(&key))
    }

    fn dispatch(
        &mut self,
        call: &Call,
        verb: Verb,
        namespace: &str,
        token: Option<&Token>,
    ) -> Result<Answer, Refusal> {
        if let Some(path) = call.path.strip_prefix("sys/") {
            return self.sys(call, verb, namespace, path);
        }
        if let Some(path) = call.path.strip_prefix("auth/token/") {
            return self.token_api(call, verb, path);
        }
        let display_name = token.map_or("", |token| token.display_name.as_str());
        let (verb_and_name, env) = ((verb, display_name), &mut self.env);
        let (at, limits, reply) = match call.path.strip_prefix("auth/") {
            Some(path) => self.auths.ask(namespace, path, call, verb_and_name, env)?,
            None => self
                .mounts
                .ask(namespace, &call.path, call, verb_and_name, env)?,
        };
        self.finish(call, namespace, &at, limits, token, reply)
    }

    /// Makes the lease or the token that a mount asks for.
    fn finish(
        &mut self,
        call: &Call,
        namespace: &str,
        mount: &str,
        limits: (u64, u64),
        token: Option<&Token>,
        mut reply: Reply,
    ) -> Result<Answer, Refusal> {
        if let Some(login) = reply.login.take() {
            return Ok(self.logged_in(call, namespace, limits, login));
        }
        let Some(grant) = reply.lease.take() else {
            return self.reply(reply);
        };
        let renewable = grant.renewable;
        let holder = token.map(|token| token.id.as_str()).unwrap_or_default();
        let path = format!("{namespace}{}", call.path);
        let (id, ttl, warnings) = self.lend(&path, mount, limits, holder, grant)?;
        reply.warnings.extend(warnings);
        let mut body = self.envelope(reply.data.unwrap_or_default(), &reply.warnings);
        body["lease_id"] = id.into();
        body["lease_duration"] = ttl.into();
        body["renewable"] = renewable.into();
        Ok(Answer::plain(200, body))
    }

    fn logged_in(
        &mut self,
        call: &Call,
        namespace: &str,
        limits: (u64, u64),
        login: Login,
    ) -> Answer {
        let made = self.make_token(login, namespace, None, &call.path, limits);
        let warnings = made.terms(0).at(self.env.now);
        let warnings = warnings.map(|(_, warnings)| warnings).unwrap_or_default();
        let mut body = self.envelope(Value::Null, &warnings);
        body["auth"] = made.auth(self.env.now);
        Answer::plain(200, body)
    }

    /// 204, or 200 with the envelope.
    pub(super) fn reply(&mut self, reply: Reply) -> Result<Answer, Refusal> {
        let Some(data) = reply.data else {
            return Ok(Answer::empty());
        };
        let mut body = self.envelope(data, &reply.warnings);
        if let Some(hint) = reply.hint {
            body["lease_duration"] = hint.into();
        }
        Ok(Answer::plain(200, body))
    }

    pub(super) fn envelope(&mut self, data: Value, warnings: &[String]) -> Value {
        let mut body = envelope(&mut self.env, data);
        if !warnings.is_empty() {
            body["warnings"] = json!(warnings);
        }
        body
    }

    /// A mount is gone: so are its leases, or the tokens that it made.
    pub(super) fn unmounted(&mut self, area: &str, namespace: &str, path: &str) {
        let at = format!("{namespace}{}/", path.trim_matches('/'));
        if area == "mounts" {
            self.revoke_leases(|lease| lease.mount == at);
            return;
        }
        let made = format!("auth/{}/", path.trim_matches('/'));
        let own = self
            .tokens
            .all()
            .filter(|t| t.namespace == namespace && t.path.starts_with(&made));
        let own: Vec<String> = own.map(|token| token.id.clone()).collect();
        for id in own {
            self.revoke_token(&id);
        }
    }

    /// What a token kept in its cubbyhole goes with it.
    pub(super) fn forget(&mut self, token: &str) {
        for mount in self.mounts.0.values_mut() {
            if let Engine::Cubbyhole(engine) = &mut mount.backend {
                engine.forget(token);
            }
        }
    }

    pub(super) fn make_root(&mut self, id: String) {
        let login = Login {
            display_name: "root".into(),
            policies: vec!["root".into()],
            ..Login::default()
        };
        let made = self.make_token(login, "", None, "auth/token/root", (0, 0));
        self.tokens.take_tree(&made.id);
        let renewable = false;
        self.tokens.insert(Token {
            id,
            renewable,
            ..made
        });
    }
}
