//! What the parts of the shop share: the directory with its secret, and where the instances of orders are.
use detectviz_core::{config::Section, telemetry::context::SpanId};
use detectviz_discovery::fixed::{StaticConfig, StaticProvider};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs, io,
    io::{Read as _, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

/// The shop. Its directory is removed with the last clone.
#[derive(Clone, Debug)]
pub(crate) struct Shop(Arc<Inner>);

/// A section without keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NoSettings {}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    discovery: Arc<StaticProvider>,
    open: Mutex<BTreeSet<SocketAddr>>,
}

/// The secret that whoever orders must show; of this run only.
const TOKEN: &str = "orders-token";

// === impl Shop ===

impl Shop {
    /// Makes a directory with a fresh token that only this user can read.
    pub(crate) fn open() -> io::Result<Self> {
        let dir = std::env::temp_dir().join(format!("detectviz-quickstart-{}", SpanId::random()));
        fs::create_dir(&dir)?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(dir.join(TOKEN))?;
        let mut token = [0; 16];
        fs::File::open("/dev/urandom")?.read_exact(&mut token)?;
        writeln!(file, "{:032x}", u128::from_be_bytes(token))?;
        Ok(Self(Arc::new(Inner {
            dir,
            discovery: Arc::new(StaticConfig::default().service("orders", [""; 0]).build()),
            open: Mutex::default(),
        })))
    }

    /// Where the secret is.
    pub(crate) fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// The file that holds the token.
    pub(crate) fn token_file(&self) -> PathBuf {
        self.0.dir.join(TOKEN)
    }

    /// Where the instances of orders are looked up.
    pub(crate) fn discovery(&self) -> Arc<StaticProvider> {
        Arc::clone(&self.0.discovery)
    }

    /// An instance of orders answers at `address`, or no longer does.
    pub(crate) fn tell(&self, address: SocketAddr, open: bool) {
        let mut all = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open {
            all.insert(address);
        } else {
            all.remove(&address);
        }
        let addresses = all.iter().map(ToString::to_string);
        let orders = StaticConfig::default().service("orders", addresses);
        self.0.discovery.replace(&orders);
    }
}

// === impl Inner ===

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

// === impl NoSettings ===

impl Section for NoSettings {}

/// Says why the directory cannot be made.
pub(crate) fn cannot_open(err: &io::Error) -> ExitCode {
    let dir = std::env::temp_dir();
    let text = format!(
        "quickstart: no directory can be made in {}: {err}",
        dir.display()
    );
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(70)
}
