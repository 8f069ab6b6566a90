//! What needs no Azure to be decided: which secret is meant, what an answer holds, and what a refusal means.
use crate::{
    cloud::{Failure, Refusal, parameters},
    payload,
    store::Fields,
};
use detectviz_core::secret::{SecretError, SecretErrorKind, SecretRef};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Which version of which secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    /// Empty for the current one.
    pub(super) version: &'a str,
}

/// A SecretBundle.
#[derive(Deserialize)]
struct Bundle<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
    id: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    enabled: Option<bool>,
    nbf: Option<u64>,
    exp: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    error: Code,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Code {
    code: String,
    message: String,
    innererror: Option<Box<Code>>,
}

// === impl Wanted ===

impl<'a> Wanted<'a> {
    /// The secret of the vault at `vault_url` that `reference` names.
    ///
    /// # Errors
    /// `Malformed` for what is no name of a secret, and for a secret of another vault.
    pub(super) fn parse(reference: &'a SecretRef, vault_url: &str) -> Result<Self, SecretError> {
        let malformed = |remedy| SecretError::new(SecretErrorKind::Malformed, reference, remedy);
        let (path, _) = parameters(reference, &[])?;
        let vault_url = vault_url.trim_end_matches('/');
        let mut rest = path;
        if path.contains("://") {
            let own = path
                .strip_prefix(vault_url)
                .and_then(|rest| rest.strip_prefix("/secrets/"));
            rest = own.ok_or_else(|| {
                malformed(format!(
                    "name a secret of this store's vault: `{vault_url}/secrets/<name>`"
                ))
            })?;
        }
        let (name, version) = rest.split_once('/').unwrap_or((rest, ""));
        let known = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if name.is_empty() || name.len() > 127 || !known(name) || !known(version) {
            let remedy = "write `<name>` of at most 127 letters, digits and hyphens, and behind it `/<version>` where it is \
                          not the current one";
            return Err(malformed(remedy.to_owned()));
        }
        Ok(Self { name, version })
    }
}

/// The fields of an answer, and the id of the version. `now` is in seconds since 1970; `None` where it does not matter
/// whether the secret has expired.
///
/// # Errors
/// `Unavailable` for an answer that is none, `NotFound` for a secret that is disabled, not valid yet or expired.
pub(super) fn fields(
    wanted: &Wanted<'_>,
    body: &[u8],
    now: Option<u64>,
) -> Result<(Fields, String), Failure> {
    let odd = || {
        Failure::unavailable(
            "find out who answers in place of Key Vault: the answer could not be understood",
        )
    };
    let bundle: Bundle<'_> = serde_json::from_slice(body).map_err(|_| odd())?;
    let name = wanted.name;
    let not_now = |remedy| Err(Failure::new(SecretErrorKind::NotFound, remedy));
    let Attributes { enabled, nbf, exp } = bundle.attributes;
    if enabled == Some(false) {
        return Err(disabled(name));
    }
    if exp.zip(now).is_some_and(|(exp, now)| now >= exp) {
        return not_now(format!(
            "set a new version of `{name}`, or a later `exp`: it has expired (`allow_expired` serves it nevertheless)"
        ));
    }
    if nbf.zip(now).is_some_and(|(nbf, now)| now < nbf) {
        return not_now(format!(
            "wait, or set an earlier `nbf` of `{name}`: it is not valid yet (`allow_expired` serves it nevertheless)"
        ));
    }
    let value = payload::string(bundle.value.get()).ok_or_else(odd)?;
    let version = bundle.id.rsplit('/').next().unwrap_or_default();
    Ok((payload::json_or_value(value.expose()), version.to_owned()))
}

fn disabled(name: &str) -> Failure {
    let remedy = format!(
        "enable `{name}` (`az keyvault secret set-attributes --enabled true`): it is disabled"
    );
    Failure::new(SecretErrorKind::NotFound, remedy)
}

