//! What a reference asks for: a path, and parameters after a `?`.
use super::{
    MountKind,
    endpoint::{Body, Raw},
    failure::{Cause, Failure},
    http::Call,
    validate::is_path,
};
use vaultrs::api::{
    database::requests::{GenerateCredentialsRequest, GetStaticCredentialsRequest},
    kv1::requests::GetSecretRequest,
    kv2::requests::ReadSecretRequest,
};

/// The parameters of `issue` that may stand in a reference, after
/// <https://developer.hashicorp.com/vault/api-docs/secret/pki#generate-certificate-and-key>.
const ISSUE: [&str; 12] = [
    "common_name",
    "alt_names",
    "ip_sans",
    "uri_sans",
    "other_sans",
    "ttl",
    "not_after",
    "format",
    "private_key_format",
    "exclude_cn_from_sans",
    "remove_roots_from_chain",
    "user_ids",
];

/// Where a secret is, as a reference names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The path as a user sees it, without `/` at the ends.
    pub(super) path: String,
    parameters: Vec<(String, String)>,
}

/// How an answer is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    KvV1,
    KvV2,
    /// The password of a static role, which the store rotates.
    Static,
    /// A certificate.
    Issued,
    /// Whatever the envelope says.
    Plain,
}

// === impl Target ===

impl Target {
    /// Reads the path of a reference.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let path = path.trim_matches('/');
        if !is_path(path) || !path.contains('/') {
            let remedy = "write mount and path, such as `kv/orders` or `database/creds/orders`";
            return Err(Failure::new(Cause::Refused, remedy));
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if value.is_empty() || parameters.iter().any(|(known, _)| known == key) {
                let remedy = format!("write the parameter `{key}` once, with a value");
                return Err(Failure::new(Cause::Refused, remedy));
            }
            parameters.push((key.to_owned(), decoded(value)?));
        }
        Ok(Self {
            path: path.to_owned(),
            parameters,
        })
    }

    /// The call that reads it from the engine of `kind` at `mount`, and how the answer is to be read.
    pub(super) fn call(&self, mount: &str, kind: MountKind) -> Result<(Call, Form), Failure> {
        let below = self.path.strip_prefix(mount).unwrap_or(&self.path);
        let below = below.trim_start_matches('/');
        if below.is_empty() {
            let remedy = format!("name a secret below the mount: `{mount}/…`");
            return Err(Failure::new(Cause::Refused, remedy));
        }
        let (mount, owned) = (mount.to_owned(), below.to_owned());
        if kind == MountKind::KvV2 {
            self.known(&["version"])?;
            let version = self.parameter("version").map(str::parse).transpose();
            let version = version.map_err(|_| {
                Failure::new(
                    Cause::Refused,
                    "write a number as `version`, such as `?version=3`",
                )
            })?;
            let path = owned;
            let call = Call::of(ReadSecretRequest {
                mount,
                path,
                version,
            });
            return Ok((call, Form::KvV2));
        }
        if let (MountKind::Pki, Some(role)) = (kind, below.strip_prefix("issue/")) {
            self.known(&ISSUE)?;
            if self.parameter("common_name").is_none() {
                let remedy = format!("name whom it is for: `{}?common_name=…`", self.path);
                return Err(Failure::new(Cause::Refused, remedy));
            }
            let body = ISSUE
                .iter()
                .fold(Body::default(), |body, key| match self.parameter(key) {
                    Some(value) => body.text(key, value),
                    None => body,
                });
            let call = Raw::post(format!("{mount}/issue/{role}"), &body).call();
            return Ok((call, Form::Issued));
        }
        self.known(&[])?;
        Ok(match (kind, below.split_once('/')) {
            (MountKind::KvV1, _) => (
                Call::of(GetSecretRequest { mount, path: owned }),
                Form::KvV1,
            ),
            (MountKind::Database, Some(("creds", name))) => {
                let name = name.to_owned();
                (
                    Call::of(GenerateCredentialsRequest { mount, name }),
                    Form::Plain,
                )
            }
            (MountKind::Database, Some(("static-creds", name))) => {
                let name = name.to_owned();
                (
                    Call::of(GetStaticCredentialsRequest { mount, name }),
                    Form::Static,
                )
            }
            _ => (Raw::get(&self.path).call(), Form::Plain),
        })
    }

    /// The policy that lets a token read it.
    pub(super) fn policy(&self, mount: &str, form: Form) -> String {
        let below = self.path.strip_prefix(mount).unwrap_or(&self.path);
        let below = below.trim_start_matches('/');
        let (path, capability) = match form {
            Form::KvV2 => (format!("{mount}/data/{below}"), "read"),
            Form::Issued => (self.path.clone(), "update"),
            Form::KvV1 | Form::Static | Form::Plain => (self.path.clone(), "read"),
        };
        format!("path \"{path}\" {{ capabilities = [\"{capability}\"] }}")
    }

    fn parameter(&self, key: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }

    /// Refuses every parameter that is not among `known`.
    fn known(&self, known: &[&str]) -> Result<(), Failure> {
        let mut unknown = self.parameters.iter().map(|(key, _)| key);
        let Some(key) = unknown.find(|key| !known.contains(&key.as_str())) else {
            return Ok(());
        };
        let remedy = if known.is_empty() {
            format!("leave out the parameter `{key}`: what is at this path takes none")
        } else {
            format!(
                "leave out the parameter `{key}`: known here are {}",
                known.join(", ")
            )
        };
        Err(Failure::new(Cause::Refused, remedy))
    }
}

/// `%2C` and the like.
fn decoded(text: &str) -> Result<String, Failure> {
    let wrong = || Failure::new(Cause::Refused, "write `%` in a parameter as `%25`");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let hex = rest.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.ok_or_else(wrong)?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}
