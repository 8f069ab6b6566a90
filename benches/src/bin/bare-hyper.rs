//! `hello` from hyper alone, which a server is measured against: `bare-hyper [--port P] [--workers N]`.
//!
//! It prints the address that it listens on. Headers and body of the answer are those of `GET /` of the conformance example.
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::{Ready, ready},
    io::{self, Write},
    net::Ipv4Addr,
    process::ExitCode,
};
use tokio::net::TcpListener;

fn main() -> ExitCode {
    let Some((port, workers)) = arguments() else {
        let _ = writeln!(io::stderr(), "usage: bare-hyper [--port P] [--workers N]");
        return ExitCode::from(64);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build();
    match runtime.and_then(|runtime| runtime.block_on(serve(port))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            let _ = writeln!(io::stderr(), "bare-hyper: {err}");
            ExitCode::from(69)
        }
    }
}

/// Port and worker threads.
fn arguments() -> Option<(u16, usize)> {
    let (mut port, mut workers) = (
        8080,
        std::thread::available_parallelism().map_or(1, usize::from),
    );
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next()?;
        match name.as_str() {
            "--port" => port = value.parse().ok()?,
            "--workers" => workers = value.parse().ok().filter(|n| *n > 0)?,
            _ => return None,
        }
    }
    Some((port, workers))
}

async fn serve(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello));
        #[expect(
            clippy::disallowed_methods,
            reason = "hyper alone: nothing of detectviz takes part"
        )]
        tokio::spawn(connection);
    }
}

fn hello(_: Request<Incoming>) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"hello")));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    ready(Ok(response))
}
