//! Logs in: each source gives a token and says how long it lasts.
use super::{
    GcpCredentials,
    jwt::{LIFE, SCOPE, ServiceAccount},
};
use crate::cloud::{Answer, Failure, JSON, Login, Wire, bearer, post_form, read_file};
use bytes::Bytes;
use detectviz_core::{clock, secret::SecretErrorKind};
use http::{Method, Request, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use std::{path::PathBuf, time::Duration};
use zeroize::Zeroizing;

/// How the file is named in errors.
const FILE: &str = "credentials.file";

/// The token of a login; none where there are no credentials.
pub(super) type Token = Option<Zeroizing<String>>;

/// What the metadata server and Google's STS answer (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Given {
    access_token: Zeroizing<String>,
    expires_in: u64,
}

/// What the impersonation of a service account answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Impersonated {
    access_token: Zeroizing<String>,
}

/// A configuration of workload identity federation (AIP-4117).
#[derive(Deserialize)]
struct ExternalAccount {
    audience: String,
    subject_token_type: String,
    token_url: String,
    service_account_impersonation_url: Option<String>,
    credential_source: CredentialSource,
}

#[derive(Deserialize)]
struct CredentialSource {
    file: PathBuf,
    #[serde(default)]
    format: Form,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    r#type: String,
    subject_token_field_name: String,
}

/// Logs in.
///
/// # Errors
/// What is wrong with the credentials, or who does not answer.
pub(super) async fn log_in(wire: &Wire, source: &GcpCredentials) -> Result<Login<Token>, Failure> {
    match source {
        GcpCredentials::Metadata { endpoint } => metadata(wire, endpoint).await,
        GcpCredentials::ServiceAccountFile { file } => {
            let key = ServiceAccount::parse(&read_file(FILE, file)?)?;
            let token = key.sign(clock::unix_nanos() / 1_000_000_000)?;
            Ok(lasting(token, LIFE))
        }
        GcpCredentials::ExternalAccountFile { file } => {
            let account = serde_json::from_slice::<ExternalAccount>(&read_file(FILE, file)?);
            let account = account.map_err(|_| {
                malformed(
                    "write the configuration of `gcloud iam workload-identity-pools create-cred-config` with \
                     `--credential-source-file` to `credentials.file`: other sources of the token are not served",
                )
            })?;
            account.log_in(wire).await
        }
        GcpCredentials::Anonymous => Ok(Login {
            given: None,
            life: Duration::ZERO,
        }),
    }
}

async fn metadata(wire: &Wire, endpoint: &str) -> Result<Login<Token>, Failure> {
    let endpoint = endpoint.trim_end_matches('/');
    let request = Request::builder()
        .uri(format!(
            "{endpoint}/computeMetadata/v1/instance/service-accounts/default/token"
        ))
        .header("metadata-flavor", "Google")
        .body(Bytes::new());
    let request =
        request.map_err(|_| malformed("correct `credentials.endpoint`: it is no address"))?;
    let answer = wire.send(request).await?;
    let is_it = answer
        .headers
        .get("metadata-flavor")
        .is_some_and(|it| it == "Google");
    match answer.status {
        StatusCode::OK if is_it => given(&answer, "the metadata server"),
        StatusCode::FORBIDDEN => Err(Failure::denied(
            "let the Kubernetes service account of this pod act as the service account that its annotation \
             `iam.gke.io/gcp-service-account` names (role roles/iam.workloadIdentityUser)",
        )),
        StatusCode::NOT_FOUND if is_it => Err(Failure::denied(
            "give this pod or node a service account: the metadata server knows none",
        )),
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => Err(
            Failure::unavailable(format!("wait: the metadata server answered {status}")),
        ),
        _ => Err(odd("the metadata server")),
    }
}

// === impl ExternalAccount ===

impl ExternalAccount {
    async fn log_in(&self, wire: &Wire) -> Result<Login<Token>, Failure> {
        let known = |address: &str| crate::cloud::is_private(address);
        if !known(&self.token_url)
            || !self
                .service_account_impersonation_url
                .as_deref()
                .is_none_or(known)
        {
            return Err(malformed(
                "write `https://…` addresses to `credentials.file`: a token is sent there",
            ));
        }
        let subject = self.credential_source.token()?;
        let fields = [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("audience", &self.audience),
            ("scope", SCOPE),
            (
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("subject_token_type", &self.subject_token_type),
            ("subject_token", &subject),
        ];
        let answer = post_form(wire, "token_url", &self.token_url, JSON, &fields).await?;
        let who = "the Security Token Service of Google";
        if answer.status != StatusCode::OK {
            return Err(refused(
                &answer,
                who,
                "let the workload identity pool accept the issuer, the audience and the subject of the projected token",
            ));
        }
        let login = given(&answer, who)?;
        match (&self.service_account_impersonation_url, &login.given) {
            (Some(url), Some(token)) => impersonate(wire, url, token).await,
            _ => Ok(login),
        }
    }
}

async fn impersonate(wire: &Wire, url: &str, token: &str) -> Result<Login<Token>, Failure> {
    let body = json!({"scope": [SCOPE], "lifetime": format!("{}s", LIFE.as_secs())});
    let request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(header::AUTHORIZATION, bearer("the token of Google", token)?)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(body.to_string()));
    let request = request
        .map_err(|_| malformed("correct `service_account_impersonation_url`: it is no address"))?;
    let answer = wire.send(request).await?;
    let who = "the IAM credentials service of Google";
    if answer.status != StatusCode::OK {
        return Err(refused(
            &answer,
            who,
            "let the principal of this pod act as the service account (role roles/iam.workloadIdentityUser)",
        ));
    }
    let given: Impersonated = answer.json().ok_or_else(|| odd(who))?;
    Ok(lasting(given.access_token, LIFE))
}

// === impl CredentialSource ===

impl CredentialSource {
    fn token(&self) -> Result<Zeroizing<String>, Failure> {
        let bytes = read_file("credential_source.file", &self.file)?;
        let text = std::str::from_utf8(bytes.trim_ascii());
        let text = text.map_err(|_| malformed("write text to `credential_source.file`"))?;
        if self.format.r#type != "json" {
            return Ok(Zeroizing::new(text.to_owned()));
        }
        let field = &self.format.subject_token_field_name;
        let fields = crate::payload::json(text.as_bytes()).map_err(|what| malformed(&what))?;
        let token = fields.get(field).and_then(|token| token.expose_str());
        let token = token.ok_or_else(|| {
            malformed("name the field of the token in `credential_source.format.subject_token_field_name`")
        })?;
        Ok(Zeroizing::new(token.to_owned()))
    }
}

fn refused(answer: &Answer, who: &str, remedy: &str) -> Failure {
    let status = answer.status;
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Failure::unavailable(format!("wait: {who} answered {status}"));
    }
    Failure::denied(format!("{remedy}: {who} answered {status}"))
}

fn given(answer: &Answer, who: &str) -> Result<Login<Token>, Failure> {
    let given: Given = answer.json().ok_or_else(|| odd(who))?;
    Ok(lasting(
        given.access_token,
        Duration::from_secs(given.expires_in),
    ))
}

fn lasting(token: Zeroizing<String>, life: Duration) -> Login<Token> {
    Login {
        given: Some(token),
        life,
    }
}

fn odd(who: &str) -> Failure {
    Failure::unavailable(format!("find out who answers in place of {who}"))
}

fn malformed(remedy: &str) -> Failure {
    Failure::new(SecretErrorKind::Malformed, remedy)
}
