//! The store.
use super::{
    access::Origin,
    follow::{invalid, requests},
    name::ObjectName,
    object,
    session::Session,
    status::Refusal,
    watches::Watches,
};
use crate::store::{Fetched, Store, StoreEvents};
use async_trait::async_trait;
use detectviz_core::{
    error::BoxError,
    secret::{SecretError, SecretErrorKind, SecretRef},
    task::Tasks,
};
use http::Request;
use kube::core::params::GetParams;
use std::{sync::Arc, time::Duration};

/// Kubernetes Secret objects, fetched from the API server and followed there.
#[derive(Debug)]
pub struct KubernetesStore {
    session: Arc<Session>,
    watches: Arc<Watches>,
    namespace: Option<String>,
    tasks: Tasks,
}

// === impl KubernetesStore ===

impl KubernetesStore {
    pub(super) fn new(
        origin: Origin,
        namespace: Option<String>,
        timeout: Duration,
        tasks: &Tasks,
    ) -> Self {
        let tasks = tasks.child();
        Self {
            session: Arc::new(Session::new(origin, timeout, &tasks)),
            watches: Arc::new(Watches::new(&tasks)),
            namespace,
            tasks,
        }
    }

    async fn object(&self, reference: &SecretRef) -> Result<ObjectName, SecretError> {
        if self.namespace.is_some() || ObjectName::is_absolute(reference) {
            return ObjectName::parse(reference, self.namespace.as_deref());
        }
        // A name that cannot be is said before anything is read.
        ObjectName::parse(reference, None)?;
        let link = self.session.link().await.map_err(|failure| {
            SecretError::new(SecretErrorKind::Unavailable, reference, failure.to_string())
        })?;
        ObjectName::parse(reference, link.namespace.as_deref())
    }
}

#[async_trait]
impl Store for KubernetesStore {
    fn name(&self) -> &'static str {
        "k8s"
    }

    async fn fetch(&self, reference: &SecretRef) -> Result<Fetched, SecretError> {
        let object = self.object(reference).await?;
        let explain = |failure: super::error::Failure| failure.explain(reference, &object);
        let request = requests(&object).get(&object.name, &GetParams::default());
        let request = request.map_err(|err| explain(invalid(err)))?;
        let answer = self.session.ask(request).await.map_err(explain)?;
        let fetched = object::secret(&answer, &object).map_err(explain)?;
        // An empty one is followed too: it is about to be filled.
        let version = fetched.label.as_deref();
        self.watches
            .fetched(reference, &object, version, &self.session);
        if fetched
            .fields
            .values()
            .all(detectviz_core::secret::Secret::is_empty)
        {
            let remedy = format!(
                "write data to the Secret `{}` in the namespace `{}`",
                object.name, object.namespace
            );
            return Err(SecretError::new(SecretErrorKind::Empty, reference, remedy));
        }
        Ok(fetched)
    }

    fn attach(&self, events: StoreEvents) {
        self.watches.attach(events);
    }

    /// Asks for the version of the server, which every authenticated user may.
    async fn check(&self) -> Result<(), BoxError> {
        let request = Request::get("/version").body(Vec::new())?;
        match self.session.ask(request).await {
            Ok(_) => Ok(()),
            // It knows us, and has taken `system:public-info-viewer` away.
            Err(failure) if failure.refusal().is_some_and(Refusal::is_forbidden) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn close(&self) {
        self.tasks.cancel();
        self.session.close();
    }
}
