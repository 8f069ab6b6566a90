//! A service that can be made to hang for good: `GET /block` never gives its thread back, and there is only one.
use detectviz_core::{error::BoxError, runtime::Builder};
use detectviz_http::{
    body::RequestBody,
    kinds::{self, App},
};
use http::{Request, Response};
use http_body_util::Full;
use std::{convert::Infallible, process::ExitCode};

fn main() -> ExitCode {
    Builder::new("stuck", "1.0.0")
        .composition("components: [{name: admin, kind: admin}, {name: http, kind: http-server}]")
        .app_config("runtime: {workers: 1}\ntelemetry: {otlp: {enabled: false}}")
        .kind(kinds::admin())
        .kind(kinds::server(|_| {
            let service = tower::service_fn(async |request: Request<RequestBody>| {
                while request.uri().path() == "/block" {
                    std::thread::park();
                }
                Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::from("hello")))
            });
            Ok::<_, BoxError>(App::new(service))
        }))
        .run()
}
