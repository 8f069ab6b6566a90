//! The store.
use super::{
    MountKind, VaultConfig,
    endpoint::{Body, Raw},
    envelope::{self, Envelope},
    failure::{Cause, Failure},
    http::{Answer, Call, Transport},
    mounts::Mounts,
    path::{Form, Target},
    session::{Session, Token, Verdict},
};
use crate::schedule::LONGEST_LIFE;
use crate::store::{Fetched, Grant, Renewed, Store, StoreEvents};
use async_trait::async_trait;
use detectviz_core::{
    error::BoxError,
    secret::{SecretError, SecretRef, SecretsProvider},
    task::Tasks,
};
use std::{fmt, sync::Arc, time::Duration};
use vaultrs::api::sys::requests::ReadHealthRequest;

/// HashiCorp Vault or OpenBao.
///
/// # Clone
/// Clones share the login, the connections and what is known of the mounts.
#[derive(Clone)]
pub struct VaultStore {
    transport: Arc<Transport>,
    session: Session,
    mounts: Arc<Mounts>,
    nodes: Arc<[String]>,
}

// === impl VaultStore ===

impl VaultStore {
    /// `config` is valid.
    pub(super) fn new(
        config: VaultConfig,
        bootstrap: Arc<dyn SecretsProvider>,
        tasks: &Tasks,
    ) -> Self {
        let transport = Arc::new(Transport::new(&config, tasks));
        Self {
            session: Session::new(&config, &transport, bootstrap, tasks),
            transport,
            mounts: Arc::new(Mounts::new(&config.mounts)),
            nodes: config.addresses.into(),
        }
    }

    /// Makes one call with the token; once more with another, if that one is dead.
    async fn call(&self, call: &Call) -> Result<(Answer, Arc<Token>), Failure> {
        let mut token = self.session.token().await?;
        let refused = match self.transport.call(call, Some(&token.value)).await {
            Err(failure) if is_refusal(&failure) => failure,
            other => return other.map(|answer| (answer, token)),
        };
        let is_dead = refused.cause == Cause::DeadToken;
        match self.session.refused(&token, is_dead).await? {
            Verdict::Policy => return Err(refused),
            Verdict::Again(newer) => token = newer,
        }
        let answer = self.transport.call(call, Some(&token.value)).await;
        if answer.as_ref().is_err_and(is_refusal) {
            self.session.refused_again(&token).await;
        }
        answer.map(|answer| (answer, token))
    }

    /// What is mounted above `path`: as configured, as known, or as Vault says.
    async fn mount(&self, path: &str) -> Result<(String, MountKind), Failure> {
        if let Some(known) = self.mounts.of(path) {
            return Ok(known);
        }
        let asked = Raw::get(format!("sys/internal/ui/mounts/{path}")).call();
        let unknown = |why: String| {
            let remedy = format!(
                "mount an engine there, give the token a policy for it, or say what it is under `mounts`: nothing that it may see is mounted above `{path}`{why}"
            );
            Failure::new(Cause::Denied, remedy)
        };
        let (answer, _) = self
            .call(&asked)
            .await
            .map_err(|failure| match failure.cause {
                Cause::Denied | Cause::Refused => unknown(format!(" ({failure})")),
                _ => failure,
            })?;
        if answer.status == 404 {
            return Err(unknown(String::new()));
        }
        let data = Envelope::read(&answer.body)?.data;
        self.mounts.learn(data.map_or("null", |data| data.get()))
    }

    async fn read(&self, target: &Target) -> Result<Fetched, Failure> {
        let (mount, kind) = self.mount(&target.path).await?;
        let (call, form) = target.call(&mount, kind)?;
        let (answer, token) = self
            .call(&call)
            .await
            .map_err(|failure| match failure.cause {
                Cause::Denied => {
                    let policy = target.policy(&mount, form);
                    Failure::new(
                        Cause::Denied,
                        format!("give the role a policy with {policy}: {failure}"),
                    )
                }
                _ => failure,
            })?;
        if answer.status == 404 {
            return Err(absent(target, &mount, form, &answer));
        }
        Envelope::read(&answer.body)?.fetched(form, token.session, &answer)
    }

