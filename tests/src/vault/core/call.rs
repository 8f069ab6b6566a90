//! What a request asks and what it is answered, as data; follows <https://developer.hashicorp.com/vault/api-docs>.
use super::{env::Env, sys::Station};
use serde_json::{Map, Value, json};

/// A request, without its transport.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// `GET`, `POST`, `PUT`, `DELETE`, `PATCH` or `LIST`.
    pub method: String,
    /// What follows `/v1/`, without the query.
    pub path: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// `X-Vault-Namespace`; empty for the root.
    pub namespace: String,
    /// `X-Vault-Token`, or the bearer of `Authorization`.
    pub token: Option<String>,
    /// `X-Vault-Wrap-TTL` in seconds.
    pub wrap: Option<u64>,
    /// The body; null without one.
    pub body: Value,
    /// What the client showed in its TLS handshake, in DER, its own first.
    pub certificates: Vec<Vec<u8>>,
    /// What the node is that was asked.
    pub station: Station,
    /// Where the active node is.
    pub active: String,
}

/// An answer, without its transport.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; none with 204.
    pub body: Option<Value>,
}

/// What is done to a path: the capability that a policy must grant for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `GET`.
    Read,
    /// `LIST`, or `GET` with `list=true`.
    List,
    /// `POST` or `PUT`.
    Write,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
}

/// A request on its way to a mount.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub verb: Verb,
    /// Below the mount.
    pub path: &'a str,
    pub call: &'a Call,
    /// `display_name` of the token, which names database users.
    pub display_name: &'a str,
    /// `default_lease_ttl` of the mount, in seconds.
    pub default_ttl: u64,
}

/// What a mount answers: data, and what the core has to make of it.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// `None` answers with 204.
    pub data: Option<Value>,
    pub warnings: Vec<String>,
    /// A lease to keep on it.
    pub lease: Option<Grant>,
    /// A token to make.
    pub login: Option<Login>,
    /// `lease_duration` of what has no lease: KV version 1.
    pub hint: Option<u64>,
}

/// A lease that a mount asks for.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub ttl: u64,
    pub max_ttl: u64,
    pub renewable: bool,
    /// What the mount needs to revoke it.
    pub about: String,
}

/// A token that an auth method asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Login {
    pub display_name: String,
    pub policies: Vec<String>,
    pub no_default_policy: bool,
    pub meta: Map<String, Value>,
    pub ttl: u64,
    pub max_ttl: u64,
    pub explicit_max_ttl: u64,
    pub period: u64,
    pub num_uses: u64,
}

/// A request that is not done.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub status: u16,
    pub body: Value,
}

pub(super) type Outcome = Result<Reply, Refusal>;

// === impl Call ===

impl Call {
    /// A request of `method` for `path`, with what may follow `?`.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        };
        Self {
            method: method.to_owned(),
            path: decoded(path),
            query: pairs.map(pair).collect(),
            ..Self::default()
        }
    }

    /// With this token.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = body;
        self
    }

    /// The value of `name` in the query.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs.find(|(key, _)| key == name).map(|(_, v)| v.as_str())
    }

    /// What it does; `None` for a method that Vault does not know.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        Some(match self.method.as_str() {
            "GET" if self.query("list").is_some_and(|v| v == "true") => Verb::List,
            "GET" | "HEAD" => Verb::Read,
            "LIST" => Verb::List,
            "POST" | "PUT" => Verb::Write,
            "PATCH" => Verb::Patch,
            "DELETE" => Verb::Delete,
            _ => return None,
        })
    }
}

/// Without percent escapes.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%');
        let digits = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

// === impl Answer ===

impl Answer {
    /// 204.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            status: 204,
            body: None,
        }
    }

    /// 202 and no body: it will be done.
    #[must_use]
    pub fn accepted() -> Self {
        Self {
            status: 202,
            body: None,
        }
    }

    /// With a body of its own, as `sys/health` has.
    #[must_use]
    pub fn plain(status: u16, body: Value) -> Self {
        Self {
            status,
            body: Some(body),
        }
    }

    /// `{"errors":[…]}`.
    #[must_use]
    pub fn errors(status: u16, errors: &[&str]) -> Self {
        Self::plain(status, json!({ "errors": errors }))
    }

    /// What `pointer` (RFC 6901) names in the body; null without it.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Value {
        let found = self.body.as_ref().and_then(|body| body.pointer(pointer));
        found.cloned().unwrap_or_default()
    }

    /// The text at `pointer`; empty without it.
    #[must_use]
    pub fn text(&self, pointer: &str) -> String {
        self.at(pointer).as_str().unwrap_or_default().to_owned()
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::plain(refusal.status, refusal.body)
    }
}

// === impl Reply ===

impl Reply {
    /// 204.
    pub(super) fn empty() -> Outcome {
        Ok(Self::default())
    }

    pub(super) fn data(data: Value) -> Outcome {
        Ok(Self {
            data: Some(data),
            ..Self::default()
        })
    }

    /// `{"keys":[…]}`, or 404 without any, as every list of Vault.
    pub(super) fn keys<'a>(keys: impl IntoIterator<Item = &'a String>) -> Outcome {
        let keys: Vec<&String> = keys.into_iter().collect();
        match keys.is_empty() {
            true => Err(Refusal::absent()),
            false => Self::data(json!({ "keys": keys })),
        }
    }

    /// The entries right below `folder`, folders with a slash.
    pub(super) fn folder<'a>(all: impl Iterator<Item = &'a String>, folder: &str) -> Outcome {
        let folder = match folder.trim_end_matches('/') {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let below = all.filter_map(|key| key.strip_prefix(folder.as_str()));
        let entry = |key: &str| match key.split_once('/') {
            Some((first, _)) => format!("{first}/"),
            None => key.to_owned(),
        };
        let mut keys: Vec<String> = below.map(entry).collect();
        keys.dedup();
        Self::keys(&keys)
    }

    pub(super) fn login(login: Login) -> Outcome {
        Ok(Self {
            login: Some(login),
            ..Self::default()
        })
    }
}

// === impl Refusal ===

impl Refusal {
    pub(super) fn new(status: u16, error: impl Into<String>) -> Self {
        let body = json!({ "errors": [error.into()] });
        Self { status, body }
    }

    /// `logical.ErrorResponse`.
    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self::new(400, error)
    }

    /// An error of the mount itself: 500, and listed as Go's multierror prints it.
    pub(super) fn internal(error: &str) -> Self {
        Self::new(500, one_error(error))
    }

    pub(super) fn denied() -> Self {
        Self::new(403, one_error("permission denied"))
    }

    /// Nothing there: 404 and no reason.
    pub(super) fn absent() -> Self {
        let body = json!({ "errors": [] });
        Self { status: 404, body }
    }

    pub(super) fn no_path() -> Self {
        Self::new(404, one_error("unsupported path"))
    }

    pub(super) fn no_operation() -> Self {
        Self::new(405, one_error("unsupported operation"))
    }
}

fn one_error(error: &str) -> String {
    format!("1 error occurred:\n\t* {error}\n\n")
}

/// The envelope of every answer with data.
pub(super) fn envelope(env: &mut Env, data: Value) -> Value {
    json!({
        "request_id": env.uuid(), "lease_id": "", "renewable": false, "lease_duration": 0,
        "data": data, "wrap_info": null, "warnings": null, "auth": null,
    })
}
