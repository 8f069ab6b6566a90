//! Logs in: each source gives credentials and says how long they last.
use super::{
    AwsCredentials,
    state::{self, Said},
};
use crate::cloud::{Answer, Failure, Login, Wire, WireError, post_form, read_file};
use aws_credential_types::Credentials;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::{DateTime, date_time::Format};
use bytes::Bytes;
use detectviz_core::{
    clock,
    error::cause_ref,
    secret::{Secret, SecretErrorKind, SecretRef, SecretsProvider},
};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use serde::Deserialize;
use std::{path::Path, time::Duration};
use zeroize::Zeroizing;

/// Names the credentials in the errors of the SDK.
const NAME: &str = "detectviz";

/// How long a session of IMDSv2 is asked for: one login.
const SESSION: &str = "60";

/// Logs in as the configuration says.
pub(super) struct LogIn<'a> {
    pub(super) wire: &'a Wire,
    pub(super) endpoint: &'a str,
    pub(super) secrets: &'a dyn SecretsProvider,
}

/// What the agent of EKS and the metadata service of EC2 answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
    token: Zeroizing<String>,
    expiration: String,
}

// === impl LogIn ===

impl LogIn<'_> {
    pub(super) async fn run(&self, source: &AwsCredentials) -> Result<Login<Credentials>, Failure> {
        match source {
            AwsCredentials::WebIdentity {
                role_arn,
                token_file,
                session_name,
                sts_endpoint,
            } => {
                let token = read_file("credentials.token_file", token_file)?;
                let token = text("credentials.token_file", &token)?;
                let address = match sts_endpoint {
                    Some(endpoint) => endpoint.clone(),
                    // Every partition has both under one domain.
                    None => self.endpoint.replacen("//secretsmanager.", "//sts.", 1),
                };
                let fields = [
                    ("Action", "AssumeRoleWithWebIdentity"),
                    ("Version", "2011-06-15"),
                    ("RoleArn", role_arn),
                    ("RoleSessionName", session_name),
                    ("WebIdentityToken", token),
                ];
                let key = "credentials.sts_endpoint";
                let answer = post_form(self.wire, key, &address, "text/xml", &fields).await?;
                assumed(role_arn, &answer)
            }
            AwsCredentials::PodIdentity {
                endpoint,
                token_file,
            } => self.pod_identity(endpoint, token_file).await,
            AwsCredentials::StaticKeys {
                access_key_id,
                secret_access_key,
                session_token,
            } => {
                let id = self.value(access_key_id).await?;
                let secret = self.value(secret_access_key).await?;
                let token = match session_token {
                    Some(token) => Some(self.value(token).await?),
                    None => None,
                };
                let id = text("access_key_id", id.expose())?;
                let secret = text("secret_access_key", secret.expose())?;
                let token = token
                    .as_ref()
                    .map(|token| text("session_token", token.expose()));
                let token = token.transpose()?.map(str::to_owned);
                Ok(Login {
                    given: Credentials::new(id, secret, token, None, NAME),
                    life: Duration::ZERO,
                })
            }
            AwsCredentials::Instance { endpoint } => self.instance(endpoint).await,
        }
    }

    async fn pod_identity(
        &self,
        endpoint: &str,
        file: &Path,
    ) -> Result<Login<Credentials>, Failure> {
        let token = read_file("credentials.token_file", file)?;
        let token = text("credentials.token_file", &token)?;
        let answer = self
            .ask(Method::GET, endpoint, "authorization", token)
            .await?;
        match answer.status {
            StatusCode::OK => given(&answer, "the EKS Pod Identity agent"),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(Failure::unavailable(format!(
                    "wait, and look at the EKS Pod Identity agent of this node: it answered {status}"
                )))
            }
            status => Err(Failure::denied(format!(
                "associate the service account of this pod with a role (`aws eks create-pod-identity-association`): the EKS \
                 Pod Identity agent answered {status}"
            ))),
        }
    }

    async fn instance(&self, endpoint: &str) -> Result<Login<Credentials>, Failure> {
        let who = "the instance metadata service";
        let endpoint = endpoint.trim_end_matches('/');
        let refused = |answer: &Answer| match answer.status {
            StatusCode::OK => None,
            StatusCode::NOT_FOUND => Some(Failure::denied(
                "attach an instance profile with a role to the EC2 instance: it has none",
            )),
            StatusCode::FORBIDDEN => Some(Failure::denied(
                "enable the instance metadata service of this instance",
            )),
            status => Some(Failure::unavailable(format!(
                "wait: {who} answered {status}"
            ))),
        };
        let address = format!("{endpoint}/latest/api/token");
        let ttl = "x-aws-ec2-metadata-token-ttl-seconds";
        let answer = self.ask(Method::PUT, &address, ttl, SESSION).await?;
        refused(&answer).map_or(Ok(()), Err)?;
        let session = text(who, &answer.body)?;

        let header = "x-aws-ec2-metadata-token";
        let roles = format!("{endpoint}/latest/meta-data/iam/security-credentials/");
        let listed = self.ask(Method::GET, &roles, header, session).await?;
        refused(&listed).map_or(Ok(()), Err)?;
        let role = text(who, &listed.body)?.lines().next().unwrap_or_default();
        let answer = self
            .ask(Method::GET, &format!("{roles}{role}"), header, session)
            .await?;
        refused(&answer).map_or(Ok(()), Err)?;
        given(&answer, who)
    }

    async fn ask(
        &self,
        method: Method,
        address: &str,
        header: &'static str,
        value: &str,
    ) -> Result<Answer, Failure> {
        let mut value = HeaderValue::from_str(value).map_err(|_| malformed(header))?;
        value.set_sensitive(true);
        let request = Request::builder()
            .method(method)
            .uri(address)
            .header(HeaderName::from_static(header), value)
            .body(Bytes::new());
        let request = request.map_err(|_| malformed("credentials.endpoint"))?;
        Ok(self.wire.send(request).await?)
    }

    async fn value(&self, reference: &SecretRef) -> Result<Secret, Failure> {
        let bundle = self.secrets.get(reference).await?;
        Ok(bundle.value(reference)?.clone())
    }
}