    async fn prolong(&self, grant: &Grant) -> Result<Renewed, Failure> {
        if grant.id.is_empty() || !grant.renewable {
            let remedy = "fetch it anew: what is lent so cannot be renewed";
            return Err(Failure::new(Cause::Denied, remedy));
        }
        // Rounded up, so that a lease is never asked to be shorter than it was.
        let seconds = grant.duration.as_secs() + u64::from(grant.duration.subsec_nanos() > 0);
        let body = Body::default()
            .text("lease_id", &grant.id)
            .text("increment", &format!("{seconds}s"));
        let call = Raw::post("sys/leases/renew", &body).call();
        let (answer, _) = self
            .call(&call)
            .await
            .map_err(|failure| match failure.cause {
                Cause::Denied => {
                    let policy = r#"path "sys/leases/renew" { capabilities = ["update"] }"#;
                    Failure::new(
                        Cause::Denied,
                        format!("give the role a policy with {policy}: {failure}"),
                    )
                }
                // Vault answers 400 to a lease that it does not know, or that has ended.
                Cause::Refused => Failure::new(
                    Cause::NotFound,
                    format!("fetch it anew: the lease is gone: {failure}"),
                ),
                _ => failure,
            })?;
        let envelope = Envelope::read(&answer.body)?;
        if answer.status == 404 || envelope.lease_duration == 0 {
            return Err(Failure::new(
                Cause::NotFound,
                "fetch it anew: the lease has ended",
            ));
        }
        Ok(Renewed {
            duration: Duration::from_secs(envelope.lease_duration).min(LONGEST_LIFE),
            renewable: envelope.renewable,
        })
    }
}

#[async_trait]
impl Store for VaultStore {
    fn name(&self) -> &'static str {
        "vault"
    }

    async fn fetch(&self, reference: &SecretRef) -> Result<Fetched, SecretError> {
        let fetched = async { self.read(&Target::parse(reference.path())?).await };
        fetched
            .await
            .map_err(|failure| failure.for_secret(reference))
    }

    async fn renew(&self, reference: &SecretRef, grant: &Grant) -> Result<Renewed, SecretError> {
        self.prolong(grant)
            .await
            .map_err(|failure| failure.for_secret(reference))
    }

    async fn revoke(&self, grant: &Grant) -> Result<(), BoxError> {
        if grant.id.is_empty() {
            return Ok(());
        }
        let body = Body::default().text("lease_id", &grant.id);
        let call = Raw::post("sys/leases/revoke", &body).call();
        match self.call(&call).await {
            Ok(_) => Ok(()),
            // It is gone already, which is what was asked for.
            Err(failure) if failure.cause == Cause::Refused => Ok(()),
            Err(failure) if failure.cause == Cause::Denied => {
                let policy = r#"path "sys/leases/revoke" { capabilities = ["update"] }"#;
                Err(format!("give the role a policy with {policy}: {failure}").into())
            }
            Err(failure) => Err(failure.into()),
        }
    }

    fn attach(&self, events: StoreEvents) {
        self.session.attach(events);
    }

    async fn check(&self) -> Result<(), BoxError> {
        let health = Call::health(ReadHealthRequest {
            standbyok: Some(true),
            perfstandbyok: Some(true),
            activecode: None,
            standbycode: None,
            drsecondarycode: None,
            haunhealthycode: None,
            performancestandbycode: None,
            removedcode: None,
            sealedcode: None,
            uninitcode: None,
        });
        self.transport.call(&health, None).await?;
        // A login that failed is tried again, as seldom as for those who ask for secrets.
        if self.session.has_failed().await {
            self.session.token().await?;
        }
        Ok(())
    }

    async fn close(&self) {
        self.session.close().await;
    }
}

impl fmt::Debug for VaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultStore")
            .field("addresses", &self.nodes)
            .finish_non_exhaustive()
    }
}

fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.cause, Cause::Denied | Cause::DeadToken)
}

/// Why a path holds nothing.
fn absent(target: &Target, mount: &str, form: Form, answer: &Answer) -> Failure {
    let remedy = match form {
        Form::KvV2 => envelope::absence(&answer.body).unwrap_or_else(|| {
            let below = target.path.strip_prefix(mount).unwrap_or_default();
            if below.starts_with("/data/") {
                format!("leave out `data/`: it is added for KV version 2, and nothing is at `{mount}/data{below}`")
            } else {
                format!("write it (`vault kv put {}`): KV version 2 holds nothing there", target.path)
            }
        }),
        Form::KvV1 => format!("write it (`vault kv put {}`): nothing is there", target.path),
        _ => format!("create the role, or correct the path `{}`: nothing is there", target.path),
    };
    Failure::new(Cause::NotFound, remedy)
}
