//! Service accounts; follows <https://developer.hashicorp.com/vault/api-docs/auth/kubernetes>.
//!
//! The claims of the JWT are believed: there is no API server behind it, and so no signature is checked. What is checked is what
//! Vault itself checks (names, namespaces, audience) and what a TokenReview would (the end, by the server's calendar).
use super::{
    super::{
        call::{Ask, Outcome, Refusal, Reply, Verb},
        env::Env,
        text::Fields,
    },
    Params,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The config, and all roles.
#[derive(Debug, Default)]
pub(in super::super) struct Kubernetes {
    config: Option<Value>,
    roles: BTreeMap<String, Role>,
}

#[derive(Debug, Default)]
struct Role {
    names: Vec<String>,
    namespaces: Vec<String>,
    audience: String,
    params: Params,
}

/// Who a JWT says that it is.
struct Claims {
    namespace: String,
    name: String,
    uid: String,
    audiences: Vec<String>,
    /// Seconds since 1970; `None` for ever.
    expires: Option<u64>,
}

// === impl Kubernetes ===

impl Kubernetes {
    pub(super) fn handle(&mut self, ask: &Ask<'_>, env: &Env) -> Outcome {
        let fields = Fields::of(&ask.call.body);
        let parts: Vec<&str> = ask.path.split('/').collect();
        match (&parts[..], ask.verb) {
            (["login"], Verb::Write) => self.login(fields, env),
            (["config"], Verb::Read) => {
                Reply::data(self.config.clone().ok_or_else(Refusal::absent)?)
            }
            (["config"], Verb::Write) => {
                fields
                    .needed("kubernetes_host")
                    .map_err(|_| Refusal::bad("no host provided"))?;
                // The reviewer's token is never shown again.
                let config = json!({
                    "kubernetes_host": fields.text("kubernetes_host"),
                    "kubernetes_ca_cert": fields.text("kubernetes_ca_cert").unwrap_or_default(),
                    "pem_keys": fields.list("pem_keys").unwrap_or_default(),
                    "issuer": fields.text("issuer").unwrap_or_default(),
                    "disable_iss_validation": fields.flag("disable_iss_validation").unwrap_or(true),
                    "disable_local_ca_jwt": fields.flag("disable_local_ca_jwt").unwrap_or(false),
                    "use_annotations_as_alias_metadata": false,
                    "token_reviewer_jwt_set": fields.text("token_reviewer_jwt").is_some(),
                });
                self.config = Some(config);
                Reply::empty()
            }
            (["role"] | ["role", ""], Verb::List) => Reply::keys(self.roles.keys()),
            (["role", name], Verb::Read) => {
                Reply::data(self.roles.get(*name).ok_or_else(Refusal::absent)?.show())
            }
            (["role", name], Verb::Write) => {
                let role = self.roles.entry((*name).to_owned()).or_default();
                let set = role.set(fields);
                if set.is_err() {
                    self.roles.remove(*name);
                }
                set
            }
            (["role", name], Verb::Delete) => {
                self.roles.remove(*name);
                Reply::empty()
            }
            _ => Err(Refusal::no_path()),
        }
    }

    fn login(&self, fields: Fields<'_>, env: &Env) -> Outcome {
        let name = fields.needed("role")?;
        let jwt = fields.needed("jwt")?;
        let unknown = || Refusal::bad(format!("invalid role name {name:?}"));
        let role = self.roles.get(name).ok_or_else(unknown)?;
        let unset = || Refusal::internal("could not load backend configuration");
        self.config.as_ref().ok_or_else(unset)?;
        let denied = || Refusal::new(403, "permission denied");
        let claims = Claims::read(jwt).ok_or_else(denied)?;
        if !role.audience.is_empty() && !claims.audiences.contains(&role.audience) {
            let why =
                "invalid audience (aud) claim: audience claim does not match any expected audience";
            return Err(Refusal::new(403, why));
        }
        let any = |all: &[String], one: &str| all.iter().any(|own| own == "*" || own == one);
        if !any(&role.namespaces, &claims.namespace) {
            return Err(Refusal::new(403, "namespace not authorized"));
        }
        if !any(&role.names, &claims.name) {
            return Err(Refusal::new(403, "service account name not authorized"));
        }
        if claims.expires.is_some_and(|end| end <= env.unix(env.now)) {
            return Err(denied());
        }
        let display_name = format!("kubernetes-{}-{}", claims.namespace, claims.name);
        let meta = [
            ("role", name.to_owned()),
            ("service_account_name", claims.name),
            ("service_account_namespace", claims.namespace),
            ("service_account_secret_name", String::new()),
            ("service_account_uid", claims.uid),
        ];
        let meta = meta.map(|(key, value)| (key.to_owned(), value.into()));
        Reply::login(role.params.login(display_name, Map::from_iter(meta)))
    }
}

// === impl Role ===

impl Role {
    fn set(&mut self, fields: Fields<'_>) -> Outcome {
        let lists = [
            "bound_service_account_names",
            "bound_service_account_namespaces",
        ];
        if let Some(names) = fields.list(lists[0]) {
            self.names = names;
        }
        if let Some(namespaces) = fields.list(lists[1]) {
            self.namespaces = namespaces;
        }
        for (list, name) in [&self.names, &self.namespaces].into_iter().zip(lists) {
            if list.is_empty() {
                return Err(Refusal::bad(format!("{name:?} can not be empty")));
            }
        }
        if let Some(audience) = fields.text("audience") {
            self.audience = audience.to_owned();
        }
        self.params.set(fields)?;
        Reply::empty()
    }

    fn show(&self) -> Value {
        let mut shown = json!({
            "alias_name_source": "serviceaccount_uid", "audience": self.audience,
            "bound_service_account_names": self.names,
            "bound_service_account_namespaces": self.namespaces,
            "bound_service_account_namespace_selector": "",
        });
        self.params.show(&mut shown);
        shown
    }
}

// === impl Claims ===

impl Claims {
    fn read(jwt: &str) -> Option<Self> {
        let mut parts = jwt.split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        let claims: Value = serde_json::from_slice(&base64url(payload)?).ok()?;
        let subject = claims["sub"]
            .as_str()?
            .strip_prefix("system:serviceaccount:")?;
        let (namespace, name) = subject.split_once(':')?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let audiences = match &claims["aud"] {
            Value::Array(all) => all.iter().map(text).collect(),
            one => vec![text(one)],
        };
        Some(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: text(&claims["kubernetes.io"]["serviceaccount"]["uid"]),
            audiences,
            expires: claims["exp"].as_u64(),
        })
    }
}

/// RFC 4648, section 5, without padding.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}
