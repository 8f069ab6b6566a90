//! Asks the nodes one after the other until one can answer.
use super::{Answer, exchange, status, tls};
use crate::vault::{
    VaultConfig, VaultTlsConfig,
    address::{Address, Redirect, order},
    failure::{Cause, Failure},
    source::TlsFiles,
};
use detectviz_core::{secret::Secret, task::Tasks};
use http::Request;
use rustify::{
    endpoint::{Endpoint, MiddleWare},
    errors::ClientError,
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use vaultrs::api::EndpointMiddleware;

/// How often one call is redirected.
const MAX_REDIRECTS: usize = 3;

/// Builds the request of a call, for the node at a base URL.
type Build =
    dyn Fn(&str, &EndpointMiddleware) -> Result<Request<Vec<u8>>, ClientError> + Send + Sync;

/// One call of Vault's API, made of an endpoint of vaultrs or of our own.
pub(in crate::vault) struct Call {
    build: Box<Build>,
    /// `sys/health` is asked outside of any namespace, and says by 429 that the node is on standby.
    is_health: bool,
}

/// The way to the nodes.
pub(in crate::vault) struct Transport {
    nodes: Vec<Address>,
    tls: VaultTlsConfig,
    timeout: Duration,
    middleware: EndpointMiddleware,
    /// The node that last answered.
    first: AtomicUsize,
    clients: Mutex<Option<Clients>>,
    /// No node could be asked by the last call that tried all.
    is_doubted: AtomicBool,
    tasks: Tasks,
}

#[derive(Clone)]
struct Clients {
    files: TlsFiles,
    each: Arc<[reqwest::Client]>,
}

// === impl Call ===

impl Call {
    pub(in crate::vault) fn of(endpoint: impl Endpoint + 'static) -> Self {
        Self {
            build: Box::new(move |base, middleware| {
                let mut request = endpoint.request(base)?;
                middleware.request(&endpoint, &mut request)?;
                Ok(request)
            }),
            is_health: false,
        }
    }

    pub(in crate::vault) fn health(endpoint: impl Endpoint + 'static) -> Self {
        Self {
            is_health: true,
            ..Self::of(endpoint)
        }
    }
}

// === impl Transport ===

impl Transport {
    /// `config` is valid.
    pub(in crate::vault) fn new(config: &VaultConfig, tasks: &Tasks) -> Self {
        let nodes = config
            .addresses
            .iter()
            .flat_map(|text| Address::parse(text).ok());
        let namespace = config.namespace.trim_end_matches('/');
        Self {
            nodes: nodes.collect(),
            tls: config.tls.clone(),
            timeout: config.timeout,
            middleware: EndpointMiddleware {
                // The token is added when the request is sent, so that no copy of it outlives it.
                token: String::new(),
                version: "v1".to_owned(),
                wrap: None,
                namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
            },
            first: AtomicUsize::new(0),
            clients: Mutex::default(),
            is_doubted: AtomicBool::new(false),
            tasks: tasks.clone(),
        }
    }

    /// Makes one call. An answer is of a status from 200 to 204, or 404.
    pub(in crate::vault) async fn call(
        &self,
        call: &Call,
        token: Option<&Secret>,
    ) -> Result<Answer, Failure> {
        let known = self.clients().clone();
        // What no node has taken may be certificates that have been replaced since.
        let known = known.filter(|_| !self.is_doubted.swap(false, Relaxed));
        let clients = match known {
            Some(clients) => clients,
            None => self.reload().await?,
        };
        let mut failed: Vec<Failure> = Vec::new();
        for at in order(self.first.load(Relaxed), self.nodes.len()) {
            match self.ask(&clients, at, call, token).await {
                Err(failure) if failure.cause == Cause::Node => failed.push(failure),
                done => return done,
            }
        }
        self.is_doubted.store(true, Relaxed);
        // A node that was asked in vain is not the first to be asked again.
        let _ = self.first.fetch_update(Relaxed, Relaxed, |at| {
            Some((at + 1) % self.nodes.len().max(1))
        });
        let all = failed.iter().map(ToString::to_string).collect::<Vec<_>>();
        Err(Failure::new(Cause::Node, all.join("; ")))
    }

    /// Reads the files of TLS again and, if they have changed, connects anew.
    pub(in crate::vault) async fn refresh(&self) -> Result<(), Failure> {
        self.reload().await.map(|_| ())
    }

    async fn reload(&self) -> Result<Clients, Failure> {
        let tls = self.tls.clone();
        let read = self
            .tasks
            .spawn_blocking("vault TLS files", move || TlsFiles::read(&tls));
        let cut_short = || {
            Failure::new(
                Cause::Node,
                "try again: the read of the files of `tls` was cut short",
            )
        };
        let files = read.await.unwrap_or_else(|_| Err(cut_short()))?;
        if let Some(known) = self.clients().as_ref().filter(|known| known.files == files) {
            return Ok(known.clone());
        }
        let config = tls::config(&files)?;
        let name = self.tls.server_name.as_deref();
        let each = self
            .nodes
            .iter()
            .map(|node| tls::client(node, name, &config, self.timeout));
        let clients = Clients {
            each: each.collect::<Result<_, _>>()?,
            files,
        };
        *self.clients() = Some(clients.clone());
        Ok(clients)
    }

    /// Asks the node at `at` and follows where it leads.
    async fn ask(
        &self,
        clients: &Clients,
        mut at: usize,
        call: &Call,
        token: Option<&Secret>,
    ) -> Result<Answer, Failure> {
        let mut address = self.nodes[at].clone();
        let name = self.tls.server_name.as_deref();
        for _ in 0..=MAX_REDIRECTS {
            let node = address.to_string();
            let request = self.request(call, &address.base(name))?;
            let answer = exchange::send(&clients.each[at], request, token, &node).await?;
            match answer.status {
                200..=204 | 404 => {
                    self.first.store(at, Relaxed);
                    return Ok(answer);
                }
                301 | 302 | 307 | 308 => {
                    let location = answer.location.as_deref().unwrap_or_default();
                    match address.redirect(location, &self.nodes, name) {
                        Redirect::Node(next) => {
                            at = next;
                            address = self.nodes[next].clone();
                        }
                        Redirect::SameHost(next) => address = next,
                        Redirect::Elsewhere => return Err(status::failure(&answer, &node)),
                    }
                }
                429 if call.is_health => {
                    return Err(status::failure(
                        &Answer {
                            status: 473,
                            ..answer
                        },
                        &node,
                    ));
                }
                _ => return Err(status::failure(&answer, &node)),
            }
        }
        let remedy = format!("look at `api_addr` of the nodes: {address} redirects in a circle");
        Err(Failure::new(Cause::Node, remedy))
    }

    fn request(&self, call: &Call, base: &str) -> Result<Request<Vec<u8>>, Failure> {
        let built = if call.is_health {
            let root = EndpointMiddleware {
                namespace: None,
                ..self.middleware.clone()
            };
            (call.build)(base, &root)
        } else {
            (call.build)(base, &self.middleware)
        };
        built.map_err(|_| Failure::new(Cause::Refused, "correct the path: it makes no URL"))
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, Option<Clients>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
