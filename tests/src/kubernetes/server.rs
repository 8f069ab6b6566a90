//! The server, as tests hold it.
use super::{
    access::{Account, Rule},
    api,
    authority::Authority,
    fault::{self, Fault, Planned},
    stream::Signals,
    world::{World, encoded},
};
use detectviz_core::task::Tasks;
use hyper::{
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use serde_json::{Value, json};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

/// An API server on a free port of 127.0.0.1, on the runtime that started it; it ends when dropped.
#[derive(Debug)]
pub struct Cluster {
    addr: SocketAddr,
    shared: Arc<Shared>,
    authority: Mutex<Authority>,
    tasks: Tasks,
}

#[derive(Debug)]
pub(super) struct Shared {
    world: Mutex<World>,
    signals: Mutex<Signals>,
    planned: Mutex<Vec<Planned>>,
    requests: Mutex<Vec<(String, String)>>,
    tls: Mutex<Arc<ServerConfig>>,
    down: Mutex<bool>,
    /// How many connections there were so far.
    connections: AtomicUsize,
    /// Connections up to this number answer no more.
    frozen: AtomicUsize,
    /// How many watches are open.
    open: watch::Sender<usize>,
    /// Moves whenever a watch should look.
    ticks: watch::Sender<u64>,
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    connection: usize,
    pub(super) certificate: Option<Vec<u8>>,
}

// === impl Cluster ===

impl Cluster {
    /// Starts it, with HTTP/2 and HTTP/1.1.
    ///
    /// # Panics
    /// Outside a tokio runtime, and without a free port.
    #[must_use]
    pub fn start() -> Self {
        Self::speaking(&["h2", "http/1.1"])
    }

    /// Starts one that speaks these protocols of ALPN.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn speaking(protocols: &[&str]) -> Self {
        let authority = Authority::new();
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new()),
            signals: Mutex::default(),
            planned: Mutex::default(),
            requests: Mutex::default(),
            tls: Mutex::new(authority.server(protocols)),
            down: Mutex::default(),
            connections: AtomicUsize::new(0),
            frozen: AtomicUsize::new(0),
            open: watch::Sender::new(0),
            ticks: watch::Sender::new(0),
        });
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = listener.local_addr().expect("it is bound");
        listener.set_nonblocking(true).expect("a socket of ours");
        let listener = TcpListener::from_std(listener).expect("a socket of ours");
        let tasks = Tasks::new();
        let cluster = Self {
            addr,
            shared: Arc::clone(&shared),
            authority: Mutex::new(authority),
            tasks,
        };
        let (of_task, stopping) = (cluster.tasks.clone(), cluster.tasks.token());
        cluster.tasks.spawn("kubernetes", async move {
            let accept = async {
                while let Ok((stream, _)) = listener.accept().await {
                    let (shared, token) = (Arc::clone(&shared), of_task.token());
                    of_task.spawn("kubernetes connection", async move {
                        token.run_until_cancelled(connection(stream, shared)).await;
                    });
                }
            };
            stopping.run_until_cancelled(accept).await;
        });
        cluster
    }

    /// `https://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.addr)
    }

    /// Host and port, as Kubernetes puts them into each container.
    #[must_use]
    pub fn environment(&self, name: &str) -> Option<String> {
        match name {
            "KUBERNETES_SERVICE_HOST" => Some(self.addr.ip().to_string()),
            "KUBERNETES_SERVICE_PORT" => Some(self.addr.port().to_string()),
            _ => None,
        }
    }

    /// A new token of somebody who may do everything.
    #[must_use]
    pub fn admin(&self) -> String {
        self.token("kubernetes-admin", &[Rule::new("*", &["*"], &[])])
    }

    /// A new token of a service account.
    #[must_use]
    pub fn account(&self, namespace: &str, name: &str, rules: &[Rule]) -> String {
        let user = format!("system:serviceaccount:{namespace}:{name}");
        self.token(&user, rules)
    }

    /// A new certificate of `user` with its key, both in PEM.
    #[must_use]
    pub fn certificate(&self, user: &str, rules: &[Rule]) -> (String, String) {
        let (certificate, key, der) = lock(&self.authority).client();
        let account = Account {
            user: user.to_owned(),
            rules: rules.to_vec(),
            expired: false,
        };
        self.shared.world().accounts.insert(der, account);
        (certificate, key)
    }

    /// The API server does not know `token` any more.
    pub fn expire(&self, token: &str) {
        if let Some(account) = self.shared.world().accounts.get_mut(token.as_bytes()) {
            account.expired = true;
        }
    }

    /// What the account of `token` may do from now on.
    pub fn allow(&self, token: &str, rules: &[Rule]) {
        self.shared.world().set_rules(token, rules);
    }

    /// Creates or replaces a Secret, and its namespace where there is none; gives its version.
    pub fn put(&self, namespace: &str, name: &str, data: &[(&str, &[u8])]) -> String {
        let data: serde_json::Map<String, Value> = data
            .iter()
            .map(|(key, value)| ((*key).to_owned(), encoded(value)))
            .collect();
        self.put_object(
            namespace,
            name,
            json!({"metadata": {"name": name}, "data": data}),
        )
    }

    /// As [`put`](Self::put), with the whole object.
    ///
    /// # Panics
    /// When the object there is immutable.
    pub fn put_object(&self, namespace: &str, name: &str, object: Value) -> String {
        let mut world = self.shared.world();
        let _there_already = world.add_namespace(namespace);
        let stored = match world.get(namespace, name) {
            Ok(_) => world.replace(namespace, name, object),
            Err(_) => world.create(namespace, object),
        };
        drop(world);
        self.shared.tick();
        let version = stored.expect("it may be stored")["metadata"]["resourceVersion"].clone();
        version.as_str().unwrap_or_default().to_owned()
    }

    /// Deletes a Secret.
    pub fn delete(&self, namespace: &str, name: &str) {
        let _gone_already = self.shared.world().delete(namespace, name);
        self.shared.tick();
    }

    /// Forgets the past: who watches from before is told 410.
    pub fn compact(&self) {
        self.shared.world().compact();
        self.shared.tick();
    }

    /// Cuts the connections of all watches that are open.
    pub fn break_watches(&self) {
        self.signal(|signals| signals.breaks += 1);
    }

    /// Ends all watches that are open, as at the end of their time.
    pub fn end_watches(&self) {
        self.signal(|signals| signals.ends += 1);
    }

    /// Sends a bookmark to all watches that asked for them.
    pub fn bookmark(&self) {
        self.signal(|signals| signals.marks += 1);
    }

    /// Sends a line that is no event to all watches that are open.
    pub fn garble_watches(&self) {
        self.signal(|signals| signals.garbage += 1);
    }

    /// The next requests with `verb`, or with any for `*`, end like this.
    pub fn fail(&self, verb: &'static str, times: usize, fault: Fault) {
        let planned = Planned { verb, times, fault };
        lock(&self.shared.planned).push(planned);
    }

    /// Cuts connections, those that are open and those that come, until told `false`.
    pub fn down(&self, down: bool) {
        *lock(&self.shared.down) = down;
        self.shared.tick();
    }

    /// Answers no more on the connections that are open, without closing them.
    pub fn freeze(&self) {
        let connections = self.shared.connections.load(Ordering::Relaxed);
        self.shared.frozen.store(connections, Ordering::Relaxed);
    }

    /// Has its certificate signed by a new authority.
    pub fn replace_authority(&self) {
        let authority = Authority::new();
        *lock(&self.shared.tls) = authority.server(&["h2", "http/1.1"]);
        *lock(&self.authority) = authority;
        self.break_watches();
    }

    /// All requests with `verb` so far, as path and query.
    #[must_use]
    pub fn requests(&self, verb: &str) -> Vec<String> {
        let requests = lock(&self.shared.requests);
        let of = requests.iter().filter(|(of, _)| of == verb);
        of.map(|(_, uri)| uri.clone()).collect()
    }

    /// Waits until there were as many requests with `verb`.
    pub async fn asked(&self, verb: &str, count: usize) {
        let mut ticks = self.shared.subscribe();
        let _ours_lives = ticks.wait_for(|_| self.requests(verb).len() >= count).await;
    }

    /// Waits until as many watches are open.
    pub async fn watched(&self, count: usize) {
        let mut open = self.shared.open.subscribe();
        let _ours_lives = open.wait_for(|open| *open == count).await;
    }

    /// A kubeconfig for `token`.
    #[must_use]
    pub fn kubeconfig(&self, token: &str) -> String {
        let authority = encoded(lock(&self.authority).pem().as_bytes());
        let (url, authority) = (self.url(), authority.as_str().unwrap_or_default());
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: model\n\
             clusters:\n- name: model\n  cluster:\n    server: {url}\n    certificate-authority-data: {authority}\n\
             users:\n- name: model\n  user:\n    token: {token}\n\
             contexts:\n- name: model\n  context:\n    cluster: model\n    user: model\n    namespace: default\n"
        )
    }

    /// Writes the files of a service account, as the kubelet mounts them.
    ///
    /// # Panics
    /// When the directory cannot be written.
    pub fn mount(&self, directory: &Path, namespace: &str, token: &str) {
        let authority = lock(&self.authority).pem();
        for (name, text) in [
            ("token", token),
            ("namespace", namespace),
            ("ca.crt", &authority),
        ] {
            // Not written in place: a reader sees one or the other.
            let next = directory.join(format!(".{name}"));
            fs::write(&next, text).expect("a directory of the test");
            fs::rename(&next, directory.join(name)).expect("a directory of the test");
        }
    }

    fn token(&self, user: &str, rules: &[Rule]) -> String {
        let token = format!("token-{:016x}", fastrand::u64(..));
        let account = Account {
            user: user.to_owned(),
            rules: rules.to_vec(),
            expired: false,
        };
        self.shared
            .world()
            .accounts
            .insert(token.clone().into_bytes(), account);
        token
    }

    fn signal(&self, change: impl FnOnce(&mut Signals)) {
        change(&mut lock(&self.shared.signals));
        self.shared.tick();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

// === impl Shared ===

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(super) fn signals(&self) -> Signals {
        *lock(&self.signals)
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.ticks.subscribe()
    }

    pub(super) fn tick(&self) {
        self.ticks.send_modify(|ticks| *ticks += 1);
    }

    pub(super) fn opened(&self) {
        self.open.send_modify(|open| *open += 1);
    }

    pub(super) fn closed(&self) {
        self.open.send_modify(|open| *open -= 1);
    }

    /// Whether the connection of `peer` answers no more.
    pub(super) fn is_frozen(&self, peer: &Peer) -> bool {
        peer.connection <= self.frozen.load(Ordering::Relaxed)
    }

    /// Notes a request, and says how it fails.
    pub(super) fn requested(&self, verb: &str, uri: String) -> Option<Fault> {
        lock(&self.requests).push((verb.to_owned(), uri));
        self.tick();
        fault::next(&mut lock(&self.planned), verb)
    }
}

/// A client that goes away is no failure of the test.
async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    if *lock(&shared.down) {
        return;
    }
    let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
    let mut ticks = shared.subscribe();
    let of_service = Arc::clone(&shared);
    let serve = async move {
        let tls = Arc::clone(&lock(&of_service.tls));
        let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await else {
            return;
        };
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let certificate = stream.get_ref().1.peer_certificates();
        let certificate = certificate
            .and_then(|chain| chain.first())
            .map(|der| der.to_vec());
        let peer = Peer {
            connection: number,
            certificate,
        };
        let service =
            service_fn(move |request| api::answer(Arc::clone(&of_service), peer.clone(), request));
        let io = TokioIo::new(stream);
        if h2 {
            let http = http2::Builder::new(TokioExecutor::new());
            let _gone = http.serve_connection(io, service).await;
        } else {
            let _gone = http1::Builder::new().serve_connection(io, service).await;
        }
    };
    tokio::select! {
        () = serve => {}
        _ = ticks.wait_for(|_| *lock(&shared.down)) => {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
