//! Logs in: each source gives a token for a resource and says how long it lasts.
use super::{AzureCredentials, state};
use crate::cloud::{Answer, Failure, JSON, Login, Wire, encoded, post_form, read_file};
use bytes::Bytes;
use detectviz_core::secret::{SecretErrorKind, SecretsProvider};
use http::{Request, StatusCode};
use serde::Deserialize;
use std::time::Duration;
use zeroize::Zeroizing;

/// The token of a login.
pub(super) type Token = Zeroizing<String>;

/// What Microsoft Entra and the metadata service answer.
#[derive(Deserialize)]
struct Given {
    access_token: Token,
    expires_in: Seconds,
}

/// Microsoft Entra writes a number, the metadata service a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

/// Who asks for a token of an application.
struct Application<'a> {
    authority_host: &'a str,
    tenant_id: &'a str,
    client_id: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error_codes: Vec<u32>,
}

/// Gets a token for `resource`.
///
/// # Errors
/// What is wrong with the credentials, or who does not answer.
pub(super) async fn log_in(
    wire: &Wire,
    secrets: &dyn SecretsProvider,
    source: &AzureCredentials,
    resource: &str,
) -> Result<Login<Token>, Failure> {
    match source {
        AzureCredentials::WorkloadIdentity {
            tenant_id,
            client_id,
            token_file,
            authority_host,
        } => {
            let bytes = read_file("credentials.token_file", token_file)?;
            let assertion = text("credentials.token_file", &bytes)?;
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            let proof = [
                ("client_assertion_type", kind),
                ("client_assertion", assertion),
            ];
            let application = Application {
                authority_host,
                tenant_id,
                client_id,
            };
            application.log_in(wire, resource, &proof).await
        }
        AzureCredentials::ClientSecret {
            tenant_id,
            client_id,
            secret,
            authority_host,
        } => {
            let bundle = secrets.get(secret).await?;
            let value = bundle.value(secret)?;
            let value = text("credentials.secret", value.expose())?;
            let application = Application {
                authority_host,
                tenant_id,
                client_id,
            };
            application
                .log_in(wire, resource, &[("client_secret", value)])
                .await
        }
        AzureCredentials::ManagedIdentity {
            client_id,
            endpoint,
        } => managed_identity(wire, endpoint, client_id.as_deref(), resource).await,
    }
}

// === impl Application ===

impl Application<'_> {
    async fn log_in(
        &self,
        wire: &Wire,
        resource: &str,
        proof: &[(&str, &str)],
    ) -> Result<Login<Token>, Failure> {
        let host = self.authority_host.trim_end_matches('/');
        let address = format!("{host}/{}/oauth2/v2.0/token", self.tenant_id);
        let scope = format!("{resource}/.default");
        let mut fields = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id),
            ("scope", scope.as_str()),
        ];
        fields.extend_from_slice(proof);
        let answer = post_form(wire, "credentials.authority_host", &address, JSON, &fields).await?;
        match answer.status {
            StatusCode::OK => given(&answer, "Microsoft Entra"),
            status => {
                let codes = answer.json::<Refused>().unwrap_or_default().error_codes;
                Err(state::login_refused(status.as_u16(), &codes))
            }
        }
    }
}

async fn managed_identity(
    wire: &Wire,
    endpoint: &str,
    client_id: Option<&str>,
    resource: &str,
) -> Result<Login<Token>, Failure> {
    let endpoint = endpoint.trim_end_matches('/');
    let client = client_id.map_or_else(String::new, |id| format!("&client_id={}", encoded(id)));
    let path = "/metadata/identity/oauth2/token?api-version=2018-02-01";
    let request = Request::builder()
        .uri(format!(
            "{endpoint}{path}&resource={}{client}",
            encoded(resource)
        ))
        .header("metadata", "true")
        .body(Bytes::new());
    let request = request.map_err(|_| malformed("credentials.endpoint"))?;
    let answer = wire.send(request).await?;
    match answer.status {
        StatusCode::OK => given(&answer, "the instance metadata service"),
        StatusCode::BAD_REQUEST => Err(Failure::denied(
            "assign the managed identity to the nodes, or correct `credentials.client_id`: the metadata service knows no such \
             identity",
        )),
        // 404 and 410: it is being updated (*Error handling* of managed identities).
        status => Err(Failure::unavailable(format!(
            "wait: the instance metadata service answered {status}"
        ))),
    }
}

fn given(answer: &Answer, who: &str) -> Result<Login<Token>, Failure> {
    let odd = || Failure::unavailable(format!("find out who answers in place of {who}"));
    let given: Given = answer.json().ok_or_else(odd)?;
    let seconds = match given.expires_in {
        Seconds::Number(seconds) => Some(seconds),
        Seconds::Text(text) => text.parse().ok(),
    };
    Ok(Login {
        given: given.access_token,
        life: Duration::from_secs(seconds.ok_or_else(odd)?),
    })
}

fn text<'a>(what: &str, bytes: &'a [u8]) -> Result<&'a str, Failure> {
    let text = std::str::from_utf8(bytes.trim_ascii());
    text.map_err(|_| malformed(what))
}

fn malformed(what: &str) -> Failure {
    Failure::new(
        SecretErrorKind::Malformed,
        format!("correct `{what}`: it is not one line of text"),
    )
}
