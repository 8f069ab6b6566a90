//! One login, by whatever method.
use super::{
    super::{
        AuthConfig,
        endpoint::{Body, Raw},
        envelope::{Envelope, parse},
        failure::{Cause, Failure},
        http::{Call, Transport},
        source,
    },
    grant::Granted,
};
use detectviz_core::{
    secret::{Secret, SecretErrorKind, SecretRef, SecretsProvider},
    task::Tasks,
};
use serde::Deserialize;
use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};
use vaultrs::api::token::requests::LookupTokenSelfRequest;

/// Logs in, again and again.
pub(super) struct Login {
    auth: AuthConfig,
    bootstrap: Arc<dyn SecretsProvider>,
    tasks: Tasks,
    /// The last wrapping token and what was in it: it can be opened once, and is needed at every login.
    unwrapped: Mutex<Option<(Secret, Secret)>>,
}

/// What a wrapped secret id holds.
#[derive(Deserialize)]
struct WrappedSecretId<'a> {
    #[serde(borrow)]
    secret_id: Cow<'a, str>,
}

/// What a wrapped token holds.
#[derive(Deserialize)]
struct WrappedToken<'a> {
    #[serde(borrow)]
    client_token: Cow<'a, str>,
}

// === impl Login ===

impl Login {
    pub(super) fn new(
        auth: AuthConfig,
        bootstrap: Arc<dyn SecretsProvider>,
        tasks: &Tasks,
    ) -> Self {
        Self {
            auth,
            bootstrap,
            tasks: tasks.clone(),
            unwrapped: Mutex::default(),
        }
    }

    /// Asks for a token. What is secret is read anew.
    pub(super) async fn login(&self, transport: &Transport) -> Result<Granted, Failure> {
        let what = match &self.auth {
            AuthConfig::Token { .. } => "the given token cannot be used".to_owned(),
            AuthConfig::AppRole { mount, .. }
            | AuthConfig::Kubernetes { mount, .. }
            | AuthConfig::UserPass { mount, .. }
            | AuthConfig::Cert { mount, .. } => {
                format!(
                    "the login by {} at auth/{} failed",
                    self.auth.method(),
                    mount.trim_end_matches('/')
                )
            }
        };
        let granted = async {
            transport.refresh().await?;
            self.by_method(transport).await
        };
        granted.await.map_err(|failure| failure.of_login(&what))
    }

    async fn by_method(&self, transport: &Transport) -> Result<Granted, Failure> {
        let (mount, path, body, remedy) = match &self.auth {
            AuthConfig::Token { token, wrapped } => {
                return self.given(token, *wrapped, transport).await;
            }
            AuthConfig::AppRole {
                mount,
                role_id,
                secret_id,
                wrapped,
            } => {
                let mut secret = self.ask(secret_id).await?;
                if *wrapped {
                    secret = self.unwrap(secret, transport).await?;
                }
                let body = Body::default()
                    .text("role_id", role_id)
                    .secret("secret_id", &secret);
                let remedy = "write a new secret id, or correct `role_id`";
                (mount, "login".to_owned(), body, remedy)
            }
            AuthConfig::Kubernetes {
                mount,
                role,
                token_file,
            } => {
                let path = token_file.clone();
                let read = self.tasks.spawn_blocking("vault token file", move || {
                    source::read("auth.token_file", &path)
                });
                let cut_short = || {
                    Failure::new(
                        Cause::Node,
                        "try again: the read of `auth.token_file` was cut short",
                    )
                };
                let jwt = read.await.unwrap_or_else(|_| Err(cut_short()))?;
                let jwt = Secret::new(jwt.trim_ascii().to_vec());
                let body = Body::default()
                    .text("role", role)
                    .secret("jwt", plain(&jwt)?);
                let remedy = "bind the role to this service account, its namespace and the audience of its token";
                (mount, "login".to_owned(), body, remedy)
            }
            AuthConfig::UserPass {
                mount,
                username,
                password,
            } => {
                let password = self.ask(password).await?;
                let body = Body::default().secret("password", &password);
                (
                    mount,
                    format!("login/{username}"),
                    body,
                    "correct user or password",
                )
            }
            AuthConfig::Cert { mount, name } => {
                let body = Body::default();
                let body = if name.is_empty() {
                    body
                } else {
                    body.text("name", name)
                };
                let remedy = "let a certificate role trust the authority of `tls.cert_file`";
                (mount, "login".to_owned(), body, remedy)
            }
        };
        let path = format!("auth/{}/{path}", mount.trim_end_matches('/'));
        let answer = transport.call(&Raw::post(path, &body).call(), None).await;
        let answer = answer.map_err(|failure| match failure.cause {
            // Vault answers 400 to wrong credentials of some methods, and 403 to others.
            Cause::Refused | Cause::Denied | Cause::DeadToken => {
                Failure::new(Cause::Denied, format!("{remedy}: {failure}"))
            }
            _ => failure,
        })?;
        if answer.status == 404 {
            let remedy = "enable the method there (`vault auth enable`), or correct `auth.mount`: nothing is mounted";
            return Err(Failure::new(Cause::Denied, remedy));
        }
        Granted::of_login(Envelope::read(&answer.body)?.auth)
    }