/// What AWS said, or why it said nothing.
pub(super) fn said<E>(err: &SdkError<E, HttpResponse>) -> Result<Said<'_>, Failure>
where
    E: ProvideErrorMetadata,
{
    // Errors of the SDK hold the answer, so that none of them is passed on.
    match err {
        SdkError::ServiceError(service) => Ok(Said {
            code: service.err().code().unwrap_or_default(),
            message: service.err().message().unwrap_or_default(),
            status: service.raw().status().as_u16(),
        }),
        SdkError::DispatchFailure(failure) => Err(match failure.as_connector_error() {
            Some(err) => match cause_ref::<WireError>(err) {
                Some(err) => Failure::unavailable(err.to_string()),
                None => odd("AWS"),
            },
            None => odd("AWS"),
        }),
        SdkError::ConstructionFailure(_) => Err(Failure::new(
            SecretErrorKind::Malformed,
            "correct the reference, `region` and `endpoint`: they make no request of AWS",
        )),
        _ => Err(odd("AWS")),
    }
}

/// What STS answers to AssumeRoleWithWebIdentity, in XML.
fn assumed(role: &str, answer: &Answer) -> Result<Login<Credentials>, Failure> {
    let body = std::str::from_utf8(&answer.body).unwrap_or_default();
    let text = |tag: &str| {
        let (_, rest) = body.split_once(&format!("<{tag}>"))?;
        Some(rest.split_once('<')?.0)
    };
    if answer.status != StatusCode::OK {
        let said = Said {
            code: text("Code").unwrap_or_default(),
            message: text("Message").unwrap_or_default(),
            status: answer.status.as_u16(),
        };
        return Err(state::login_refused(role, said));
    }
    let part = |tag| text(tag).ok_or_else(|| odd("STS"));
    let expiration = DateTime::from_str(part("Expiration")?, Format::DateTimeWithOffset);
    let expiration = expiration.map_err(|_| odd("STS"))?;
    let (id, secret) = (part("AccessKeyId")?, part("SecretAccessKey")?);
    let token = part("SessionToken")?.to_owned();
    let credentials = Credentials::new(id, secret, Some(token), None, NAME);
    Ok(lasting(credentials, &expiration))
}

fn odd(who: &str) -> Failure {
    Failure::unavailable(format!(
        "find out who answers in place of {who}: the answer could not be understood"
    ))
}

fn malformed(what: &str) -> Failure {
    Failure::new(
        SecretErrorKind::Malformed,
        format!("correct `{what}`: it is not one line of text"),
    )
}

fn text<'a>(what: &str, bytes: &'a [u8]) -> Result<&'a str, Failure> {
    let text = std::str::from_utf8(bytes.trim_ascii());
    text.map_err(|_| malformed(what))
}

fn given(answer: &Answer, who: &str) -> Result<Login<Credentials>, Failure> {
    let given: Given = answer.json().ok_or_else(|| odd(who))?;
    let expiration = DateTime::from_str(&given.expiration, Format::DateTime);
    let expiration = expiration.map_err(|_| odd(who))?;
    let (secret, token) = (given.secret_access_key.as_str(), given.token.to_string());
    let credentials = Credentials::new(given.access_key_id, secret, Some(token), None, NAME);
    Ok(lasting(credentials, &expiration))
}

fn lasting(given: Credentials, expiration: &DateTime) -> Login<Credentials> {
    let now = clock::unix_nanos() / 1_000_000_000;
    let end = u64::try_from(expiration.secs()).unwrap_or(0);
    Login {
        given,
        life: Duration::from_secs(end.saturating_sub(now)),
    }
}
