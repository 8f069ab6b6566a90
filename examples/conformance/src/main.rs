//! The full server stack and client of detectviz with nothing of its own: what conformance suites and load tools are pointed
//! at.
//!
//! `GET /` answers `hello` and any other method there echoes the body; `GET /slow?ms=N` answers after N ms; `GET /panic` panics;
//! `POST /test` takes the JSON of the W3C trace-context harness, a list of `{url, arguments}`, and POSTs each `arguments` to its
//! `url` (tests of our own may add `after_ms`, work before the call, and its `headers`); `GET /ws` echoes WebSocket messages and
//! `GET /sse` sends an event each second until the service drains.
mod answer;
mod events;
mod harness;
mod service;
mod websocket;

use detectviz_core::runtime::Builder;
use detectviz_http::kinds::App;
use service::Conformance;
use std::process::ExitCode;

fn main() -> ExitCode {
    Builder::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .composition(include_str!("../config/composition.yaml"))
        .app_config(include_str!("../config/app_config.yaml"))
        .flag("--port", "http.port", "the port of the service")
        .flag("--admin-port", "admin.port", "the admin port")
        .flag(
            "--pre-stop",
            "shutdown.pre_stop",
            "how long to serve on after the signal, such as 5s",
        )
        .flag(
            "--drain-timeout",
            "shutdown.drain",
            "how long accepted work may take, such as 5s",
        )
        .flag(
            "--log-level",
            "telemetry.logs.level",
            "error, warn, info, debug or trace",
        )
        .kind(detectviz_http::kinds::admin())
        .kind(detectviz_http::kinds::client())
        .kind(detectviz_http::kinds::server(|cx| {
            let routes = ["/", "/slow", "/panic", "/test", "/ws", "/sse"];
            let client = cx.provided("client")?;
            let service = Conformance::new(client, cx.shared().phase.clone(), cx.tasks());
            Ok(App::new(service).routes(routes)?)
        }))
        .run()
}
