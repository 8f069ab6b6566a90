//! `auth/token/…`; follows <https://developer.hashicorp.com/vault/api-docs/auth/token>, but token roles.
use super::{
    Core,
    call::{Answer, Call, Login, Refusal, Reply, Verb},
    mount::SYSTEM_TTL,
    text::Fields,
    token::Token,
    ttl::Terms,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

// === impl Core ===

impl Core {
    pub(super) fn token_api(
        &mut self,
        call: &Call,
        verb: Verb,
        path: &str,
    ) -> Result<Answer, Refusal> {
        let own = call.token.clone().unwrap_or_default();
        let fields = Fields::of(&call.body);
        let (action, rest) = path.split_once('/').unwrap_or((path, ""));
        let named = || fields.text("token").unwrap_or(rest).to_owned();
        let accessor = || fields.text("accessor").unwrap_or_default();
        match (action, verb) {
            ("create" | "create-orphan", Verb::Write) => self.create_token(call, action, &own),
            ("accessors", Verb::List) => {
                let all: Vec<String> = self.tokens.all().map(|t| t.accessor.clone()).collect();
                let reply = Reply::keys(&all)?;
                self.reply(reply)
            }
            ("lookup-self", Verb::Read | Verb::Write) => self.lookup_token(&own, 403),
            // The id as part of the path is how it once was; `GET` on the own one still works.
            ("lookup", Verb::Read) => self.lookup_token(&own, 403),
            ("lookup", Verb::Write) => self.lookup_token(&named(), 403),
            ("lookup-accessor", Verb::Write) => {
                let found = self.tokens.by_accessor(accessor());
                let id = found.map(|token| token.id.clone());
                let id = id.ok_or_else(|| Refusal::new(403, "invalid accessor"))?;
                let mut answer = self.lookup_token(&id, 403)?;
                if let Some(body) = &mut answer.body {
                    body["data"]["id"] = "".into();
                }
                Ok(answer)
            }
            ("renew-self", Verb::Write) => self.renew_token(&own, fields, true),
            ("renew", Verb::Write) => self.renew_token(&named(), fields, true),
            ("renew-accessor", Verb::Write) => {
                let found = self.tokens.by_accessor(accessor());
                let id = found.map(|token| token.id.clone());
                let id = id.ok_or_else(|| Refusal::bad("invalid accessor"))?;
                self.renew_token(&id, fields, false)
            }
            ("revoke-self", Verb::Write) => self.revoke_answer(&own),
            ("revoke", Verb::Write) => self.revoke_answer(&named()),
            ("revoke-accessor", Verb::Write) => {
                let found = self.tokens.by_accessor(accessor());
                let id = found.map(|token| token.id.clone());
                self.revoke_answer(&id.ok_or_else(|| Refusal::bad("invalid accessor"))?)
            }
            ("revoke-orphan", Verb::Write) => {
                let gone = self.tokens.take_one(&named());
                self.bury(gone.into_iter().collect());
                Ok(Answer::empty())
            }
            _ => Err(Refusal::no_path()),
        }
    }

    /// Makes a token, live at once.
    pub(super) fn make_token(
        &mut self,
        login: Login,
        namespace: &str,
        parent: Option<String>,
        path: &str,
        limits: (u64, u64),
    ) -> Token {
        let now = self.env.now;
        let mut policies: BTreeSet<String> = login.policies.iter().cloned().collect();
        if !login.no_default_policy && !policies.contains("root") {
            policies.insert("default".into());
        }
        let (id, accessor) = (format!("hvs.{}", self.env.word(24)), self.env.word(24));
        let uses = (login.num_uses > 0).then_some(login.num_uses);
        let mut token = Token {
            id,
            accessor,
            namespace: namespace.to_owned(),
            parent,
            path: path.to_owned(),
            display_name: login.display_name.clone(),
            policies: policies.into_iter().collect(),
            meta: login.meta.clone(),
            issued: now,
            renewed: None,
            expires: None,
            creation_ttl: 0,
            renewable: true,
            login,
            limits,
            uses,
            wrapping: false,
        };
        let granted = token.terms(0).at(now);
        let (ttl, _) = granted.unwrap_or_default();
        token.creation_ttl = ttl;
        token.expires = (ttl > 0).then(|| now + Duration::from_secs(ttl));
        self.tokens.insert(token.clone());
        token
    }

    /// Ends a token, what it made, and all their leases; `false` when there is none.
    pub(super) fn revoke_token(&mut self, id: &str) -> bool {
        let gone = self.tokens.take_tree(id);
        let any = !gone.is_empty();
        self.bury(gone);
        any
    }

    fn bury(&mut self, gone: Vec<Token>) {
        let ids: BTreeSet<String> = gone.into_iter().map(|token| token.id).collect();
        for id in &ids {
            self.wrapped.remove(id);
            self.forget(id);
        }
        self.revoke_of_tokens(&ids);
    }

    fn revoke_answer(&mut self, id: &str) -> Result<Answer, Refusal> {
        // Revoking what is not there is done.
        self.revoke_token(id);
        Ok(Answer::empty())
    }

    fn lookup_token(&mut self, id: &str, status: u16) -> Result<Answer, Refusal> {
        let found = self
            .tokens
            .get(id)
            .ok_or_else(|| Refusal::new(status, "bad token"))?;
        let shown = found.show(&self.env);
        let reply = Reply::data(shown)?;
        self.reply(reply)
    }

    fn create_token(&mut self, call: &Call, action: &str, own: &str) -> Result<Answer, Refusal> {
        let fields = Fields::of(&call.body);
        let denied = Refusal::denied;
        let maker = self.tokens.get(own).ok_or_else(denied)?.clone();
        if maker.uses.is_some() {
            return Err(Refusal::bad(
                "restricted use token cannot generate child tokens",
            ));
        }
        let policies = fields.list("policies").filter(|all| !all.is_empty());
        let policies = policies.unwrap_or_else(|| maker.policies.clone());
        if !maker.is_root()
            && !policies
                .iter()
                .all(|p| maker.policies.contains(p) || p == "default")
        {
            return Err(Refusal::bad("child policies must be subset of parent"));
        }
        let orphan = action == "create-orphan" || fields.flag("no_parent") == Some(true);
        if orphan && action == "create" && !maker.is_root() {
            return Err(Refusal::bad(
                "root or sudo privileges required to create orphan token",
            ));
        }
        let meta = fields.value("meta").and_then(Value::as_object);
        let name = fields.text("display_name");
        let login = Login {
            display_name: name.map_or("token".into(), |name| format!("token-{name}")),
            no_default_policy: fields.flag("no_default_policy") == Some(true),
            meta: meta.cloned().unwrap_or_default(),
            ttl: fields
                .seconds("ttl")?
                .or(fields.seconds("lease")?)
                .unwrap_or(0),
            max_ttl: 0,
            explicit_max_ttl: fields.seconds("explicit_max_ttl")?.unwrap_or(0),
            period: fields.seconds("period")?.unwrap_or(0),
            num_uses: fields.number("num_uses").unwrap_or(0),
            policies,
        };
        let renewable = fields.flag("renewable") != Some(false);
        let parent = (!orphan).then(|| maker.accessor.clone());
        // A root token that is given no time has no end.
        let endless = login.policies.iter().any(|p| p == "root")
            && maker.expires.is_none()
            && (login.ttl, login.period, login.explicit_max_ttl) == (0, 0, 0);
        let default = if endless { 0 } else { SYSTEM_TTL };
        let asked = Terms {
            ttl: login.ttl,
            period: login.period,
            explicit_max_ttl: login.explicit_max_ttl,
            default,
            max: SYSTEM_TTL,
            start: self.env.now,
            ..Terms::default()
        };
        let (_, warnings) = asked.at(self.env.now)?;
        let namespace = maker.namespace.clone();
        let made = self.make_token(login, &namespace, parent, &call.path, (default, SYSTEM_TTL));
        let id = fields.text("id").map_or(made.id.clone(), str::to_owned);
        let mut token = made.clone();
        token.renewable = renewable && token.expires.is_some();
        if id != made.id {
            if !maker.is_root() {
                return Err(Refusal::bad(
                    "root or sudo privileges required to specify token id",
                ));
            }
            self.tokens.take_tree(&made.id);
            token.id = id;
        }
        self.tokens.insert(token.clone());
        let mut body = self.envelope(Value::Null, &warnings);
        body["auth"] = token.auth(self.env.now);
        Ok(Answer::plain(200, body))
    }

    fn renew_token(
        &mut self,
        id: &str,
        fields: Fields<'_>,
        shows: bool,
    ) -> Result<Answer, Refusal> {
        let increment = fields.seconds("increment")?.unwrap_or(0);
        let now = self.env.now;
        let token = self
            .tokens
            .get_mut(id)
            .ok_or_else(|| Refusal::bad("token not found"))?;
        if !token.renewable || token.expires.is_none() {
            return Err(Refusal::bad("lease is not renewable"));
        }
        let (ttl, warnings) = token.terms(increment).at(now)?;
        token.expires = Some(now + Duration::from_secs(ttl));
        token.renewed = Some(now);
        let mut auth = token.auth(now);
        if !shows {
            auth["client_token"] = json!("");
        }
        let mut body = self.envelope(Value::Null, &warnings);
        body["auth"] = auth;
        Ok(Answer::plain(200, body))
    }
}