/// What a refused Get Secret means; `retry_after` is the header of that name.
pub(super) fn refused(
    wanted: &Wanted<'_>,
    status: u16,
    retry_after: Option<&str>,
    body: &[u8],
) -> Refusal {
    let name = wanted.name;
    let said = serde_json::from_slice::<Said>(body)
        .unwrap_or_default()
        .error;
    let inner = said
        .innererror
        .as_ref()
        .map_or("", |inner| inner.code.as_str());
    let fresh = |kind, remedy: String| Refusal {
        failure: Failure::new(kind, remedy),
        stale: false,
    };
    match (status, said.code.as_str(), inner) {
        (429, ..) => {
            let seconds = retry_after.and_then(|text| text.parse::<u32>().ok());
            let when = seconds.map_or_else(String::new, |seconds| format!(", and asks for {seconds} s of quiet"));
            fresh(
                SecretErrorKind::Unavailable,
                format!("ask less often, or use more vaults: Key Vault throttles this one{when}"),
            )
        }
        (500.., code, _) => fresh(
            SecretErrorKind::Unavailable,
            format!("wait, and look at the health of Azure: it answered {status} {code}"),
        ),
        (401, ..) => Refusal {
            failure: Failure::denied(
                "give credentials of the tenant of the vault, and set the clock of the node: Key Vault does not accept the \
                 token",
            ),
            stale: true,
        },
        (_, "", _) => fresh(
            SecretErrorKind::Unavailable,
            format!("find out who answers in place of Key Vault: {status}, without a code"),
        ),
        (404, ..) if wanted.version.is_empty() => fresh(
            SecretErrorKind::NotFound,
            format!("set the secret `{name}` in this vault, or recover it if it was deleted, or correct the name"),
        ),
        (404, ..) => fresh(
            SecretErrorKind::NotFound,
            format!("name a version of `{name}` that is there: {} is not", wanted.version),
        ),
        (403, _, "SecretDisabled") => Refusal {
            failure: disabled(name),
            stale: false,
        },
        (403, _, "ForbiddenByFirewall" | "ForbiddenByConnection") => fresh(
            SecretErrorKind::Denied,
            "let the network of this pod through the firewall of the vault, or use its private endpoint".to_owned(),
        ),
        (403, ..) => fresh(
            SecretErrorKind::Denied,
            format!(
                "grant the role: az role assignment create --role \"Key Vault Secrets User\" --assignee <the identity of this \
                 pod> --scope <id of the vault>/secrets/{name} (or `get` for secrets in the access policy of the vault)"
            ),
        ),
        (400, code, _) => fresh(
            SecretErrorKind::Malformed,
            format!("correct the reference: Key Vault says {code}: {}", short(&said.message)),
        ),
        (_, code, _) => fresh(
            SecretErrorKind::Denied,
            format!("see what Azure says: {code}: {}", short(&said.message)),
        ),
    }
}

/// What the numbers of Microsoft Entra mean (*Microsoft Entra authentication and authorization error codes*).
pub(super) fn login_refused(status: u16, codes: &[u32]) -> Failure {
    let remedy = match codes.first() {
        _ if status == 429 || status >= 500 => {
            return Failure::unavailable(format!("wait: Microsoft Entra answered {status}"));
        }
        None => {
            let remedy = format!(
                "find out who answers in place of Microsoft Entra: {status}, without a code"
            );
            return Failure::unavailable(remedy);
        }
        Some(90_002 | 900_023) => "correct `credentials.tenant_id`: there is no such tenant",
        Some(700_016) => "correct `credentials.client_id`: the tenant has no such application",
        Some(7_000_215) => {
            "give the value of the client secret (not its id): it is not the one of the application"
        }
        Some(7_000_222) => "make a new client secret: this one has expired",
        Some(70_021 | 700_211 | 700_212 | 700_213) => {
            "add a federated credential to the identity, with the issuer of the cluster, the subject \
             `system:serviceaccount:<namespace>:<name>` and the audience `api://AzureADTokenExchange`"
        }
        Some(700_024) => {
            "mount a projected token that the kubelet renews, and set the clock of the node: the token has ended"
        }
        Some(500_011) => "correct `resource`: the tenant knows no such resource",
        Some(code) => {
            let remedy =
                format!("look up the code (https://login.microsoftonline.com/error?code={code})");
            return Failure::denied(format!("{remedy}: Microsoft Entra answered AADSTS{code}"));
        }
    };
    let code = codes.first().copied().unwrap_or_default();
    Failure::denied(format!("{remedy} (AADSTS{code})"))
}

/// One line of what Azure says.
fn short(message: &str) -> String {
    let shown = message.chars().filter(|c| !c.is_control());
    shown.take(400).collect()
}
