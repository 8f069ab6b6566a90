//! An HTTP/1.1 server that fails as it is told, and counts what it was asked.
use detectviz_core::task::Tasks;
use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    task::yield_now,
};

/// How a request is dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Answers with this status, and keeps the connection.
    Answer(u16),
    /// Answers with this status, and closes the connection without having said so.
    AnswerAndClose(u16),
    /// Answers with 200 and a body that comes in parts.
    Stream,
    /// Closes the connection once the head has come.
    Close,
    /// Does not answer.
    Hang,
}

/// The server, on a thread of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct Upstream {
    addr: SocketAddr,
    tasks: Tasks,
    came: Came,
}

/// How often each request came, by its method and `x-id`.
pub type Counts = HashMap<(String, u64), u32>;

/// What becomes of a request, by its method, its `x-id` and how often it has come.
pub type Decide = fn(&str, u64, u32) -> Deed;

type Came = Arc<Mutex<Counts>>;

// === impl Upstream ===

impl Upstream {
    /// Starts it; `deed` is told the method and the `x-id` of each request, 0 without one, and how often it has come.
    ///
    /// # Panics
    /// When there is no port or no thread.
    #[must_use]
    pub fn start(deed: Decide) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a socket of ours");
        let addr = listener.local_addr().expect("it is bound");
        let (tasks, came) = (Tasks::new(), Came::default());
        let (own, counts) = (tasks.clone(), Arc::clone(&came));
        let serve = move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a socket of ours");
                let token = own.token();
                let accept = async {
                    while let Ok((stream, _)) = listener.accept().await {
                        let counts = Arc::clone(&counts);
                        own.spawn("upstream connection", async move {
                            // A client that goes away is no failure.
                            let _gone = connection(stream, deed, &counts).await;
                        });
                    }
                };
                token.run_until_cancelled(accept).await;
            });
        };
        let thread = std::thread::Builder::new().spawn(serve);
        drop(thread.expect("a thread"));
        Self { addr, tasks, came }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it was asked so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        lock(&self.came).clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

async fn connection(mut stream: TcpStream, deed: Decide, came: &Came) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut read = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = read.windows(4).position(|end| end == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
        let number = |name| {
            let value = head.lines().find_map(|line| line.strip_prefix(name));
            value.and_then(|value| value.trim().parse::<u64>().ok())
        };
        let method = head
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let id = number("x-id:").unwrap_or(0);
        let whole = end + usize::try_from(number("content-length:").unwrap_or(0)).unwrap_or(0);
        let times = {
            let mut came = lock(came);
            let times = came.entry((method.clone(), id)).or_default();
            *times += 1;
            *times
        };
        let deed = deed(&method, id, times);
        if deed == Deed::Close {
            return Ok(());
        }
        while read.len() < whole {
            if stream.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
        }
        read.drain(..whole);
        match deed {
            Deed::Answer(status) | Deed::AnswerAndClose(status) => {
                let answer = format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await?;
            }
            Deed::Stream => {
                let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                for part in [head, "5\r\nfirst\r\n", "6\r\nsecond\r\n", "0\r\n\r\n"] {
                    stream.write_all(part.as_bytes()).await?;
                    yield_now().await;
                }
            }
            Deed::Close => return Ok(()),
            // Until the client goes away.
            Deed::Hang => return stream.read_u8().await.map(|_| ()),
        }
        if matches!(deed, Deed::AnswerAndClose(_)) {
            return Ok(());
        }
    }
}

fn lock(came: &Came) -> MutexGuard<'_, Counts> {
    came.lock().unwrap_or_else(PoisonError::into_inner)
}
