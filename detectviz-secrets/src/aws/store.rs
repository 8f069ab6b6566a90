//! The store.
use super::{
    AwsConfig,
    connector::Connector,
    credentials::{LogIn, said},
    state::{self, Wanted},
};
use crate::{
    cloud::{Failure, Login, Refusal, Session, Wire},
    payload,
    store::{Fetched, Fields, Store},
};
use async_trait::async_trait;
use aws_sdk_secretsmanager::{
    Client, Config,
    config::{
        BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig,
        endpoint::{DefaultResolver, Params, ResolveEndpoint},
    },
    operation::get_secret_value::GetSecretValueOutput,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use detectviz_core::{
    error::BoxError,
    secret::{Secret, SecretBundle, SecretError, SecretErrorKind, SecretRef, SecretsProvider},
};
use std::{fmt, sync::Arc};
use tracing::{instrument::WithSubscriber, subscriber::NoSubscriber};
use zeroize::Zeroizing;

/// AWS Secrets Manager; see the [module](super).
pub struct AwsStore {
    config: AwsConfig,
    secrets: Arc<dyn SecretsProvider>,
    wire: Arc<Wire>,
    session: Session<Client>,
}

// === impl AwsStore ===

impl AwsStore {
    pub(super) fn new(config: AwsConfig, secrets: Arc<dyn SecretsProvider>) -> Self {
        let wire = Wire::new(config.ca_file.clone(), config.timeout);
        Self {
            config,
            secrets,
            wire: Arc::new(wire),
            session: Session::default(),
        }
    }

    async fn client(&self) -> Result<Arc<Client>, Failure> {
        let log_in = async || {
            let endpoint = regional(&self.config.region).await?;
            let log_in = LogIn {
                wire: &self.wire,
                endpoint: &endpoint,
                secrets: &*self.secrets,
            };
            let login = log_in.run(&self.config.credentials).await?;
            let mut config = Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(self.config.region.clone()))
                .credentials_provider(login.given)
                .identity_cache(IdentityCache::no_cache())
                .http_client(Connector(Arc::clone(&self.wire)))
                .retry_config(RetryConfig::disabled())
                .timeout_config(TimeoutConfig::disabled())
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
            config.set_endpoint_url(self.config.endpoint.clone());
            Ok(Login {
                given: Client::from_conf(config.build()),
                life: login.life,
            })
        };
        self.session.get(log_in).await
    }

    async fn ask(
        &self,
        client: &Client,
        wanted: &Wanted<'_>,
    ) -> Result<GetSecretValueOutput, Refusal> {
        let call = client
            .get_secret_value()
            .secret_id(wanted.id)
            .set_version_stage(wanted.stage.map(str::to_owned))
            .set_version_id(wanted.version.map(str::to_owned));
        // At its most verbose level the SDK logs the answer, where a variable of the environment wants it.
        let answer = call.send().with_subscriber(NoSubscriber::default()).await;
        answer.map_err(|err| match said(&err) {
            Ok(said) => state::refused(wanted, &self.config.region, said),
            Err(failure) => failure.into(),
        })
    }
}

#[async_trait]
impl Store for AwsStore {
    fn name(&self) -> &'static str {
        "aws"
    }

    async fn fetch(&self, reference: &SecretRef) -> Result<Fetched, SecretError> {
        let wanted = Wanted::parse(reference, &self.config.region)?;
        let wanted = &wanted;
        let ask = |client: Arc<_>| async move { self.ask(&client, wanted).await };
        let answer = self.session.asked(|| self.client(), ask).await;
        let answer = answer.map_err(|err| err.of(reference))?;
        fetched(reference, answer)
    }

    /// Logs in, and looks whether Secrets Manager is there; costs no call that AWS charges for.
    async fn check(&self) -> Result<(), BoxError> {
        self.client().await?;
        let endpoint = match &self.config.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => regional(&self.config.region).await?,
        };
        self.wire.reach(&endpoint).await?;
        Ok(())
    }
}

impl fmt::Debug for AwsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsStore")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The address of Secrets Manager in `region`, by the rules of the SDK.
pub(super) async fn regional(region: &str) -> Result<String, Failure> {
    let unknown = |_| {
        let remedy = "write a region of AWS to `region`, such as `eu-west-1`";
        Failure::new(SecretErrorKind::Malformed, remedy)
    };
    let params = Params::builder().region(region);
    let params = params.use_fips(false).use_dual_stack(false).build();
    let params = params.map_err(|err| unknown(err.into()))?;
    let endpoint = DefaultResolver::new().resolve_endpoint(&params).await;
    Ok(endpoint.map_err(unknown)?.url().to_owned())
}

fn fetched(reference: &SecretRef, answer: GetSecretValueOutput) -> Result<Fetched, SecretError> {
    let fields = match (answer.secret_string, answer.secret_binary) {
        (Some(text), _) => payload::json_or_value(Zeroizing::new(text).as_bytes()),
        (None, Some(bytes)) => {
            let value = Secret::new(bytes.into_inner());
            Fields::from([(SecretBundle::VALUE.to_owned(), value)])
        }
        (None, None) => Fields::new(),
    };
    if fields.values().all(Secret::is_empty) {
        let remedy = "give the secret a value (`aws secretsmanager put-secret-value`)";
        return Err(SecretError::new(SecretErrorKind::Empty, reference, remedy));
    }
    let fetched = Fetched::new(fields);
    Ok(match answer.version_id {
        Some(version) => fetched.label(version),
        None => fetched,
    })
}