    /// A token that is not ours; what it may do is looked up.
    async fn given(
        &self,
        token: &SecretRef,
        wrapped: bool,
        transport: &Transport,
    ) -> Result<Granted, Failure> {
        let mut value = self.ask(token).await?;
        if wrapped {
            value = self.unwrap(value, transport).await?;
        }
        let call = Call::of(LookupTokenSelfRequest {});
        let answer = transport
            .call(&call, Some(&value))
            .await
            .map_err(|failure| match failure.cause {
                Cause::Denied | Cause::DeadToken => {
                    let remedy = format!(
                        "write a token that is valid, and has the policy `default`, to {token}"
                    );
                    Failure::new(Cause::Denied, format!("{remedy}: {failure}"))
                }
                _ => failure,
            })?;
        Granted::of_given(value, Envelope::read(&answer.body)?.data)
    }

    /// What the wrapping token `wrapping` holds, as <https://developer.hashicorp.com/vault/api-docs/system/wrapping-unwrap> says.
    async fn unwrap(&self, wrapping: Secret, transport: &Transport) -> Result<Secret, Failure> {
        let known = self
            .unwrapped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((_, held)) = known.filter(|(token, _)| *token == wrapping) {
            return Ok(held);
        }
        let call = Raw::post("sys/wrapping/unwrap", &Body::default()).call();
        let answer = transport.call(&call, Some(&wrapping)).await.map_err(|failure| {
            if failure.is_passing() {
                return failure;
            }
            let remedy = "have a new one wrapped, and find out who opened this one: the wrapping token was used before, or has expired";
            Failure::new(Cause::Denied, format!("{remedy}: {failure}"))
        })?;
        let envelope = Envelope::read(&answer.body)?;
        let text = match (envelope.auth, envelope.data) {
            (Some(auth), _) => parse::<WrappedToken<'_>>(auth.get().as_bytes())?.client_token,
            (None, data) => {
                let data = data.map_or("", |data| data.get());
                parse::<WrappedSecretId<'_>>(data.as_bytes())?.secret_id
            }
        };
        let held = Secret::from(&*text);
        let kept = Some((wrapping, held.clone()));
        *self
            .unwrapped
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(held)
    }

    async fn ask(&self, reference: &SecretRef) -> Result<Secret, Failure> {
        let found = self.bootstrap.get(reference).await;
        let value = found.and_then(|bundle| bundle.value(reference).cloned());
        let value = value.map_err(|err| {
            let cause = match err.kind() {
                SecretErrorKind::Unavailable => Cause::Store { retry_after: None },
                _ => Cause::Denied,
            };
            Failure::new(cause, err.to_string())
        })?;
        plain(&value).cloned()
    }
}

/// Refuses what no JSON can hold.
fn plain(value: &Secret) -> Result<&Secret, Failure> {
    if value.expose_str().is_some() {
        return Ok(value);
    }
    Err(Failure::new(
        Cause::Denied,
        "write it as text: it is not UTF-8",
    ))
}
