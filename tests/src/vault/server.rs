//! The server, as tests hold it.
use super::{
    core::{Core, LeaseView, Station, TokenView},
    fault::{Fault, Rule},
    http::Node,
    options::VaultOptions,
    shared::{Request, Shared, lock},
    tls,
};
use detectviz_core::task::Tasks;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// How long [`VaultServer::stop`] waits for its own tasks.
const STOP: Duration = Duration::from_secs(5);

/// A Vault on a free port of 127.0.0.1, on the runtime that started it; it ends when dropped.
///
/// What it is asked by hand (`leases`, `is_valid`, …) is as of now: on a paused clock, ask from within the runtime.
#[derive(Debug)]
pub struct VaultServer {
    addr: SocketAddr,
    node: Arc<Node>,
    tls: Option<Tls>,
    tasks: Mutex<Option<Tasks>>,
}

#[derive(Clone)]
struct Tls(TlsAcceptor);

// === impl VaultServer ===

impl VaultServer {
    /// Starts it.
    ///
    /// # Panics
    /// Outside a tokio runtime, without a free port, and with a certificate that cannot be used.
    #[must_use]
    pub fn start(options: VaultOptions) -> Self {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let unix = options.unix.unwrap_or(wall.as_secs());
        let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
        let mut core = Core::new(seed, unix);
        if options.uninitialized {
            core = core.uninitialized();
        }
        if options.old_errors {
            core = core.old_errors();
        }
        let shared = Arc::new(Shared::new(core, options.second));
        let tls = options.tls.as_ref().map(tls::acceptor);
        let tls = tls.map(|tls| Tls(tls.expect("a certificate and its key in PEM")));
        Self::open(shared, tls, Station::Active, None)
    }

