//! Asks the API server, as whoever we are at that moment.
use super::{
    access::{Access, Origin, Token},
    body::{self, Lines},
    connect::{self, HttpClient},
    error::Failure,
    status::Refusal,
};
use bytes::Bytes;
use detectviz_core::task::Tasks;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use zeroize::Zeroizing;

/// A Secret has at most 1 MiB (`MaxSecretSize`), a third more in base64, and annotations of at most 256 KiB.
const LARGEST_ANSWER: usize = 4 << 20;

/// Metadata alone.
const LARGEST_LINE: usize = 2 << 20;

/// What `Status` objects take.
const LARGEST_REFUSAL: usize = 1 << 16;

/// How requests reach the API server.
pub(super) struct Session {
    origin: Origin,
    timeout: Duration,
    tasks: Tasks,
    /// What was read and connected last; read anew when it is of no use any more.
    link: Mutex<Option<Arc<Link>>>,
}

/// One reading of where the server is and who we are.
pub(super) struct Link {
    client: HttpClient,
    server: String,
    token: Token,
    /// What tells one client certificate from the next.
    certificate: Vec<u8>,
    pub(super) namespace: Option<String>,
}

type BearerToken = Option<Zeroizing<String>>;

// === impl Session ===

impl Session {
    pub(super) fn new(origin: Origin, timeout: Duration, tasks: &Tasks) -> Self {
        Self {
            origin,
            timeout,
            tasks: tasks.clone(),
            link: Mutex::default(),
        }
    }

    /// Sends `request`, whose URL starts at the root of the API, and reads the whole answer.
    pub(super) async fn ask(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.in_time(async {
            let (server, answer) = self.send(request).await?;
            body::whole(answer.into_body(), LARGEST_ANSWER, &server).await
        })
        .await
    }

    /// Sends `request` and reads the answer line by line, for as long as it lasts.
    pub(super) async fn open(&self, request: Request<Vec<u8>>) -> Result<(String, Lines), Failure> {
        let (server, answer) = self.in_time(self.send(request)).await?;
        let lines = Lines::new(answer.into_body(), LARGEST_LINE, &server);
        Ok((server, lines))
    }

    /// What is known of where the server is, read when it is not.
    pub(super) async fn link(&self) -> Result<Arc<Link>, Failure> {
        if let Some(link) = &*self.current() {
            return Ok(Arc::clone(link));
        }
        let origin = self.origin.clone();
        let mut access: Access = self.blocking(move || origin.read()).await??;
        let certificate = access.identity.as_ref().and_then(|i| i.chain.first());
        let certificate = certificate.map(|der| der.to_vec()).unwrap_or_default();
        let link = Arc::new(Link {
            client: connect::client(&mut access, self.timeout, &self.tasks)?,
            server: access.server,
            token: access.token,
            certificate,
            namespace: access.namespace,
        });
        *self.current() = Some(Arc::clone(&link));
        Ok(link)
    }

    /// Connections end when the last answer on them does.
    pub(super) fn close(&self) {
        *self.current() = None;
    }

    /// What does not answer with success is an error. Where we are not known, who we are is read again, and if that has
    /// changed since, the request is sent once more.
    async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<(String, Response<Incoming>), Failure> {
        let link = self.link().await?;
        let token = self.token(&link).await?;
        let mut answer = self.send_as(&link, token.as_ref(), &request).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            self.forget(&link);
            let next = self.link().await?;
            let next_token = self.token(&next).await?;
            if next_token != token || next.certificate != link.certificate {
                answer = self.send_as(&next, next_token.as_ref(), &request).await?;
            }
        }
        let (server, status) = (link.server.clone(), answer.status());
        if status == StatusCode::OK {
            return Ok((server, answer));
        }
        let body = body::whole(answer.into_body(), LARGEST_REFUSAL, &server).await;
        let body = body.unwrap_or_default();
        let refusal = Refusal::read(status.as_u16(), &body);
        Err(Failure::Refused { server, refusal })
    }

    async fn send_as(
        &self,
        link: &Arc<Link>,
        token: Option<&Zeroizing<String>>,
        request: &Request<Vec<u8>>,
    ) -> Result<Response<Incoming>, Failure> {
        let malformed = || {
            Failure::setup(
                format!("`{}` is no URL of a server", link.server),
                "write `https://host:port`",
            )
        };
        let mut sent = Request::builder()
            .method(request.method())
            .uri(format!("{}{}", link.server, request.uri()))
            .header(
                header::USER_AGENT,
                concat!("detectviz/", env!("CARGO_PKG_VERSION")),
            )
            .body(Full::<Bytes>::default())
            .map_err(|_| malformed())?;
        let headers = sent.headers_mut();
        for (name, value) in request.headers() {
            headers.insert(name, value.clone());
        }
        if let Some(token) = token {
            let text = Zeroizing::new(format!("Bearer {}", token.as_str()));
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                Failure::setup(
                    "the token holds a character that no token has",
                    "mount it anew",
                )
            })?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let answer = link.client.request(sent).await;
        answer.map_err(|err| {
            // The server may have moved, or its authority been replaced.
            self.forget(link);
            let connecting = err.is_connect();
            Failure::transport(&link.server, err, connecting)
        })
    }

    async fn token(&self, link: &Link) -> Result<BearerToken, Failure> {
        match &link.token {
            Token::File(_) => {
                let token = link.token.clone();
                self.blocking(move || token.read()).await?
            }
            known => known.read(),
        }
    }

    async fn in_time<T>(
        &self,
        asked: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let limit = self.timeout;
        let answer = tokio::time::timeout(limit, asked).await;
        answer.unwrap_or_else(|_| {
            // A connection that has silently gone would answer nobody for as long as it seems to be there.
            let link = self.current().take();
            let server =
                link.map_or_else(|| "the API server".to_owned(), |link| link.server.clone());
            Err(Failure::Late { server, limit })
        })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let read = self.tasks.spawn_blocking("kubernetes credentials", read);
        read.await
            .map_err(|_| Failure::setup("reading the credentials was cut short", "try again"))
    }

    fn forget(&self, link: &Arc<Link>) {
        let mut current = self.current();
        if current.as_ref().is_some_and(|held| Arc::ptr_eq(held, link)) {
            *current = None;
        }
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<Arc<Link>>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("origin", &self.origin)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