    /// A standby of the same Vault at an address of its own: `sys/health` answers 429. It does what it is asked, as one that
    /// forwards to the active node.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn standby(&self) -> Self {
        let shared = Arc::clone(&self.node.shared);
        Self::open(
            shared,
            self.tls.clone(),
            Station::Standby,
            Some(self.address()),
        )
    }

    /// Another address of the same Vault, in plain HTTP: for [`VaultAdmin`](super::VaultAdmin) where clients have to use TLS.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn without_tls(&self) -> Self {
        Self::open(Arc::clone(&self.node.shared), None, Station::Active, None)
    }

    /// From now on this standby answers with 307 to `active` in place of forwarding; with an empty address it does not know the
    /// active node, and answers 500 as Vault does.
    pub fn redirect_to(&self, active: impl Into<String>) {
        *lock(&self.node.redirect) = Some(active.into());
    }

    /// What `sys/health` says of this node from now on.
    pub fn set_station(&self, station: Station) {
        *lock(&self.node.station) = station;
    }

    fn open(
        shared: Arc<Shared>,
        tls: Option<Tls>,
        station: Station,
        active: Option<String>,
    ) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = listener.local_addr().expect("it is bound");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let node = Node {
            shared,
            rules: Mutex::default(),
            station: Mutex::new(station),
            redirect: Mutex::default(),
            active: active.unwrap_or_else(|| format!("{scheme}://{addr}")),
        };
        let server = Self {
            addr,
            node: Arc::new(node),
            tls,
            tasks: Mutex::default(),
        };
        server.listen(listener);
        server
    }

    fn listen(&self, listener: std::net::TcpListener) {
        listener.set_nonblocking(true).expect("a socket of ours");
        let listener = TcpListener::from_std(listener).expect("a socket of ours");
        let tasks = Tasks::new();
        let (node, tls, own) = (Arc::clone(&self.node), self.tls.clone(), tasks.clone());
        tasks.spawn("vault", async move {
            let token = own.token();
            let accept = async {
                while let Ok((stream, _)) = listener.accept().await {
                    let (node, tls, token) = (Arc::clone(&node), tls.clone(), own.token());
                    own.spawn("vault connection", async move {
                        token
                            .run_until_cancelled(connection(stream, tls, node))
                            .await;
                    });
                }
            };
            token.run_until_cancelled(accept).await;
        });
        *lock(&self.tasks) = Some(tasks);
    }

    /// Refuses connections and cuts those that are open; the state stays, and time goes on.
    pub async fn stop(&self) {
        let tasks = lock(&self.tasks).take();
        if let Some(tasks) = tasks {
            tasks.cancel();
            // Every task of ours watches the token.
            let _stuck = tasks.join(STOP).await;
        }
    }

    /// Is there again at the same address, with the state that it had.
    ///
    /// # Panics
    /// When it was not stopped, or the port was taken in between.
    pub fn resume(&self) {
        let listener = std::net::TcpListener::bind(self.addr).expect("the port is free again");
        self.listen(listener);
    }

    /// `http://127.0.0.1:port`, or `https`.
    #[must_use]
    pub fn address(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The root token, which never ends.
    #[must_use]
    pub fn root_token(&self) -> String {
        self.core().root_token().to_owned()
    }

    /// The one unseal key.
    #[must_use]
    pub fn unseal_key(&self) -> String {
        self.core().unseal_key().to_owned()
    }

    /// Lets something go wrong, from now on. Of several faults that meet a request, the first that was set counts.
    pub fn set(&self, fault: impl Into<Rule>) {
        let rule = fault.into();
        match rule.fault {
            Fault::Seal => self.core().set_sealed(true),
            _ => lock(&self.node.rules).push(rule),
        }
    }

    /// Nothing goes wrong any more; a sealed server is unsealed.
    pub fn clear(&self) {
        lock(&self.node.rules).clear();
        self.core().set_sealed(false);
    }

    /// All requests that came, in their order; those of a standby with those of its active node.
    #[must_use]
    pub fn log(&self) -> Vec<Request> {
        self.node.shared.log().clone()
    }

    /// How many requests came whose path after `/v1/` starts with `path`.
    #[must_use]
    pub fn requests(&self, path: &str) -> usize {
        let log = self.node.shared.log();
        log.iter()
            .filter(|request| request.path.starts_with(path))
            .count()
    }

    /// Vault's time since the start.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.node.shared.now()
    }

    /// All tokens that live.
    #[must_use]
    pub fn tokens(&self) -> Vec<TokenView> {
        self.core().tokens(self.now())
    }

    /// All leases that live.
    #[must_use]
    pub fn leases(&self) -> Vec<LeaseView> {
        self.core().lease_views(self.now())
    }

    /// Whether a database would let them in now.
    #[must_use]
    pub fn is_valid(&self, user: &str, password: &str) -> bool {
        self.core().is_valid(user, password, self.now())
    }

    /// The accessor of a token, which is what [`Request::accessor`] shows.
    #[must_use]
    pub fn accessor(&self, token: &str) -> Option<String> {
        self.core().accessor(token)
    }

    /// Ends the token of `accessor`, and its leases, as if its time were over; `false` without one.
    pub fn expire_token_now(&self, accessor: &str) -> bool {
        self.core().expire_token(accessor)
    }

    /// Ends a lease; `false` without one.
    pub fn revoke_lease_now(&self, id: &str) -> bool {
        self.core().end_lease(id)
    }

    /// Takes a policy away: the tokens stay and may less.
    pub fn remove_policy(&self, name: &str) {
        self.core().remove_policy(name);
    }

    /// Removes a key of a KV mount with all its versions; `key` is the path without `data/`.
    pub fn delete_key(&self, mount: &str, key: &str) {
        self.core().delete_key(mount, key);
    }

    /// From now on the calendar says `unix`, in seconds since 1970; leases and tokens do not care.
    pub fn set_unix_time(&self, unix: u64) {
        let now = self.now();
        self.core().set_unix(unix, now);
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.node.shared.core()
    }
}

impl Drop for VaultServer {
    fn drop(&mut self) {
        if let Some(tasks) = lock(&self.tasks).take() {
            tasks.cancel();
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

async fn connection(stream: TcpStream, tls: Option<Tls>, node: Arc<Node>) {
    // A segment of its own for each answer, at once.
    let _refused = stream.set_nodelay(true);
    let Some(Tls(acceptor)) = tls else {
        return serve(stream, node, Vec::new()).await;
    };
    // A client that goes away in the handshake is its own affair.
    if let Ok(stream) = acceptor.accept(stream).await {
        let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let shown = shown.iter().map(|cert| cert.to_vec()).collect();
        serve(stream, node, shown).await;
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    node: Arc<Node>,
    certificates: Vec<Vec<u8>>,
) {
    let certificates = Arc::new(certificates);
    let service =
        service_fn(move |request| Arc::clone(&node).answer(request, Arc::clone(&certificates)));
    let http = http1::Builder::new();
    // Faults close connections, and so do clients.
    let _gone = http.serve_connection(TokioIo::new(stream), service).await;
}
